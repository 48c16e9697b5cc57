"""Define the Lightning module that all tasks share: counters, logs, validation and checkpoints."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import lightning
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checkpoints.trainer import TrainedState, generator_state, restore_generator, under_generator
from dgsr.models.discriminators.frozen import FrozenFeatures
from dgsr.models.trained import TrainedNetwork, fingerprint_of
from dgsr.ops.precision import in_full
from dgsr.training.critics.interface import Critic, critics_state, restore_critics, trained_networks
from dgsr.training.loop.ema import AverageInValidation, Ema
from dgsr.training.loop.interface import Loop
from dgsr.training.loop.settings import Settings
from dgsr.training.loop.stepping import Stepper
from dgsr.training.loop.validation import ValidationRecords, gather_records, means, qualified

#: Pictures of a validation batch by name, in [0, 1].
Pictures: TypeAlias = dict[str, Float[Tensor, "b ..."]]


class TrainingModule(lightning.LightningModule):
    """Train a network; one training step is one optimization of it over one global batch.

    A task implements `optimize` (the training step), `measure` (the validation step) and `export`.

    Args:
        network: The network to train, as far as its tensors are trainable.
        critics: Critics by name; None for one that a config has disabled.
        metrics: Metrics of the validation by name.
        settings: How the run trains.
    """

    def __init__(
        self,
        network: TrainedNetwork,
        critics: Mapping[str, Critic | None] | None,
        metrics: Mapping[str, Any],
        settings: Settings,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.critics = {name: critic for name, critic in (critics or {}).items() if critic is not None}
        self.critic_modules = nn.ModuleList(self.critics.values())  # follow the module to its device, as do the metrics
        are_modules = all(isinstance(metric, nn.Module) for metric in metrics.values())
        self.metrics: Any = nn.ModuleDict(metrics) if are_modules else metrics
        self.loop = Stepper({"generator": network} | trained_networks(self.critics), settings)
        self.bad_steps = self.loop.bad_steps
        self.ema = None if settings.ema_decay is None else Ema(settings.ema_decay)
        self.settings, self.max_steps, self.micro_batch = settings, settings.max_steps, settings.micro_batch
        self.description = settings.description
        self.position = 0
        self.validations: list[dict[str, float]] = []
        self.images: ValidationRecords = {}  # of the last validation, over all ranks
        self._records: ValidationRecords = {}

    # --- what a task implements ---

    @abstractmethod
    def optimize(self, batch: dict[str, Any], loop: Loop) -> None:
        """Step the networks on a rank's share of a global batch: the training step."""

    @abstractmethod
    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Record the metrics of a validation batch, and return its pictures."""

    @abstractmethod
    def export(self, folder: Path, step: int) -> None:
        """Write the network, with the weights after a step, for inference."""

    def guides(self) -> dict[str, nn.Module]:
        """Return the frozen networks that the result depends on, by the names of their settings."""
        networks = trained_networks(self.critics).items()
        return {name: n.get_submodule("backbone") for name, n in networks if isinstance(n, FrozenFeatures)}

    def columns(self, pictures: dict[str, Tensor]) -> dict[str, Tensor]:
        """Choose what panels show of one image, by title, from the pictures that `measure` returned."""
        return pictures

    def summarize(self, records: ValidationRecords) -> dict[str, float]:
        """Reduce what was recorded of all images to one number per metric."""
        return means(records)

    # --- training ---

    @property
    def step(self) -> int:
        """Steps done."""
        return self.loop.step

    @step.setter
    def step(self, step: int) -> None:
        self.loop.step = step

    def setup(self, stage: str) -> None:
        """Let the loop use the trainer."""
        self.loop.attach(self.trainer)

    def configure_optimizers(self) -> tuple[list[Optimizer], list[LambdaLR]]:
        """Build one optimizer and one schedule per network."""
        return self.loop.build_optimizers()

    def configure_callbacks(self) -> list[lightning.Callback]:
        """Validate the averaged weights, if there are any."""
        return [] if self.ema is None else [AverageInValidation(self.ema, self.network)]

    def training_step(self, batch: dict[str, Any], batch_index: int) -> None:
        """Optimize, and count.

        Raises:
            UserError: The limit of consecutive bad steps is reached.
        """
        self.optimize(batch, self.loop)
        self.loop.step_schedules()
        if self.ema is not None:
            self.ema.update(self.network, self.step)
        self.bad_steps.close(self.step + 1)
        share = len(batch["seed"])
        self.step += 1
        self.position += share * self.trainer.world_size
        self._write_logs(share)
        if self.step >= self.max_steps:
            self.trainer.should_stop = True

    def on_fit_start(self) -> None:
        """Stop at once if the run was interrupted between its last step and its end."""
        self.trainer.should_stop = self.step >= self.max_steps

    def on_train_start(self) -> None:
        """Start the average, and follow the config's learning rates."""
        if self.ema is not None:
            self.ema.start(self.network)
        self.loop.restore_configured_rates()

    def on_train_batch_start(self, batch: dict[str, Any], batch_index: int) -> None:
        """Make Lightning validate and log by this module's step count, also after a resume.

        This is the only place that sets private state of Lightning: `_batches_that_stepped` decides when it logs, and
        has no public setter. Its restored count of started batches decides when it validates, and is one too high if a
        batch had been started when the run was saved.
        """
        loop = self.trainer.fit_loop.epoch_loop
        loop.batch_progress.total.ready, loop._batches_that_stepped = self.step + 1, self.step

    def _write_logs(self, batch_size: int) -> None:
        values = {f"train/{name}": mean for name, mean in self.loop.logged_means().items()}
        self.log_dict(values | self._our_step(), prog_bar=True, batch_size=batch_size)
        if self.bad_steps.total:
            self.log("train/bad_steps", float(self.bad_steps.total), prog_bar=True, batch_size=batch_size)
        self.log("train/lr", self.loop.learning_rate, batch_size=batch_size)

    def _our_step(self) -> dict[str, float]:
        """Return the entry from which loggers take the step, in place of Lightning's own counter."""
        return {"step": float(self.step)}

    # --- validation ---

    def validation_step(self, batch: dict[str, Any], batch_index: int) -> Pictures:
        """Measure in full precision, as the network will be used."""
        with in_full(self.device):
            return self.measure(batch)

    def record_images(self, batch: dict[str, Any], metric: str, values: Tensor) -> None:
        """Keep a metric of each image until the validation ends."""
        for image, set_name, value in zip(batch["name"], batch["set"], values.tolist(), strict=True):
            self._records.setdefault(image, {})[qualified(set_name, metric)] = value

    def on_validation_epoch_end(self) -> None:
        """Average over the images of each set and of all ranks, counting each image once."""
        self.images, self._records = gather_records(self._records), {}
        summary = self.summarize(self.images)
        self.validations.append({"step": self.step} | summary)
        # As numbers, which Lightning moves to the device on which the ranks' backend can reduce them.
        self.log_dict(
            {f"val/{name}": value for name, value in summary.items()} | self._our_step(), sync_dist=True, prog_bar=True
        )

    # --- checkpoints ---

    def state_dict(self, *args: Any, **kwargs: Any) -> TrainedState:  # type: ignore[override] (torch: overloads)
        """Return the trained tensors, without frozen ones."""
        return under_generator(self.network.trainable_state()) | critics_state(self.critics)

    def load_state_dict(  # type: ignore[override] (torch returns the keys that did not fit; here they all must)
        self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False
    ) -> None:
        """Restore the trained tensors; names and shapes must match."""
        restore_generator({"state_dict": dict(state_dict)}, self.network)
        restore_critics(self.critics, state_dict)

    @cached_property
    def guide_prints(self) -> dict[str, str]:
        """The guides' fingerprints, which tell networks of equal settings and other weights apart."""
        return {name: fingerprint_of(network) for name, network in self.guides().items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add our own counters, the description of the networks, and, apart from the weights, their average."""
        checkpoint["dgsr"] = {
            "step": self.step,
            "position": self.position,
            "validations": self.validations,
            "description": self.description,
            "fingerprint": self.network.fingerprint(),
            "guides": self.guide_prints,
            "bad_steps": self.bad_steps.state_dict(),
        }
        if self.ema is not None:
            checkpoint["ema"] = under_generator(self.ema.average)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the counters, and the average if there is one."""
        ours = checkpoint["dgsr"]
        self.step, self.position, self.validations = ours["step"], ours["position"], list(ours["validations"])
        self.bad_steps.load_state_dict(ours["bad_steps"])
        if self.ema is not None and "ema" in checkpoint:
            self.ema.average = generator_state(checkpoint, "ema")


def as_training(module: lightning.LightningModule) -> TrainingModule:
    """Return the module, typed as one of this project."""
    assert isinstance(module, TrainingModule)
    return module
