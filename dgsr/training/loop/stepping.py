"""Step networks by hand: accumulate, unscale, clip, check, and step or skip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checks import expect
from dgsr.training.loop.bad_steps import BadSteps
from dgsr.training.loop.interface import Backward, Batch
from dgsr.training.loop.settings import Settings

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true")


class Stepper:
    """The optimization loop of a run: networks with their optimizers and schedules.

    Args:
        networks: The trained networks by name, in the order of their optimizers: `generator` first, whatever network a
            run is about, then those of the critics. Parameters that require a gradient are trained.
        settings: How the run trains.
    """

    trainer: lightning.Trainer

    def __init__(self, networks: Mapping[str, nn.Module], settings: Settings) -> None:
        self.settings = settings
        self.trained = {
            name: [parameter for parameter in network.parameters() if parameter.requires_grad]
            for name, network in networks.items()
        }
        self.bad_steps = BadSteps(settings.max_bad_steps)
        self.step = 0
        self._logs: dict[str, list[Tensor]] = {}
        self._rates: list[list[Any]] = []

    # --- the interface to tasks ---

    def micro_batches(self, batch: Batch) -> Sequence[Batch]:
        """Cut a rank's share of the global batch into pieces of equal size, so that their mean is the batch's."""
        size = min(self.settings.micro_batch, len(batch))
        assert len(batch) % size == 0, f"{len(batch)} samples do not divide by {size}"
        return batch.split(size)

    @contextmanager
    def optimizing(self, network: str, num_backwards: int) -> Iterator[Backward]:
        """Yield a backward that averages over the micro batches, then step that network.

        Other networks' phases freeze the critics' networks, so that no gradient is left in them.
        """
        optimizer = self._optimizers()[network]
        optimizer.zero_grad()
        blocked = getattr(self.trainer.strategy, "block_backward_sync", nullcontext)  # where there are other ranks
        losses_by_name: dict[str, list[Tensor]] = {}
        done = 0

        def backward(losses: dict[str, Tensor]) -> None:
            nonlocal done
            done += 1
            total = torch.stack(list(losses.values())).sum()
            with blocked() if done < num_backwards else nullcontext():
                self.trainer.strategy.backward(total / num_backwards, None)
            self.record(losses)
            for name, value in losses.items():
                losses_by_name.setdefault(f"the loss {name}", []).append(value.detach())

        for name, parameters in self.trained.items():
            if name != "generator":
                for parameter in parameters:
                    parameter.requires_grad_(name == network)
        yield backward
        self._step(network, optimizer, losses_by_name)
        optimizer.zero_grad()

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Keep values whose mean over the micro batches is logged at the end of the step."""
        for name, value in values.items():
            self._logs.setdefault(name, []).append(value.detach())

    # --- the end of a phase and of a step ---

    def _step(self, network: str, optimizer: Optimizer, losses: dict[str, list[Tensor]]) -> None:
        """Step with the clipped gradient, or skip the step if a loss or the gradient is not finite."""
        scaler: GradScaler | None = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(self.trained[network], self.settings.clip_norm_of(network) or math.inf)
        gradient = f"the gradient of the {network}"
        bad = self._not_finite(losses | {gradient: [norm]})
        if bad:
            optimizer.zero_grad()  # without gradients the step below changes nothing
        else:
            self.record({f"grad_norm/{network}": norm})
        optimizer.step()
        if scaler is not None:
            bad = _rescale(scaler, bad, gradient)
            self.record({"loss_scale": torch.tensor(scaler.get_scale(), device=self.trainer.strategy.root_device)})
        self.bad_steps.add([name for name in bad if name != gradient] or bad)

    def _not_finite(self, named: dict[str, list[Tensor]]) -> list[str]:
        """Name the values that are NaN or Inf on any rank; all ranks return the same names."""
        is_bad = torch.stack([~torch.stack(values).isfinite().all() for values in named.values()])
        counts = self.trainer.strategy.reduce(is_bad.float(), reduce_op="sum").tolist()
        return [name for name, count in zip(named, counts, strict=True) if count]

    def step_schedules(self) -> None:
        """Advance all learning-rate schedules by a step."""
        for scheduler in self._schedulers():
            scheduler.step()

    def logged_means(self) -> dict[str, Tensor]:
        """Return the means of what the step recorded, over micro batches and ranks, and forget the values."""
        means = torch.stack([torch.stack(values).mean() for values in self._logs.values()])
        means = self.trainer.strategy.reduce(means, reduce_op="mean")  # all ranks have equal shares
        named = dict(zip(self._logs, means, strict=True))
        self._logs.clear()
        return named

    @property
    def learning_rate(self) -> float:
        """The generator's learning rate."""
        return self._optimizers()["generator"].param_groups[0]["lr"]

    # --- optimizers ---

    def attach(self, trainer: lightning.Trainer) -> None:
        """Use a trainer; refuse a precision without full-precision master weights."""
        remedy = "Set trainer.precision."
        expect(trainer.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}", trainer.precision, remedy)
        self.trainer = trainer

    def build_optimizers(self) -> tuple[list[Optimizer], list[LambdaLR]]:
        """Build one optimizer and one schedule per network."""
        optimizers = [self.settings.optimizer_of(name)(parameters) for name, parameters in self.trained.items()]
        schedules = [self.settings.schedule(optimizer) for optimizer in optimizers]
        self._rates = [schedule.base_lrs for schedule in schedules]
        return optimizers, schedules

    def restore_configured_rates(self) -> None:
        """Let a resumed run follow the optimizer settings of its config, which the checkpoint has overwritten."""
        for scheduler, rates in zip(self._schedulers(), self._rates, strict=True):
            scheduler.base_lrs = rates
            configured = scheduler.optimizer.defaults
            for group, rate, factor in zip(scheduler.optimizer.param_groups, rates, scheduler.lr_lambdas, strict=True):
                group.update({name: configured[name] for name in group.keys() & configured.keys()})
                group["initial_lr"], group["lr"] = rate, rate * factor(scheduler.last_epoch)

    def _optimizers(self) -> dict[str, Optimizer]:
        """Return the optimizers themselves: Lightning's wrappers would unscale the gradients a second time."""
        return dict(zip(self.trained, self.trainer.optimizers, strict=True))

    def _schedulers(self) -> list[Any]:
        return [config.scheduler for config in self.trainer.lr_scheduler_configs]


def _rescale(scaler: GradScaler, bad: list[str], gradient: str) -> list[str]:
    """Adapt the loss scale of fp16, and return the parts that are not finite at any scale.

    An infinite gradient of finite losses means that the scale is too large, unless it is 1 already.
    """
    scale = scaler.get_scale()
    only_gradient = bad == [gradient]
    scaler.update(None if only_gradient or not bad else scale)
    return [] if only_gradient and scale > 1 else bad
