"""The training of the method: restore degraded images in one step, guided by scores of how they were degraded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn

from dgsr.checkpoints import save_pretrained
from dgsr.images import to_signed
from dgsr.inference import Upscaler
from dgsr.metrics import Metric
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import upsample
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.sample import Sample
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective
from dgsr.training.update import AlternatingUpdate, JointUpdate
from dgsr.types import Scores


class SuperResolution(TrainingModule):
    """Train a degradation-guided one-step generator.

    Args:
        generator: Its trainable tensors are what the run trains.
        estimator: Frozen; reads the scores off the degraded image.
        discriminator: None trains without an adversarial term.
        objective: The losses and the negative samples.
        update: How the networks are stepped.
        upscaler: The inference path that validation measures.
        metrics: What validation measures, by name.
        settings: How the run trains.
        scale: Pixels of the result per pixel of the degraded image, along each side.
        scores: `estimator`'s, or as an `oracle` the true strengths of the degradation, in training and in validation.

    Source: S3Diff Sec. 3; one step is counted where its training loop counts one batch.
    """

    generator: OneStepGenerator

    def __init__(
        self,
        generator: OneStepGenerator,
        estimator: DegradationEstimator,
        discriminator: nn.Module | None,
        objective: Objective,
        update: AlternatingUpdate | JointUpdate,
        upscaler: Callable[..., Upscaler],
        metrics: Mapping[str, Metric],
        settings: Settings,
        scale: int = 4,
        scores: Literal["estimator", "oracle"] = "estimator",
    ) -> None:
        super().__init__(generator, discriminator, metrics, settings)
        self.objective, self.update = objective, update
        self.estimator, self.scores = estimator.requires_grad_(False), scores
        self.upscaler = upscaler(generator=generator, estimator=estimator, scale=scale)

    def guides(self) -> dict[str, nn.Module]:
        """Return the estimator too."""
        return super().guides() | {"estimator": self.estimator}

    def optimise(self, batch: dict[str, Any]) -> None:
        """Estimate the degradation, then let the update mix negatives, reconstruct, fool and discriminate."""
        self.update(self, self.micro_batches(self.prepare(batch)))

    def prepare(self, batch: dict[str, Any]) -> Sample:
        """Bring a batch into the networks' range and read its scores off the degraded images."""
        lq_up = upsample(batch["lq"], self.upscaler.scale)
        return Sample(to_signed(batch["hq"]), to_signed(lq_up), self.scores_of(batch), batch["seed"])

    @torch.no_grad()
    def scores_of(self, batch: dict[str, Any]) -> Scores:
        """Read the scores off the degraded images; an oracle knows better, wherever the truth is known."""
        scores = self.estimator(batch["lq"])
        return torch.where(batch["truth"].isnan(), scores, batch["truth"]) if self.scores == "oracle" else scores

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Upscale, and measure every image; before the first step also what bicubic resizing gives."""
        scores = self.scores_of(batch)
        sr = self.upscaler(batch["lq"], scores)
        bicubic = upsample(batch["lq"], self.upscaler.scale)
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
            if self.step == 0:
                self.record_images(batch, f"bicubic/{name}", metric(bicubic, batch["hq"]))
        return {"lq": batch["lq"], "scores": scores, "bicubic": bicubic, "sr": sr, "hq": batch["hq"]}

    def columns(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Show lq_up, sr, what each of the two prompts gives alone, and hq of one image."""
        alone = {"positive": 1.0, "negative": 0.0}  # guidance that lets one prompt act alone
        by_prompt = {
            prompt: self._guided(guidance)(found["lq"], found["scores"][None]) for prompt, guidance in alone.items()
        }
        return {"lq_up": found["bicubic"], "sr": found["sr"], **by_prompt, "hq": found["hq"]}

    def _guided(self, guidance: float) -> Upscaler:
        other = copy.copy(self.upscaler)
        other.guidance = guidance
        return other

    def export(self, folder: Path, step: int) -> None:
        """Write a folder that `dgsr upscale --model` takes."""
        inference = {"scale": self.upscaler.scale, "guidance": self.upscaler.guidance}
        save_pretrained(self.generator, folder, estimator=self.upscaler.estimator, **inference)


def restoration_of(module: lightning.LightningModule) -> SuperResolution:
    """Return the module as one that restores, for what makes sense for no other."""
    assert isinstance(module, SuperResolution)
    return module
