"""What every training shares: it counts its steps, logs, validates and saves; a kind of training fills in the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import lightning
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checkpoints.trainer import TrainedState, generator_state, restore_trained, trained_state, under_generator
from dgsr.models.discriminator.frozen import FrozenFeatures
from dgsr.models.trained import TrainedNetwork, print_of
from dgsr.ops.precision import in_full
from dgsr.training.loop.sample import Sample
from dgsr.training.loop.settings import Settings
from dgsr.training.loop.stepping import Stepping
from dgsr.training.loop.validation import ValidationRecords, gather_records, means, measured_on

#: What a validation batch gave to look at, by name, in [0, 1].
Pictures: TypeAlias = dict[str, Float[Tensor, "b ..."]]


class TrainingModule(Stepping):
    """Train a network; one training step is one optimisation of it over one global batch.

    A kind of training says what `optimise` does with a batch, what `measure` finds in one, and how to `export`.

    Args:
        generator: What the run is about; its trainable tensors are trained.
        discriminator: None trains without an adversarial term.
        metrics: What validation measures, by name.
        settings: How the run trains.
    """

    def __init__(
        self,
        generator: TrainedNetwork,
        discriminator: nn.Module | None,
        metrics: Mapping[str, Any],
        settings: Settings,
    ) -> None:
        super().__init__(generator, discriminator, settings)
        measuring = all(isinstance(metric, nn.Module) for metric in metrics.values())
        self.metrics: Any = nn.ModuleDict(metrics) if measuring else metrics  # follow the module to its device
        self.max_steps, self.micro_batch = settings.max_steps, settings.micro_batch
        self.description = settings.description
        self.step, self.position = 0, 0
        self.validations: list[dict[str, float]] = []
        self.images: ValidationRecords = {}  # of the last validation, over all ranks
        self._records: ValidationRecords = {}

    # --- what a kind of training fills in ---

    @abstractmethod
    def optimise(self, batch: dict[str, Any]) -> None:
        """Step the networks on a rank's share of a global batch."""

    @abstractmethod
    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Record the metrics of a validation batch, and return what there is to look at."""

    @abstractmethod
    def export(self, folder: Path, step: int) -> None:
        """Write what was trained, for use, as it was after a step."""

    def guides(self) -> dict[str, nn.Module]:
        """Return the networks that steer what is learnt and stay as they are, by the names of their settings."""
        judge = self.discriminator
        return {"discriminator": judge.get_submodule("backbone")} if isinstance(judge, FrozenFeatures) else {}

    def columns(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Choose what panels show of one image out of what `measure` returned, by title."""
        return found

    def summarise(self, records: ValidationRecords) -> dict[str, float]:
        """Bring what was recorded of all images down to one number a metric."""
        return means(records)

    # --- training ---

    def training_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Optimise, and count."""
        self.optimise(batch)
        self.close_step(self.step)
        share = len(batch["seed"])
        self.step += 1
        self.position += share * self.trainer.world_size
        self._write_logs(share)
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

    def micro_batches(self, sample: Sample) -> list[Sample]:
        """Cut a rank's share of the global batch into pieces of equal size, so that their mean is the batch's."""
        return sample.split(self.micro_size(len(sample)))

    def micro_size(self, share: int) -> int:
        """Return how many samples of a rank's share go through the networks at a time."""
        size = min(self.micro_batch, share)
        assert share % size == 0, f"{share} samples do not divide by {size}"
        return size

    def _write_logs(self, batch_size: int) -> None:
        means = torch.stack([torch.stack(values).mean() for values in self._logs.values()])
        means = self.trainer.strategy.reduce(means, reduce_op="mean")  # all ranks have equal shares
        found = {f"train/{name}": mean for name, mean in zip(self._logs, means, strict=True)}
        self._logs.clear()
        self.log_dict(found | self._our_step(), prog_bar=True, batch_size=batch_size)
        if self.bad_steps.total:
            self.log("train/bad_steps", float(self.bad_steps.total), prog_bar=True, batch_size=batch_size)
        self.log("train/lr", self._optimizer("generator").param_groups[0]["lr"], batch_size=batch_size)

    def _our_step(self) -> dict[str, float]:
        """Loggers take their step from this entry, if there is one, and not from Lightning's counter."""
        return {"step": float(self.step)}

    # --- validation ---

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> Pictures:
        """Measure in full precision, as what is trained will be used, and by averaged weights where there are some."""
        with in_full(self.device), self.averaged():
            return self.measure(batch)

    def record_images(self, batch: dict[str, Any], metric: str, values: Tensor) -> None:
        """Keep a metric of each image until the validation ends."""
        for image, of, value in zip(batch["name"], batch["set"], values.tolist(), strict=True):
            self._records.setdefault(image, {})[measured_on(of, metric)] = value

    def on_validation_epoch_end(self) -> None:
        """Average over the images of each set and of all ranks, each image once."""
        self.images, self._records = gather_records(self._records), {}
        found = self.summarise(self.images)
        self.validations.append({"step": self.step} | found)
        # As numbers, which Lightning brings to the device on which the ranks' backend can reduce them.
        self.log_dict(
            {f"val/{name}": value for name, value in found.items()} | self._our_step(), sync_dist=True, prog_bar=True
        )

    # --- checkpoints ---

    def state_dict(self, *args: Any, **kwargs: Any) -> TrainedState:  # type: ignore[override] (torch: overloads)
        """Return what is trained, and nothing that is frozen."""
        return trained_state(self.generator, self.discriminator)

    def load_state_dict(  # type: ignore[override] (torch returns the keys that did not fit; here they all must)
        self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False
    ) -> None:
        """Restore what was trained; names and shapes must agree."""
        restore_trained(dict(state_dict), self.generator, self.discriminator)

    @cached_property
    def guide_prints(self) -> dict[str, str]:
        """Tell the guides from others, also from those of the same settings with other weights."""
        return {name: print_of(network) for name, network in self.guides().items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add our own counters, the description of the networks, and apart from the weights their average."""
        checkpoint["dgsr"] = {
            "step": self.step,
            "position": self.position,
            "validations": self.validations,
            "description": self.description,
            "fingerprint": self.generator.fingerprint(),
            "guides": self.guide_prints,
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


def module_of(module: lightning.LightningModule) -> TrainingModule:
    """Return the module as the kind this project trains."""
    assert isinstance(module, TrainingModule)
    return module
