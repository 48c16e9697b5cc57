"""The training of an autoencoder: the first half of making one's own backbone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from dgsr.checks import expect
from dgsr.images import to_signed, to_unit
from dgsr.metrics import Metric
from dgsr.models.autoencoder import Autoencoder
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.sample import Sample
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective
from dgsr.training.update import discriminate, judge_of

_DEVIATION = "latent_std"


class AutoencoderTraining(TrainingModule):
    """Train an autoencoder on sharp images: reconstruction, a little divergence, and later realism.

    Args:
        autoencoder: What is trained.
        discriminator: None trains without an adversarial term.
        objective: The losses; no sample is negative.
        metrics: What validation measures of reconstructions, by name.
        kl_weight: Of the divergence of the posteriors from the normal distribution, in nats a number of the image.
        settings: How the run trains.

    Source: Rombach et al., High-resolution image synthesis with latent diffusion models, App. G.
    """

    generator: Autoencoder

    def __init__(
        self,
        autoencoder: Autoencoder,
        discriminator: nn.Module | None,
        objective: Objective,
        metrics: Mapping[str, Metric],
        settings: Settings,
        kl_weight: float = 1e-6,
    ) -> None:
        expect(kl_weight >= 0, "task.kl_weight of 0 or more", kl_weight)
        super().__init__(autoencoder, discriminator, metrics, settings)
        self.objective, self.kl_weight = objective, kl_weight

    def optimise(self, batch: dict[str, Any]) -> None:
        """Reconstruct and fool in one step, then discriminate."""
        hq = to_signed(batch["hq"])
        samples = self.micro_batches(Sample(hq, hq, batch["truth"], batch["seed"]))
        judge, fakes = judge_of(self), []
        with self.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                sr, divergence = self.generator(sample.hq, sample.noise())
                losses = self.objective.reconstruct(sr, sample.hq, sample.seeds)
                losses["kl"] = self.kl_weight * divergence.mean() / sample.hq[0].numel()
                if judge is not None:
                    losses |= self.objective.adversarial.fool(judge, sample, sr, self.step)
                    fakes.append(sr.detach())
                backward(losses)
        if judge is not None:
            discriminate(self, judge, samples, fakes)

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Measure reconstructions, and the deviation of the latents."""
        latents = self.generator.encode(to_signed(batch["hq"]))
        sr = to_unit(self.generator.decode(latents))
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
        self.record_images(batch, _DEVIATION, latents.std(dim=(1, 2, 3)))
        return {"sr": sr, "hq": batch["hq"]}

    def export(self, folder: Path, step: int) -> None:
        """Write `vae/`, the part of a diffusers folder; the scale of its latents is that of the step's validation."""
        found = next(found for found in reversed(self.validations) if found["step"] <= step)
        deviations = [value for name, value in found.items() if name.rpartition("/")[2] == _DEVIATION]
        self.generator.save(folder / "vae", len(deviations) / sum(deviations))
