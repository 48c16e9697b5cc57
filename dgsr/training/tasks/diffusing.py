"""Train a denoiser: the second half of your own backbone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dgsr.checks import expect
from dgsr.images import to_signed, to_unit
from dgsr.metrics import Metric
from dgsr.models.backbones.interface import Latents, Timesteps
from dgsr.models.denoiser import Denoiser
from dgsr.ops.resizing import upsample
from dgsr.seeds import rng, torch_generator
from dgsr.training.loop.interface import Loop
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.sample import Sample, flip
from dgsr.training.loop.settings import Settings
from dgsr.types import PromptEmbeddings, Seeds


@dataclass(frozen=True)
class Drawn:
    """A micro batch of the denoiser: clean latents, the noise and timestep drawn for each, and the prompts."""

    clean: Latents
    noise: Latents
    timesteps: Timesteps
    prompt: PromptEmbeddings


class DenoiserTraining(TrainingModule):
    """Train a denoiser over all timesteps, on latents of sharp images and, under the negative prompt, of degraded ones.

    Validation denoises sharp images in one step, from the one timestep at which a generator will use the network.

    Args:
        denoiser: The network to train.
        metrics: Metrics of the denoised images in validation, by name.
        settings: How the run trains.
        negative_prob: Probability that a sample is degraded and described by the negative prompt.
        empty_prob: Probability that a sample has the empty prompt.
        timestep: Timestep from which validation denoises.

    Source: Ho et al., Denoising diffusion probabilistic models, Alg. 1; Salimans and Ho, Progressive distillation,
    App. D (v-prediction).
    """

    network: Denoiser

    def __init__(
        self,
        denoiser: Denoiser,
        metrics: Mapping[str, Metric],
        settings: Settings,
        negative_prob: float = 0.25,
        empty_prob: float = 0.1,
        timestep: int = 250,
    ) -> None:
        for name, value in {"negative_prob": negative_prob, "empty_prob": empty_prob}.items():
            expect(0 <= value <= 1, f"task.{name} within 0 and 1", value)
        steps = denoiser.num_timesteps
        expect(0 <= timestep < steps, f"task.timestep of 0 to {steps - 1}", timestep)
        super().__init__(denoiser, None, metrics, settings)
        self.negative_prob, self.empty_prob, self.timestep = negative_prob, empty_prob, timestep

    def optimize(self, batch: dict[str, Any], loop: Loop) -> None:
        """Add noise to latents, and predict it."""
        samples = loop.micro_batches(self.prepare(batch))
        with loop.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                backward(self.losses(self.draw(sample)))

    def prepare(self, batch: dict[str, Any]) -> Sample:
        """Convert a batch to the networks' range."""
        lq_up = upsample(batch["lq"], batch["hq"].shape[-2] // batch["lq"].shape[-2])
        return Sample(to_signed(batch["hq"]), to_signed(lq_up), None, batch["seed"])

    def losses(self, drawn: Drawn) -> dict[str, Tensor]:
        """Return the mean squared error of the prediction."""
        noisy = self.network.backbone.noisy(drawn.clean, drawn.noise, drawn.timesteps)
        target = self.network.backbone.target(drawn.clean, drawn.noise, drawn.timesteps)
        predicted = self.network(noisy, drawn.timesteps, drawn.prompt)
        return {"denoising": (predicted.float() - target).square().mean()}

    def draw(self, sample: Sample) -> Drawn:
        """Draw noise, timestep and prompt of each image, as a function of its seed."""
        negative, empty = flip(sample.seeds, "prompt", self.negative_prob, self.empty_prob)
        clean = self.network.encode(torch.where(negative[:, None, None, None], sample.lq_up, sample.hq))
        noise, timesteps = _noise(sample.seeds, clean), self._timesteps(sample.seeds)
        return Drawn(clean, noise, timesteps, self.network.prompt(negative, empty))

    def _timesteps(self, seeds: Seeds) -> Timesteps:
        count = self.network.num_timesteps
        drawn = [int(rng(int(seed), "timestep").integers(count)) for seed in seeds]
        return torch.tensor(drawn, device=seeds.device)

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Denoise images in one step, under the positive prompt, and measure the result."""
        clean = self.network.encode(to_signed(batch["hq"]))
        timesteps = torch.full_like(batch["seed"], self.timestep)
        noisy = self.network.backbone.noisy(clean, _noise(batch["seed"], clean), timesteps)
        denoised = self.network.clean(noisy, self.timestep, self.network.prompts.positive)
        sr = to_unit(self.network.decode(denoised))
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
        self.record_images(batch, "latent_mse", (denoised - clean).square().mean(dim=(1, 2, 3)))
        return {"noisy": to_unit(self.network.decode(noisy)), "sr": sr, "hq": batch["hq"]}

    def export(self, folder: Path, step: int) -> None:
        """Write a backbone that `generator.path` reads."""
        self.network.save(folder)


def _noise(seeds: Seeds, like: Latents) -> Latents:
    """Draw normal noise for each sample from its seed."""
    drawn = [torch.randn(like.shape[1:], generator=torch_generator(int(seed), "diffusion")) for seed in seeds]
    return torch.stack(drawn).to(like)
