"""Step two networks by hand: accumulate, unscale, clip, judge, and step or skip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checks import expect
from dgsr.models.trained import TrainedNetwork
from dgsr.training.loop.bad_steps import BadSteps
from dgsr.training.loop.ema import Ema
from dgsr.training.loop.settings import Settings
from dgsr.training.update import Backward

Network = Literal["generator", "discriminator"]
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true")


class Stepping(lightning.LightningModule):
    """A generator and a discriminator with their optimizers and schedules, and the one way to step either.

    Args:
        generator: Its parameters that require a gradient are trained; whatever network a run is about stands here.
        discriminator: None trains the generator alone.
        settings: How the run trains.
    """

    def __init__(self, generator: TrainedNetwork, discriminator: nn.Module | None, settings: Settings) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator = generator, discriminator
        judging = [] if discriminator is None else discriminator.parameters()
        self._judging = [p for p in judging if p.requires_grad]  # a pretrained part of it may be frozen for good
        self.settings = settings
        self.bad_steps = BadSteps(settings.max_bad_steps)
        self.ema = None if settings.ema_decay is None else Ema(settings.ema_decay)
        self._logs: dict[str, list[Tensor]] = {}
        self._rates: list[list[Any]] = []

    @contextmanager
    def optimizing(self, network: Network, num_backwards: int) -> Iterator[Backward]:
        """Yield a backward that averages over the micro batches, then step that network.

        The generator's phases freeze the discriminator, so that no gradient of theirs is left in it.
        """
        optimizer = self._optimizer(network)
        optimizer.zero_grad()
        blocked = getattr(self.trainer.strategy, "block_backward_sync", nullcontext)  # where there are other ranks
        seen: dict[str, list[Tensor]] = {}
        done = 0

        def backward(losses: dict[str, Tensor]) -> None:
            nonlocal done
            done += 1
            total = torch.stack(list(losses.values())).sum()
            with blocked() if done < num_backwards else nullcontext():
                self.manual_backward(total / num_backwards)
            self.record(losses)
            for name, value in losses.items():
                seen.setdefault(f"the loss {name}", []).append(value.detach())

        for parameter in self._judging:
            parameter.requires_grad_(network == "discriminator")
        yield backward
        self._step(network, optimizer, seen)
        optimizer.zero_grad()

    def record(self, values: dict[str, Tensor]) -> None:
        """Keep values whose mean over the micro batches is logged at the end of the step."""
        for name, value in values.items():
            self._logs.setdefault(name, []).append(value.detach())

    def _step(self, network: Network, optimizer: Optimizer, losses: dict[str, list[Tensor]]) -> None:
        """Step on the clipped gradient, or leave everything as it is where a loss or the gradient is not finite."""
        scaler: GradScaler | None = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(self._trained(network), self.settings.clip_norm[network] or math.inf)
        gradient = f"the gradient of the {network}"
        bad = self._not_finite(losses | {gradient: [norm]})
        if bad:
            optimizer.zero_grad()  # without gradients the step below changes nothing
        else:
            self.record({f"grad_norm/{network}": norm})
        optimizer.step()
        if scaler is not None:
            bad = _rescale(scaler, bad, gradient)
            self.record({"loss_scale": torch.tensor(scaler.get_scale(), device=self.device)})
        self.bad_steps.add([name for name in bad if name != gradient] or bad)

    def _not_finite(self, named: dict[str, list[Tensor]]) -> list[str]:
        """Name what is NaN or Inf on any rank; all ranks hear the same."""
        found = torch.stack([~torch.stack(values).isfinite().all() for values in named.values()])
        counts = self.trainer.strategy.reduce(found.float(), reduce_op="sum").tolist()
        return [name for name, count in zip(named, counts, strict=True) if count]

    def close_step(self, step: int) -> None:
        """Step the schedules, average the weights, and judge the whole step, counted from 0.

        Raises:
            UserError: This was the last bad step that the run puts up with.
        """
        for scheduler in self._schedulers():
            scheduler.step()
        if self.ema is not None:
            self.ema.update(self.generator, step)
        self.bad_steps.close(step + 1)

    def averaged(self) -> AbstractContextManager[None]:
        """Put the averaged weights in place inside the block, if there are some."""
        return nullcontext() if self.ema is None else self.ema.applied(self.generator)

    # --- optimizers ---

    def setup(self, stage: str) -> None:
        """Refuse a precision in which the master weights would not be exact."""
        remedy = "Set trainer.precision."
        expect(self.trainer.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}", self.trainer.precision, remedy)

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LambdaLR]]:
        """Build one optimizer and one schedule a network."""
        networks: list[Network] = ["generator"] if self.discriminator is None else ["generator", "discriminator"]
        optimizers = [self.settings.optimizers[network](self._trained(network)) for network in networks]
        schedules = [self.settings.schedule(optimizer) for optimizer in optimizers]
        self._rates = [schedule.base_lrs for schedule in schedules]
        return optimizers, schedules

    def on_train_start(self) -> None:
        """Begin the average, and let a resumed run follow its config, which a checkpoint's optimizers would hide."""
        if self.ema is not None:
            self.ema.start(self.generator)
        for scheduler, rates in zip(self._schedulers(), self._rates, strict=True):
            scheduler.base_lrs = rates
            configured = scheduler.optimizer.defaults
            for group, rate, factor in zip(scheduler.optimizer.param_groups, rates, scheduler.lr_lambdas, strict=True):
                group.update({name: configured[name] for name in group.keys() & configured.keys()})
                group["initial_lr"], group["lr"] = rate, rate * factor(scheduler.last_epoch)

    def _trained(self, network: Network) -> list[nn.Parameter]:
        if network == "generator":
            return [p for p in self.generator.parameters() if p.requires_grad]
        return self._judging

    def _optimizer(self, network: Network) -> Optimizer:
        """Return the optimizer itself, for Lightning's would unscale the gradients a second time."""
        optimizers = self.optimizers(use_pl_optimizer=False)
        # Lightning types what it returns as its own kind of optimizer, whatever it was asked for.
        return optimizers[network == "discriminator"] if isinstance(optimizers, list) else optimizers  # type: ignore[return-value]

    def _schedulers(self) -> list[Any]:
        schedulers = self.lr_schedulers()
        return schedulers if isinstance(schedulers, list) else [schedulers]


def _rescale(scaler: GradScaler, bad: list[str], gradient: str) -> list[str]:
    """Adapt the scale of fp16's losses, and return what is bad whatever the scale.

    An infinite gradient of finite losses says only that the scale is too large, until it has come down to 1.
    """
    scale = scaler.get_scale()
    only_gradient = bad == [gradient]
    scaler.update(None if only_gradient or not bad else scale)
    return [] if only_gradient and scale > 1 else bad
