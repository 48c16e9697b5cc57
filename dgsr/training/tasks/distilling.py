"""Distill the many steps of a denoiser into one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.metrics import Metric
from dgsr.models.backbones.interface import Latents
from dgsr.models.denoiser import Denoiser
from dgsr.training.loop.settings import Settings
from dgsr.training.tasks.diffusing import DenoiserTraining, Drawn
from dgsr.types import PromptEmbeddings


class DistillationTraining(DenoiserTraining):
    """Train a denoiser to predict in one step what its teacher predicts in several.

    The teacher's steps follow the deterministic path from the same noisy latents, so that the student learns one of
    the possible clean latents instead of the blurred mean of all.

    Args:
        denoiser: The student.
        teacher: The trained denoiser; frozen.
        metrics: See `DenoiserTraining`.
        settings: How the run trains.
        negative_prob: Probability that a sample is degraded and described by the negative prompt.
        empty_prob: Probability that a sample has the empty prompt.
        timestep: Timestep from which the student denoises.
        teacher_steps: Number of the teacher's steps from that timestep.

    Source: Luhman and Luhman, Knowledge distillation in iterative generative models, Sec. 3; the path is that of Song
    et al., Denoising diffusion implicit models, Eq. 12 with σ = 0.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        teacher: Denoiser,
        metrics: Mapping[str, Metric],
        settings: Settings,
        negative_prob: float = 0.25,
        empty_prob: float = 0.1,
        timestep: int = 250,
        teacher_steps: int = 5,
    ) -> None:
        expect(0 < teacher_steps <= timestep, f"task.teacher_steps of 1 to {timestep}", teacher_steps)
        super().__init__(denoiser, metrics, settings, negative_prob, empty_prob, timestep)
        self.teacher, self.teacher_steps = teacher.requires_grad_(False), teacher_steps

    def guides(self) -> dict[str, nn.Module]:
        """Return the teacher."""
        return {"task.teacher": self.teacher}

    def losses(self, drawn: Drawn) -> dict[str, Tensor]:
        """Return the mean squared distance from the teacher's clean latents."""
        timesteps = torch.full_like(drawn.timesteps, self.timestep)
        noisy = self.network.backbone.noisy(drawn.clean, drawn.noise, timesteps)
        with torch.no_grad():
            target = walk(self.teacher, noisy, drawn.prompt, self.timestep, self.teacher_steps)
        clean = self.network.clean(noisy, self.timestep, drawn.prompt)
        return {"distillation": (clean - target).float().square().mean()}


def walk(denoiser: Denoiser, noisy: Latents, prompt: PromptEmbeddings, timestep: int, steps: int) -> Latents:
    """Return the clean latents at the end of the deterministic path from a timestep, in steps of equal length."""
    clean = noisy
    for now, following in pairwise(round(timestep * (1 - step / steps)) for step in range(steps + 1)):
        clean = denoiser.clean(noisy, now, prompt)
        alpha_bar, next_alpha_bar = (denoiser.backbone.alpha_bar(each) for each in (now, following))
        noise = (noisy - math.sqrt(alpha_bar) * clean) / math.sqrt(1 - alpha_bar)
        noisy = math.sqrt(next_alpha_bar) * clean + math.sqrt(1 - next_alpha_bar) * noise
    return clean
