"""The training of a denoiser: the second half of making one's own backbone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dgsr.checks import expect
from dgsr.images import to_signed, to_unit
from dgsr.metrics import Metric
from dgsr.models.denoiser import Denoiser, Timesteps
from dgsr.models.denoising import Latents
from dgsr.ops.resizing import resize
from dgsr.seeds import rng, torch_generator
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.settings import Settings
from dgsr.types import PromptEmbeddings, Seeds


@dataclass(frozen=True)
class Drawn:
    """A micro batch of the denoiser: latents, what is drawn for each, and the prompts that go with them."""

    clean: Latents
    noise: Latents
    timesteps: Timesteps
    prompt: PromptEmbeddings


class DenoiserTraining(TrainingModule):
    """Train a denoiser over all timesteps, on latents of sharp images and, under the negative prompt, of degraded ones.

    Validation denoises sharp images in one step, from the one timestep at which a generator will use the network.

    Args:
        denoiser: What is trained.
        metrics: What validation measures of denoised images, by name.
        settings: How the run trains.
        negative_prob: Probability that a sample is degraded, and called by the negative prompt.
        empty_prob: Probability that a sample is called by no prompt.
        timestep: At which validation denoises.

    Source: Ho et al., Denoising diffusion probabilistic models, Alg. 1; Salimans and Ho, Progressive distillation,
    App. D (v-prediction).
    """

    generator: Denoiser

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
        steps = len(denoiser.alpha_bars)
        expect(0 <= timestep < steps, f"task.timestep of 0 to {steps - 1}", timestep)
        super().__init__(denoiser, None, metrics, settings)
        self.negative_prob, self.empty_prob, self.timestep = negative_prob, empty_prob, timestep

    def optimise(self, batch: dict[str, Any]) -> None:
        """Add noise, and ask for it back."""
        pieces = list(self.draw(batch))
        with self.optimizing("generator", len(pieces)) as backward:
            for drawn in pieces:
                backward(self.losses(drawn))

    def losses(self, drawn: Drawn) -> dict[str, Tensor]:
        """Return the mean squared error of the prediction."""
        noisy = self.generator.noisy(drawn.clean, drawn.noise, drawn.timesteps)
        wanted = self.generator.wanted(drawn.clean, drawn.noise, drawn.timesteps)
        predicted = self.generator(noisy, drawn.timesteps, drawn.prompt)
        return {"denoising": (predicted.float() - wanted).square().mean()}

    def draw(self, batch: dict[str, Any]) -> Iterator[Drawn]:
        """Cut a batch into micro batches; everything drawn for a sample is a function of its seed."""
        size = self.micro_size(len(batch["seed"]))
        for hq, lq, seeds in zip(*(batch[name].split(size) for name in ("hq", "lq", "seed")), strict=True):
            draws = [rng(int(seed), "prompt") for seed in seeds]
            negative, none = (
                torch.tensor([draw.random() < share for draw in draws], device=hq.device)
                for share in (self.negative_prob, self.empty_prob)
            )
            shown = torch.where(negative[:, None, None, None], resize(lq, tuple(hq.shape[-2:]), "bicubic"), hq)
            clean = self.generator.encode(to_signed(shown))
            yield Drawn(clean, _noise(seeds, clean), self._timesteps(seeds), self.generator.prompt(negative, none))

    def _timesteps(self, seeds: Seeds) -> Timesteps:
        count = len(self.generator.alpha_bars)
        drawn = [int(rng(int(seed), "timestep").integers(count)) for seed in seeds]
        return torch.tensor(drawn, device=seeds.device)

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Denoise images in one step, under the positive prompt, and measure what comes out."""
        clean = self.generator.encode(to_signed(batch["hq"]))
        timesteps = torch.full_like(batch["seed"], self.timestep)
        noisy = self.generator.noisy(clean, _noise(batch["seed"], clean), timesteps)
        found = self.generator.clean(noisy, self.timestep, self.generator.prompts.positive)
        sr = to_unit(self.generator.decode(found))
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
        self.record_images(batch, "latent_mse", (found - clean).square().mean(dim=(1, 2, 3)))
        return {"noisy": to_unit(self.generator.decode(noisy)), "sr": sr, "hq": batch["hq"]}

    def export(self, folder: Path, step: int) -> None:
        """Write a backbone that `generator.path` takes."""
        self.generator.save(folder)


def _noise(seeds: Seeds, like: Latents) -> Latents:
    """Draw normal noise for each sample from its seed."""
    drawn = [torch.randn(like.shape[1:], generator=torch_generator(int(seed), "diffusion")) for seed in seeds]
    return torch.stack(drawn).to(like)
