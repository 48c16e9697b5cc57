"""The Lightning module: one training step is one optimisation of the generator over one global batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import lightning
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checkpoints.trainer import TrainedState, generator_state, restore_trained, trained_state, under_generator
from dgsr.checks import expect
from dgsr.images import to_signed
from dgsr.inference import Upscaler
from dgsr.metrics import Metric
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.precision import in_full
from dgsr.ops.resizing import upsample
from dgsr.training.objective import Objective
from dgsr.training.sample import Sample
from dgsr.training.stepping import Stepping
from dgsr.training.update import AlternatingUpdate, JointUpdate
from dgsr.training.validation import ValidationRecords, gather_records, means, measured_on
from dgsr.types import Scores


class SuperResolution(Stepping):
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
        clip_norm: For each network, the largest norm of its gradient; None clips nothing.
        max_bad_steps: Steps in a row with a loss or gradient that is not finite, after which the run stops.
        ema_decay: Average the generator's weights over the steps and validate that; None does not.
        scores: `estimator`'s, or as an `oracle` the true strengths of the degradation, in training and in validation.
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
        clip_norm: Mapping[str, float | None],
        micro_batch: int = 4,
        max_bad_steps: int = 10,
        ema_decay: float | None = None,
        scores: Literal["estimator", "oracle"] = "estimator",
        description: dict[str, Any] | None = None,
    ) -> None:
        expect(max_steps > 0, "run.max_steps above 0", max_steps)
        expect(micro_batch > 0, "run.micro_batch above 0", micro_batch)
        super().__init__(generator, discriminator, optimizers, schedule, clip_norm, max_bad_steps, ema_decay)
        self.objective, self.update = objective, update
        self.estimator, self.scores = estimator.requires_grad_(False), scores
        self.upscaler = upscaler(generator=generator, estimator=estimator)
        self.metrics = nn.ModuleDict(metrics)
        self.max_steps, self.micro_batch = max_steps, micro_batch
        self.description = description or {}
        self.step, self.position = 0, 0
        self.validations: list[dict[str, float]] = []
        self.images: ValidationRecords = {}  # of the last validation, over all ranks
        self._records: ValidationRecords = {}

    # --- the algorithm ---

    def training_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Estimate the degradation, then let the update mix negatives, reconstruct, fool and discriminate."""
        sample = self.prepare(batch)
        self.update(self, self.micro_batches(sample))
        self.close_step(self.step)
        self.step += 1
        self.position += len(sample) * self.trainer.world_size
        self._write_logs(len(sample))
        if self.step >= self.max_steps:
            self.trainer.should_stop = True

    def on_fit_start(self) -> None:
        """Let a run that was cut off between its last step and its end only end."""
        self.trainer.should_stop = self.step >= self.max_steps

    def on_train_batch_start(self, batch: dict[str, Any], batch_index: int) -> None:
        """Let Lightning validate and log on the beat of our steps, wherever a run was cut off.

        Of what it restores, the count of batches begun is one too high if a batch was begun when the run was saved.
        """
        loop = self.trainer.fit_loop.epoch_loop
        loop.batch_progress.total.ready, loop._batches_that_stepped = self.step + 1, self.step

    def prepare(self, batch: dict[str, Any]) -> Sample:
        """Bring a batch into the networks' range and read its scores off the degraded images."""
        lq_up = upsample(batch["lq"], self.upscaler.scale)
        return Sample(to_signed(batch["hq"]), to_signed(lq_up), self.scores_of(batch), batch["seed"])

    @torch.no_grad()
    def scores_of(self, batch: dict[str, Any]) -> Scores:
        """Read the scores off the degraded images; an oracle knows better, wherever the truth is known."""
        scores = self.estimator(batch["lq"])
        return torch.where(batch["truth"].isnan(), scores, batch["truth"]) if self.scores == "oracle" else scores

    def micro_batches(self, sample: Sample) -> list[Sample]:
        """Cut a rank's share of the global batch into pieces of equal size, so that their mean is the batch's."""
        share, size = len(sample), min(self.micro_batch, len(sample))
        assert share % size == 0, f"{share} samples do not divide by {size}"
        return sample.split(size)

    def _write_logs(self, batch_size: int) -> None:
        means = torch.stack([torch.stack(values).mean() for values in self._logs.values()])
        means = self.trainer.strategy.reduce(means, reduce_op="mean")  # all ranks have equal shares
        found = {f"train/{name}": mean for name, mean in zip(self._logs, means, strict=True)}
        self._logs.clear()
        self.log_dict(found | self._our_step(), prog_bar=True, batch_size=batch_size)
        if self.bad_steps.total:
            self.log("train/bad_steps", float(self.bad_steps.total), prog_bar=True, batch_size=batch_size)
        self.log("train/lr", self._optimizer("generator").param_groups[0]["lr"], batch_size=batch_size)

    def _our_step(self) -> dict[str, Tensor]:
        """Loggers take their step from this entry, if there is one, and not from Lightning's counter."""
        return {"step": torch.tensor(float(self.step))}

    # --- validation ---

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> dict[str, Float[Tensor, "b 3 _ _"]]:
        """Upscale, and measure every image; before the first step also what bicubic resizing gives.

        In full precision, as images will be upscaled, and by the averaged weights where there are some.
        """
        with in_full(self.device), self.averaged():
            return self._measure(batch)

    def _measure(self, batch: dict[str, Any]) -> dict[str, Float[Tensor, "b 3 _ _"]]:
        sr = self.upscaler(batch["lq"], self.scores_of(batch))
        bicubic = upsample(batch["lq"], self.upscaler.scale)
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
            if self.step == 0:
                self.record_images(batch, f"bicubic/{name}", metric(bicubic, batch["hq"]))
        return {"lq": batch["lq"], "bicubic": bicubic, "sr": sr, "hq": batch["hq"]}

    def record_images(self, batch: dict[str, Any], metric: str, values: Tensor) -> None:
        """Keep a metric of each image until the validation ends."""
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
        """Add our own counters, the description of the networks, and apart from the weights their average."""
        checkpoint["dgsr"] = {
            "step": self.step,
            "position": self.position,
            "validations": self.validations,
            "description": self.description,
            "fingerprint": self.generator.fingerprint(),
            "bad_steps": self.bad_steps.state_dict(),
        }
        if self.ema is not None:
            checkpoint["ema"] = under_generator(self.ema.average)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the counters back, and the average where there is one."""
        ours = checkpoint["dgsr"]
        self.step, self.position, self.validations = ours["step"], ours["position"], list(ours["validations"])
        self.bad_steps.load_state_dict(ours["bad_steps"])
        if self.ema is not None and "ema" in checkpoint:
            self.ema.average = generator_state(checkpoint, "ema")


def module_of(module: lightning.LightningModule) -> SuperResolution:
    """Return the module as the kind this project trains."""
    assert isinstance(module, SuperResolution)
    return module
