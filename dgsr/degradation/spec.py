"""Specs: the ranges and probabilities from which a degradation is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dgsr.checks import expect
from dgsr.degradation.extra import ExtraOperator, freeze_lists

Numbers: TypeAlias = Sequence[float | int]

#: The lowest and the highest value that can be drawn.
Range: TypeAlias = Numbers

#: The kinds of kernel, in the order of `StageSpec.kind_probs`.
KINDS = ("iso", "aniso", "generalized_iso", "generalized_aniso", "plateau_iso", "plateau_aniso")


@dataclass(frozen=True)
class StageSpec:
    """One stage of blur, resize, noise and compression. All ranges are drawn from uniformly.

    Attributes:
        blur_prob: Probability of a blur.
        kernel_size_range: Smallest and largest size of kernels, both odd.
        kind_probs: Probability of each of `KINDS`.
        sinc_prob: Probability that a sinc filter replaces these kernels.
        sigma_range: Standard deviations, in pixels.
        generalized_beta_range: Shape of generalised Gaussians; half of the draws are below 1, half above.
        plateau_beta_range: The same for plateaus.
        resize_probs: Probabilities of up, down and keep.
        resize_range: Smallest factor of down, largest of up; relative to the size of `lq` in the last stage, else to
            the size of the image.
        noise_prob: Probability of noise.
        gaussian_prob: Probability that the noise is Gaussian, and not Poisson noise.
        gaussian_range_255: Standard deviations, in grey levels.
        poisson_range: Scales of Poisson noise.
        grey_prob: Probability that the noise is the same in all channels.
        codec_prob: Probability of a compression.
        jpeg_range: Qualities, from 1 to 100, of all codecs.
        salt_pepper_prob: Probability that some pixels turn white or black after the noise.
        salt_pepper_range: Share of such pixels.
        codec_probs: Probabilities of JPEG, WebP and AVIF.
        full_chroma_prob: Probability that JPEG keeps the full resolution of chroma.
    """

    sigma_range: Range
    generalized_beta_range: Range
    plateau_beta_range: Range
    resize_probs: Numbers
    resize_range: Range
    gaussian_range_255: Range
    poisson_range: Range
    jpeg_range: Range
    blur_prob: float = 1.0
    kernel_size_range: Sequence[int] = (7, 21)
    kind_probs: Numbers = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
    sinc_prob: float = 0.1
    noise_prob: float = 1.0
    gaussian_prob: float = 0.5
    grey_prob: float = 0.4
    salt_pepper_prob: float = 0.0
    salt_pepper_range: Range = (0.001, 0.02)
    codec_prob: float = 1.0
    codec_probs: Numbers = (1.0, 0.0, 0.0)
    full_chroma_prob: float = 0.0

    def __post_init__(self) -> None:
        freeze_lists(self)
        for field in dataclasses.fields(self):
            if field.name.endswith("_prob"):
                _expect_prob(self, field.name)
        for name, count in (("kind_probs", len(KINDS)), ("resize_probs", 3), ("codec_probs", 3)):
            probs = getattr(self, name)
            good = len(probs) == count and min(probs) >= 0 and abs(sum(probs) - 1) < 1e-6
            expect(good, f"{name} to be {count} probabilities that sum to 1", probs)
        for name, lowest, highest in (
            ("sigma_range", 0.05, 100),
            ("generalized_beta_range", 0.05, 100),
            ("plateau_beta_range", 0.05, 100),
            ("resize_range", 0.05, 8),
            ("gaussian_range_255", 0, 255),
            ("poisson_range", 0, 100),
            ("salt_pepper_range", 0, 1),
            ("jpeg_range", 1, 100),
            ("kernel_size_range", 1, 99),
        ):
            bounds = getattr(self, name)
            good = len(bounds) == 2 and lowest <= bounds[0] <= bounds[1] <= highest
            expect(good, f"{name} to be two rising numbers within [{lowest}, {highest}]", bounds)
        for name in ("generalized_beta_range", "plateau_beta_range", "resize_range"):
            low, high = getattr(self, name)
            expect(low <= 1 <= high, f"{name} to hold 1", (low, high))
        odd = all(size % 2 for size in self.kernel_size_range)
        expect(odd, "kernel_size_range to be two odd numbers", self.kernel_size_range)


@dataclass(frozen=True)
class Spec:
    """A whole degradation: its stages, then the reduction to `lq` with an optional sinc filter.

    Attributes:
        scale: How many times smaller `lq` is than `hq`.
        stages: The stages, first to last; empty for the reduction alone.
        final_sinc_prob: Probability that a sinc filter follows the reduction; only with stages.
        clean_prob: Probability of the reduction alone (`Recipe.clean`).
        reduction: Interpolation that reduces clean images.
        shuffled: Whether the steps of all stages come in random order.
        round_8bit: Whether `lq` is rounded to 8 bits.
        sharpen_target: Whether the target is sharpened, and `lq` degraded from the sharpened image.
        full_blur_px: The blur of strength 1 (`strength.blur_px`); in the presets 1 % of the draws exceed it.
        full_noise_255: The noise of strength 1 (`strength.noise_255`); in the presets 1 % of the draws exceed it.
        extra: Your own operators by name, applied in this order. Each is drawn from a stream named after it, so that
            adding or removing one changes no other draw.
    """

    scale: int = 4
    stages: Sequence[StageSpec] = ()
    final_sinc_prob: float = 0.8
    clean_prob: float = 0.0
    reduction: Literal["area", "bicubic_antialiased"] = "area"
    shuffled: bool = False
    round_8bit: bool = False
    sharpen_target: bool = False
    full_blur_px: float = 4.0
    full_noise_255: float = 25.0
    extra: Mapping[str, ExtraOperator] = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        freeze_lists(self)
        expect(1 <= self.scale <= 16, "a scale from 1 to 16", self.scale)
        for name in ("final_sinc_prob", "clean_prob"):
            _expect_prob(self, name)
        for name in ("full_blur_px", "full_noise_255"):
            expect(getattr(self, name) > 0, f"{name} above 0", getattr(self, name))
        for name, extra in self.extra.items():
            expect(0 <= extra.prob <= 1, f"extra.{name}.prob to be a probability", extra.prob)
            expect(extra.at in ("start", "end"), f"extra.{name}.at to be start or end", extra.at)


def _expect_prob(spec: StageSpec | Spec, name: str) -> None:
    expect(0 <= getattr(spec, name) <= 1, f"{name} to be a probability", getattr(spec, name))
