"""Train an autoencoder: the first half of your own backbone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dgsr.checks import expect
from dgsr.images import to_signed, to_unit
from dgsr.losses import Attempt
from dgsr.metrics import Metric
from dgsr.models.autoencoder import Autoencoder
from dgsr.training.critics.interface import Critic, active_critics, judge_all, train_critics
from dgsr.training.loop.interface import Loop
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.sample import Sample
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective

_DEVIATION = "latent_std"


class AutoencoderTraining(TrainingModule):
    """Train an autoencoder on sharp images with reconstruction, KL and adversarial losses.

    Args:
        autoencoder: The network to train.
        critics: Critics of the reconstructions by name; without any, only the objective is minimized.
        objective: The losses; no sample is negative.
        metrics: Metrics of the reconstructions in validation, by name.
        settings: How the run trains.
        kl_weight: Weight of the posteriors' divergence from the normal distribution, in nats per number of the image.

    Source: Rombach et al., High-resolution image synthesis with latent diffusion models, App. G.
    """

    network: Autoencoder

    def __init__(
        self,
        autoencoder: Autoencoder,
        critics: Mapping[str, Critic | None] | None,
        objective: Objective,
        metrics: Mapping[str, Metric],
        settings: Settings,
        kl_weight: float = 1e-6,
    ) -> None:
        expect(kl_weight >= 0, "task.kl_weight of 0 or more", kl_weight)
        super().__init__(autoencoder, critics, metrics, settings)
        self.objective, self.kl_weight = objective, kl_weight

    def optimize(self, batch: dict[str, Any], loop: Loop) -> None:
        """Step the autoencoder on the losses of the objective and the critics, then train the critics."""
        hq = to_signed(batch["hq"])
        samples = loop.micro_batches(Sample(hq, hq, None, batch["seed"]))
        critics, attempts = active_critics(self.critics, loop.step), list[Attempt]()
        with loop.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                sr, divergence = self.network(sample.hq, sample.noise())
                attempt = Attempt(sr, sample.hq, sample.lq_up, None, None, sample.seeds, loop.step, sample.hq)
                kl = {"kl": self.kl_weight * divergence.mean() / sample.hq[0].numel()}
                backward(self.objective(attempt) | kl | judge_all(critics, attempt))
                if critics:
                    attempts.append(attempt.detach())
        train_critics(critics, attempts, loop)

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Measure reconstructions, and the deviation of the latents."""
        latents = self.network.encode(to_signed(batch["hq"]))
        sr = to_unit(self.network.decode(latents))
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
        self.record_images(batch, _DEVIATION, latents.std(dim=(1, 2, 3)))
        return {"sr": sr, "hq": batch["hq"]}

    def export(self, folder: Path, step: int) -> None:
        """Write `vae/`, a part of a diffusers folder; its scale brings the latents of this step to unit deviation."""
        validation = next((values for values in reversed(self.validations) if values["step"] <= step), {})
        deviations = [value for name, value in validation.items() if name.rpartition("/")[2] == _DEVIATION]
        deviations = deviations or self._measured_deviations()
        self.network.save(folder / "vae", len(deviations) / sum(deviations))

    @torch.no_grad()
    def _measured_deviations(self) -> list[float]:
        """Encode the validation images of a run that has not validated."""
        pairs = self.trainer.datamodule.val_pairs  # type: ignore[attr-defined] (Lightning sets it at run time)
        images = (to_signed(pairs[index]["hq"][None].to(self.device)) for index in range(len(pairs)))
        return [float(self.network.encode(image).std()) for image in images]
