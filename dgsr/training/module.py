"""The Lightning module: one training step is one optimisation of the generator over one global batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import lightning
import torch
from jaxtyping import Float
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checkpoints.trainer import TrainedState, restore_trained, trained_state
from dgsr.checks import expect
from dgsr.images import to_signed
from dgsr.inference import Upscaler
from dgsr.metrics import Metric
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import upsample
from dgsr.training.objective import Objective
from dgsr.training.sample import Sample
from dgsr.training.update import AlternatingUpdate, Backward, JointUpdate
from dgsr.training.validation import ValidationRecords, gather_records, means, measured_on

Network = Literal["generator", "discriminator"]


class SuperResolution(lightning.LightningModule):
    """Train a degradation-guided one-step generator.

    Args:
        generator: Its trainable tensors are what the run trains.
        estimator: Frozen; reads the scores off the degraded image.
        discriminator: None trains without an adversarial term.
        objective: The losses and the negative samples.
        update: How the networks are stepped.
        optimizers: For each network, parameters to optimizer.
        schedule: Optimizer to its learning-rate schedule, stepped once a step.
        upscaler: The inference path that validation measures.
        metrics: What validation measures, by name.
        max_steps: Steps after which the run ends.
        micro_batch: Samples per forward; a step's batch is cut into such pieces.
        clip_norm: Largest gradient norm of each network; None clips nothing.
        description: Plain values stored in checkpoints, from which the networks can be built again.

    Source: S3Diff Sec. 3; one step is counted where its training loop counts one batch.
    """

    def __init__(
        self,
        generator: OneStepGenerator,
        estimator: DegradationEstimator,
        discriminator: nn.Module | None,
        objective: Objective,
        update: AlternatingUpdate | JointUpdate,
        optimizers: Mapping[str, Callable[..., Optimizer]],
        schedule: Callable[..., LambdaLR],
        upscaler: Callable[..., Upscaler],
        metrics: Mapping[str, Metric],
        max_steps: int,
        micro_batch: int = 4,
        clip_norm: float | None = 1.0,
        description: dict[str, Any] | None = None,
    ) -> None:
        expect(max_steps > 0, "run.max_steps above 0", max_steps)
        expect(micro_batch > 0, "run.micro_batch above 0", micro_batch)
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.discriminator, self.objective = generator, discriminator, objective
        self.estimator = estimator.requires_grad_(False)
        self.upscaler = upscaler(generator=generator, estimator=estimator)
        self.metrics = nn.ModuleDict(metrics)
        self.update, self.optimizer_builders, self.schedule = update, optimizers, schedule
        self.max_steps, self.micro_batch, self.clip_norm = max_steps, micro_batch, clip_norm
        self.description = description or {}
        self.step, self.position = 0, 0
        self.validations: list[dict[str, float]] = []
        self.images: ValidationRecords = {}  # of the last validation, over all ranks
        self._records: ValidationRecords = {}
        self._logs: dict[str, list[Tensor]] = {}
        self._rates: list[list[Any]] = []

    # --- the algorithm ---

    def training_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Estimate the degradation, then let the update mix negatives, reconstruct, fool and discriminate."""
        sample = self.prepare(batch)
        self.update(self, self.micro_batches(sample))
        for scheduler in self._schedulers():
            scheduler.step()
        self.step += 1
        self.position += len(sample) * self.trainer.world_size
        self._write_logs(len(sample))
        if self.step >= self.max_steps:
            self.trainer.should_stop = True

    def prepare(self, batch: dict[str, Any]) -> Sample:
        """Bring a batch into the networks' range and read its scores off the degraded images."""
        with torch.no_grad():
            scores = self.estimator(batch["lq"])
        lq_up = upsample(batch["lq"], self.upscaler.scale)
        return Sample(to_signed(batch["hq"]), to_signed(lq_up), scores, batch["seed"])

    def micro_batches(self, sample: Sample) -> list[Sample]:
        """Cut a rank's share of the global batch into pieces of equal size, so that their mean is the batch's."""
        share, size = len(sample), min(self.micro_batch, len(sample))
        assert share % size == 0, f"{share} samples do not divide by {size}"
        return sample.split(size)

    @contextmanager
    def optimizing(self, network: Network, num_backwards: int) -> Iterator[Backward]:
        """Yield a backward that averages over the micro batches, then clip and step that network.

        The generator's phases freeze the discriminator, so that no gradient of theirs is left in it.
        """
        optimizer = self._optimizer(network)
        optimizer.zero_grad()
        blocked = getattr(self.trainer.strategy, "block_backward_sync", nullcontext)  # where there are other ranks
        done = 0

        def backward(losses: dict[str, Tensor]) -> None:
            nonlocal done
            done += 1
            total = torch.stack(list(losses.values())).sum()
            with blocked() if done < num_backwards else nullcontext():
                self.manual_backward(total / num_backwards)
            self.record(losses)

        if self.discriminator is not None:
            self.discriminator.requires_grad_(network == "discriminator")
        yield backward
        norm = nn.utils.clip_grad_norm_(self._trained(network), self.clip_norm or math.inf)
        remedy = f"The last checkpoint is whole; lower optimizer.{network}.lr or run.clip_norm."
        expect(bool(norm.isfinite()), f"finite gradients of the {network}", f"{norm} at step {self.step + 1}", remedy)
        self.record({f"grad_norm/{network}": norm})
        optimizer.step()
        optimizer.zero_grad()

    def record(self, values: dict[str, Tensor]) -> None:
        """Keep values whose mean over the micro batches is logged at the end of the step."""
        for name, value in values.items():
            self._logs.setdefault(name, []).append(value.detach())

    def _write_logs(self, batch_size: int) -> None:
        means = torch.stack([torch.stack(values).mean() for values in self._logs.values()])
        means = self.trainer.strategy.reduce(means, reduce_op="mean")  # all ranks have equal shares
        found = {f"train/{name}": mean for name, mean in zip(self._logs, means, strict=True)}
        self._logs.clear()
        self.log_dict(found | self._our_step(), prog_bar=True, batch_size=batch_size)
        self.log("train/lr", self._optimizer("generator").param_groups[0]["lr"], batch_size=batch_size)

    def _our_step(self) -> dict[str, Tensor]:
        """Loggers take their step from this entry, if there is one, and not from Lightning's counter."""
        return {"step": torch.tensor(float(self.step))}

    # --- optimizers ---

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LambdaLR]]:
        """Build one optimizer and one schedule a network."""
        networks: list[Network] = ["generator"] if self.discriminator is None else ["generator", "discriminator"]
        optimizers = [self.optimizer_builders[network](self._trained(network)) for network in networks]
        schedules = [self.schedule(optimizer) for optimizer in optimizers]
        self._rates = [schedule.base_lrs for schedule in schedules]
        return optimizers, schedules

    def on_fit_start(self) -> None:
        """Let a run that was cut off between its last step and its end only end."""
        self.trainer.should_stop = self.step >= self.max_steps

    def on_train_start(self) -> None:
        """Let a resumed run follow the rates of its config, which a checkpoint's would hide."""
        for scheduler, rates in zip(self._schedulers(), self._rates, strict=True):
            scheduler.base_lrs = rates
            for group, rate, factor in zip(scheduler.optimizer.param_groups, rates, scheduler.lr_lambdas, strict=True):
                group["initial_lr"], group["lr"] = rate, rate * factor(scheduler.last_epoch)

    def _trained(self, network: Network) -> list[nn.Parameter]:
        if network == "generator":
            return [p for p in self.generator.parameters() if p.requires_grad]
        assert self.discriminator is not None
        return list(self.discriminator.parameters())

    def _optimizer(self, network: Network) -> LightningOptimizer:
        optimizers = self.optimizers()
        return optimizers[network == "discriminator"] if isinstance(optimizers, list) else optimizers  # type: ignore[return-value]

    def _schedulers(self) -> list[Any]:
        schedulers = self.lr_schedulers()
        return schedulers if isinstance(schedulers, list) else [schedulers]

    # --- validation ---

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Float[Tensor, "b 3 _ _"]]:
        """Upscale, and measure every image; before the first step also what bicubic resizing gives."""
        sr = self.upscaler(batch["lq"])
        bicubic = upsample(batch["lq"], self.upscaler.scale)
        for name, metric in self.metrics.items():
            self._record(batch, name, metric(sr, batch["hq"]))
            if self.step == 0:
                self._record(batch, f"bicubic/{name}", metric(bicubic, batch["hq"]))
        return {"lq": batch["lq"], "bicubic": bicubic, "sr": sr, "hq": batch["hq"]}

    def _record(self, batch: dict[str, Any], metric: str, values: Tensor) -> None:
        for image, of, value in zip(batch["name"], batch["set"], values.tolist(), strict=True):
            self._records.setdefault(image, {})[measured_on(of, metric)] = value

    def on_validation_epoch_end(self) -> None:
        """Average over the images of each set and of all ranks, each image once."""
        self.images, self._records = gather_records(self._records), {}
        found = means(self.images)
        self.validations.append({"step": self.step} | found)
        logged = {f"val/{name}": torch.tensor(value) for name, value in found.items()}
        self.log_dict(logged | self._our_step(), prog_bar=True, sync_dist=True)

    # --- checkpoints ---

    def state_dict(self, *args: Any, **kwargs: Any) -> TrainedState:  # type: ignore[override]
        """Return what is trained, and nothing that is frozen."""
        return trained_state(self.generator, self.discriminator)

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> None:  # type: ignore[override]
        """Restore what was trained; names and shapes must agree."""
        restore_trained(dict(state_dict), self.generator, self.discriminator)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add our own counters and the description of the networks."""
        checkpoint["dgsr"] = {
            "step": self.step,
            "position": self.position,
            "validations": self.validations,
            "description": self.description,
            "fingerprint": self.generator.fingerprint(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the counters back."""
        ours = checkpoint["dgsr"]
        self.step, self.position, self.validations = ours["step"], ours["position"], list(ours["validations"])


def module_of(module: lightning.LightningModule) -> SuperResolution:
    """Return the module as the kind this project trains."""
    assert isinstance(module, SuperResolution)
    return module
