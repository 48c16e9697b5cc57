"""Train the method: restore degraded images in one step, guided by scores of how they were degraded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn

from dgsr.checkpoints import save_pretrained
from dgsr.checks import expect
from dgsr.images import to_signed
from dgsr.inference import Upscaler
from dgsr.losses import Attempt
from dgsr.metrics import Metric
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import upsample
from dgsr.training.critics.interface import Critic, active_critics, judge_all, train_critics
from dgsr.training.loop.interface import Loop
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.sample import Request, Sample, flip
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective
from dgsr.types import Scores

UPDATES = ("joint", "alternating")


class SuperResolution(TrainingModule):
    """Train a degradation-guided one-step generator.

    Args:
        generator: Its trainable tensors are trained.
        estimator: Frozen; estimates the scores of degraded images.
        critics: Critics of the generator's images by name; without any, only the objective is minimized.
        objective: The losses and the share of negative samples.
        update: `joint`: one generator step and one forward for objective and critics; `alternating`: a step for the
            objective, then one for the critics, as in the paper's program.
        upscaler: The inference path that validation measures.
        metrics: Metrics of the validation by name.
        settings: How the run trains.
        scale: Pixels of the result per pixel of the degraded image, along each side.
        scores: `estimator`, or `oracle` for the true strengths of the degradation, in training and in validation.

    Source: S3Diff Sec. 3; one step is one batch of its training loop.
    """

    network: OneStepGenerator

    def __init__(
        self,
        generator: OneStepGenerator,
        estimator: DegradationEstimator,
        critics: Mapping[str, Critic | None] | None,
        objective: Objective,
        update: str,
        upscaler: Callable[..., Upscaler],
        metrics: Mapping[str, Metric],
        settings: Settings,
        scale: int = 4,
        scores: Literal["estimator", "oracle"] = "estimator",
    ) -> None:
        expect(update in UPDATES, f"update among {', '.join(UPDATES)}", update)
        super().__init__(generator, critics, metrics, settings)
        self.objective, self.update = objective, update
        self.estimator, self.scores = estimator.requires_grad_(False), scores
        self.upscaler = upscaler(generator=generator, estimator=estimator, scale=scale)

    def optimize(self, batch: dict[str, Any], loop: Loop) -> None:
        """Estimate scores, step the generator on the losses of the objective and the critics, and train the critics.

        Source: S3Diff's training loop (alternating). Differs from its program: no gradient leaks from one step into
        another. Differs from the paper (joint): one forward on the positive prompt serves objective and critics, which
        halves the cost; only negative samples take a second one.
        """
        samples = loop.micro_batches(self.prepare(batch))
        critics, attempts = active_critics(self.critics, loop.step), list[Attempt]()
        is_joint = self.update == "joint" and bool(critics)
        with loop.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                request = self.draw_request(sample)
                if is_joint:
                    attempt = self.restore(sample, loop.step)
                    mixed = self.replace_negatives(attempt, sample, request)
                    backward(self.objective(mixed) | judge_all(critics, attempt))
                    attempts.append(attempt.detach())
                else:
                    backward(self.objective(self.restore(sample, loop.step, request)))
        if critics and not is_joint:
            with loop.optimizing("generator", len(samples)) as backward:
                for sample in samples:
                    attempt = self.restore(sample, loop.step)
                    backward(judge_all(critics, attempt))
                    attempts.append(attempt.detach())
        train_critics(critics, attempts, loop)

    def prepare(self, batch: dict[str, Any]) -> Sample:
        """Convert a batch to the networks' range, and estimate its scores."""
        lq_up = upsample(batch["lq"], self.upscaler.scale)
        return Sample(to_signed(batch["hq"]), to_signed(lq_up), self.scores_of(batch), batch["seed"])

    @torch.no_grad()
    def scores_of(self, batch: dict[str, Any]) -> Scores:
        """Estimate the scores of degraded images; as an oracle, take the true ones where they are known."""
        scores = self.estimator(batch["lq"])
        return torch.where(batch["truth"].isnan(), scores, batch["truth"]) if self.scores == "oracle" else scores

    def draw_request(self, sample: Sample) -> Request:
        """Draw the negative samples, which follow the negative prompt towards the degraded image (S3Diff Sec. 3.3)."""
        (negative,), prompts = flip(sample.seeds, "negative", self.objective.negative_prob), self.network.prompts
        prompt = torch.where(negative[:, None, None], prompts.negative, prompts.positive)
        return Request(negative, prompt, torch.where(negative[:, None, None, None], sample.lq_up, sample.hq))

    def restore(self, sample: Sample, step: int, request: Request | None = None) -> Attempt:
        """Run the generator as requested; by default with the positive prompt and the sharp image as target."""
        prompt = self.network.prompts.positive if request is None else request.prompt
        assert sample.scores is not None
        latent, sr = self.network.restore(sample.lq_up, sample.scores, prompt, noise=sample.noise())
        target = sample.hq if request is None else request.target
        return Attempt(sr, target, sample.lq_up, sample.scores, latent, sample.seeds, step, sample.hq)

    def replace_negatives(self, attempt: Attempt, sample: Sample, request: Request) -> Attempt:
        """Restore the negative samples of a positive attempt again, as requested."""
        rows = request.is_negative.nonzero()[:, 0]
        if len(rows) == 0:
            return replace(attempt, target=request.target)
        negatives = Request(request.is_negative[rows], request.prompt[rows], request.target[rows])
        again = self.restore(sample.rows(rows), attempt.step, negatives)
        mixed = {
            name: torch.index_copy(positive, 0, rows, getattr(again, name).to(positive.dtype))
            for name, positive in {"sr": attempt.sr, "latent": attempt.latent}.items()
            if positive is not None
        }
        return replace(attempt, target=request.target, **mixed)

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Upscale, and measure every image; before the first step also the bicubic enlargement."""
        scores = self.scores_of(batch)
        sr = self.upscaler(batch["lq"], scores)
        bicubic = upsample(batch["lq"], self.upscaler.scale)
        for name, metric in self.metrics.items():
            self.record_images(batch, name, metric(sr, batch["hq"]))
            if self.step == 0:
                self.record_images(batch, f"bicubic/{name}", metric(bicubic, batch["hq"]))
        return {"lq": batch["lq"], "scores": scores, "bicubic": bicubic, "sr": sr, "hq": batch["hq"]}

    def columns(self, pictures: dict[str, Tensor]) -> dict[str, Tensor]:
        """Show lq_up, sr, the result of each prompt alone, and hq of one image."""
        alone = {"positive": 1.0, "negative": 0.0}  # guidance scale at which only one prompt acts
        lq, scores = pictures["lq"], pictures["scores"][None]
        by_prompt = {prompt: self.upscaler.at(guidance=guidance)(lq, scores) for prompt, guidance in alone.items()}
        return {"lq_up": pictures["bicubic"], "sr": pictures["sr"], **by_prompt, "hq": pictures["hq"]}

    def guides(self) -> dict[str, nn.Module]:
        """Return the estimator too."""
        return super().guides() | {"estimator": self.estimator}

    @property
    def generator(self) -> OneStepGenerator:
        """The network, by the name that it has in the method."""
        return self.network

    def export(self, folder: Path, step: int) -> None:
        """Write a folder that `dgsr upscale --model` reads."""
        inference = {"scale": self.upscaler.scale, "guidance": self.upscaler.guidance}
        save_pretrained(self.network, folder, estimator=self.upscaler.estimator, **inference)


def as_restoration(module: lightning.LightningModule) -> SuperResolution:
    """Return the module, typed as one that trains restoration."""
    assert isinstance(module, SuperResolution)
    return module
