"""Upscale images: the one path that validation, evaluation and the command line share."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.images import crop_to, pad_to_multiple, to_signed, to_unit
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.color import adain_color_fix, wavelet_color_fix
from dgsr.ops.resizing import upsample
from dgsr.seeds import torch_generator
from dgsr.types import Images

_COLOR_FIXES = {"wavelet": wavelet_color_fix, "adain": adain_color_fix}


class Upscaler:
    """Estimate the degradation of an image, undo it in one step, and keep the image's colours.

    Args:
        generator: The trained generator, with its prompts.
        estimator: Reads the scores off the image at native size.
        scale: Output pixels per input pixel, along each side.
        color_fix: How the output takes its low frequencies from the input.
        guidance: Classifier-free guidance; 1 is the positive prompt alone and skips the negative pass.
        seed: Of each call's noise, where the generator samples the posterior of its encoder.

    Source: S3Diff Sec. 3.5 and its published inference settings.
    """

    def __init__(
        self,
        generator: OneStepGenerator,
        estimator: DegradationEstimator,
        scale: int = 4,
        color_fix: Literal["wavelet", "adain", "none"] = "wavelet",
        guidance: float = 1.07,
        seed: int = 0,
    ) -> None:
        self.generator, self.estimator = generator, estimator
        self.scale, self.color_fix, self.guidance, self.seed = scale, color_fix, guidance, seed

    @torch.no_grad()
    def __call__(self, image: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 H W"]:
        """Upscale one image or a batch of equal size, both in [0, 1]; the result is clamped."""
        lq = image if image.dim() == 4 else image[None]
        lq_up = upsample(lq, self.scale)
        sr = self._restore(lq_up, self.estimator(lq)).clamp(0, 1)
        return sr if image.dim() == 4 else sr[0]

    def _restore(self, lq_up: Images, scores: Float[Tensor, "b 2"]) -> Images:
        padded, size = pad_to_multiple(lq_up, self.generator.multiple)
        prompts, noise = self.generator.prompts, torch_generator(self.seed, "posterior", padded.device)
        sr = self.generator(to_signed(padded), scores, prompts.positive, prompts.negative, self.guidance, noise)
        sr = crop_to(to_unit(sr).to(lq_up.dtype), size)
        return sr if self.color_fix == "none" else _COLOR_FIXES[self.color_fix](sr, lq_up)
