"""Upscale images: the one path that validation, evaluation and the command line share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checkpoints.loading import BUNDLED, Model, load_model
from dgsr.checks import expect, refuse
from dgsr.images import crop_to, from_pixels, pad_to_multiple, to_pixels, to_signed, to_unit
from dgsr.inference.devices import device_of
from dgsr.inference.finite import expect_finite
from dgsr.inference.scores import estimate
from dgsr.inference.tiled import OVERLAP_PX, ColorFix, TiledUpscaling
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.color import adain_color_fix, wavelet_color_fix
from dgsr.ops.precision import Precision, computing_in
from dgsr.ops.resizing import enlarged, upsample
from dgsr.seeds import torch_generator
from dgsr.types import Image, Images, Pixels, Scores

_COLOR_FIXES = {"wavelet": wavelet_color_fix, "adain": adain_color_fix}


class Upscaler:
    """Estimate the degradation of an image, undo it in one step, and keep the image's colours.

    Args:
        generator: The trained generator, with its prompts.
        estimator: Estimates the scores of the image at native size.
        scale: Output pixels per input pixel, along each side.
        color_fix: Method that matches the output's colours to the input's.
        guidance: Classifier-free guidance; 1 is the positive prompt alone and skips the negative pass.
        seed: Seed of each image's noise, where the generator samples the posterior of its encoder.
        tile: Side in px of the tiles of larger outputs, a multiple of the generator's; 0 disables tiling.
        precision: What the networks compute in, by autocast: fp32, bf16 or, on GPUs, fp16. Scores, correction and
            colours are in fp32 all the same, in fp16 also the autoencoder.
        on_progress: Called after each tile with the share of the work that is done.
        strengths: How strongly each adapter acts, by name; 1 unless named.

    Source: S3Diff Sec. 3.5 and its published inference settings.
    """

    def __init__(
        self,
        generator: OneStepGenerator,
        estimator: DegradationEstimator,
        scale: int | float = 4,
        color_fix: ColorFix = "wavelet",
        guidance: float = 1.07,
        seed: int = 0,
        tile: int = 0,
        precision: Precision = "fp32",
        on_progress: Callable[[float], object] = lambda share: None,
        strengths: Mapping[str, float] | None = None,
    ) -> None:
        self.generator, self.estimator = generator, estimator
        self.scale, self.guidance, self.seed, self.tile = scale, guidance, seed, tile
        self.color_fix: ColorFix = color_fix
        self.precision: Precision = precision
        self.on_progress, self.strengths = on_progress, strengths

    @classmethod
    def from_pretrained(
        cls, source: str | Path = BUNDLED, *, device: str | torch.device | None = None, **settings: Any
    ) -> Upscaler:
        """Load a model and build the upscaler over it.

        Args:
            source: An exported folder or the hub id of one, a training checkpoint, or the small model in the package.
            device: None is the first GPU, if there is one.
            settings: Arguments of the class; scale and guidance are the model's own unless given.

        Raises:
            UserError: There is no such model or device, or it lacks an estimator.
        """
        return cls.from_model(load_model(source), device or "auto", **settings)

    @classmethod
    def from_model(cls, model: Model, device: str | torch.device = "auto", **settings: Any) -> Upscaler:
        """Move a model to a device and build the upscaler over it.

        Args:
            model: As `load_model` returns it.
            device: Where it runs; `auto` is the first GPU, if there is one.
            settings: Arguments of the class; scale and guidance default to the model's own.

        Raises:
            UserError: There is no such device, or the model has no estimator.
        """
        place, estimator = device_of(device), expect_estimator(model)
        networks = model.generator.to(place).eval(), estimator.to(place).eval()
        return cls(*networks, **{"scale": model.scale, "guidance": model.guidance} | settings)

    def at(self, **changes: Any) -> Upscaler:
        """Return a copy with other settings, over the same networks."""
        changed = copy.copy(self)
        for name, value in changes.items():
            setattr(changed, name, value)
        return changed

    @torch.no_grad()
    def __call__(self, image: Float[Tensor, "*b 3 h w"], scores: Scores | None = None) -> Float[Tensor, "*b 3 H W"]:
        """Upscale one image or a batch of equal size, both in [0, 1]; the result is clamped.

        Args:
            image: The degraded image or images, on any device, to which the result comes back.
            scores: Degradation to undo; the estimator's by default.
        """
        lq = image if image.dim() == 4 else image[None]
        height, width = enlarged((lq.shape[-2], lq.shape[-1]), self.scale)
        if self.whole(height, width):
            on_device = lq.to(self.device)
            read: Scores = self.estimator(on_device) if scores is None else scores.to(self.device)
            sr = self._restore(upsample(on_device, self.scale), read).clamp(0, 1).to(lq.device)
        else:
            sr = lq.new_empty(len(lq), 3, height, width)
            for index, (source, target) in enumerate(zip(lq, sr, strict=True)):
                self.fill(target, source, None if scores is None else scores[index : index + 1])
        return sr if image.dim() == 4 else sr[0]

    @torch.no_grad()
    def fill(self, out: Pixels, lq: Pixels, scores: Float[Tensor, "1 2"] | None = None) -> None:
        """Upscale an image into existing pixels, in little more memory than one tile takes.

        Args:
            out: Receives the result; of the size that the scale gives, and of as many channels as `lq`.
            lq: Grey or RGB, with 8 or 16 bits or in [0, 1], on any device.
            scores: As for a call.

        Raises:
            UserError: The networks return NaN. (A call returns NaN when untiled, so that training can detect it.)
        """
        if self.whole(out.shape[-2], out.shape[-1]):
            image = from_pixels(lq).to(self.device).expand(1, 3, -1, -1)
            put(out, self(image, scores)[0])
            return
        scores = estimate(self.estimator, lq) if scores is None else scores.to(self.device)
        correction = self.generator.correction(scores, self.strengths)
        settings = (self.tile, self.guidance, self.color_fix, self.seed, self.precision, self.on_progress)
        TiledUpscaling(self.generator, lq, out, correction, *settings).run()

    def whole(self, height: int, width: int) -> bool:
        """Whether an output of this size is computed in one piece."""
        return self.tile == 0 or max(height, width) <= self.tile

    @property
    def tile(self) -> int:
        """Side of the tiles in px, or 0."""
        return self._tile

    @tile.setter
    def tile(self, tile: int) -> None:
        multiple = self.generator.multiple
        fits = tile == 0 or (tile > OVERLAP_PX and tile % multiple == 0)
        expected = f"0 or a multiple of {multiple} above {OVERLAP_PX} for tile"
        expect(fits, expected, tile, "Tiles overlap, and both networks halve their sides.")
        self._tile = tile

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.generator.parameters()).device

    def _restore(self, lq_up: Images, scores: Scores) -> Images:
        padded, size = pad_to_multiple(lq_up, self.generator.multiple)
        prompts = self.generator.prompts
        noise = [torch_generator(self.seed, "posterior", padded.device) for _ in padded]
        step = (prompts.positive, prompts.negative, self.guidance, noise, self.strengths)
        with computing_in(self.precision, padded.device):
            sr = self.generator(to_signed(padded), scores, *step)
        sr = crop_to(to_unit(sr.to(lq_up.dtype)), size)
        return sr if self.color_fix == "none" else _COLOR_FIXES[self.color_fix](sr, lq_up)


def expect_estimator(model: Model) -> DegradationEstimator:
    """Return the model's estimator.

    Raises:
        UserError: It has none.
    """
    if model.estimator is None:
        remedy = (
            "Name its weight file: --estimator FILE, or estimator_path=FILE of evaluate.py. "
            "`dgsr convert` keeps it with the model."
        )
        refuse("a degradation estimator with the model", "none", remedy)
    return model.estimator


def put(out: Pixels, sr: Image) -> None:
    """Write a result in [0, 1] into grey or RGB pixels.

    Raises:
        UserError: It holds NaN, as from broken weights.
    """
    expect_finite(sr)
    out[:] = to_pixels(sr if len(out) == 3 else sr.mean(dim=0, keepdim=True), out.dtype)
