"""The base of all metrics: their description, and the rounding of images before they are measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.ops.precision import exactly
from dgsr.types import Images

#: How tables mark the better direction.
ARROWS = {"higher": "↑", "lower": "↓"}


class Described:
    """A number that reports explain.

    Attributes:
        direction: Whether higher or lower is better.
        variant: What is needed to compare it with published values.
    """

    direction: Literal["higher", "lower"]
    variant: str

    @property
    def arrow(self) -> str:
        """The mark of the better direction, ↑ or ↓."""
        return ARROWS[self.direction]


class Metric(Described, nn.Module, ABC):
    """A measure of restored images, one value per image.

    Attributes:
        name: Its name in error messages.
        needs_reference: Whether it compares with the ground truth.
        min_side_px: Smallest side of an image that it can measure.
    """

    name: str
    needs_reference: bool = True
    min_side_px: int = 1

    @torch.no_grad()
    def forward(self, sr: Images, hq: Float[Tensor, "b 3 _ _"] | None = None) -> Float[Tensor, " b"]:
        """Measure the images as 8-bit files would hold them, in full precision; images in [0, 1].

        A metric without reference ignores `hq`.

        Raises:
            UserError: The two differ in size, or are too small.
        """
        size = (sr.shape[3], sr.shape[2])
        expect(min(size) >= self.min_side_px, f"sides of {self.min_side_px} px or more for {self.name}", _px(*size))
        with exactly(sr.device):
            if not self.needs_reference:
                return self.measure(eight_bit(sr), eight_bit(sr))
            assert hq is not None, f"{self.name} needs a reference"
            reference = (hq.shape[3], hq.shape[2])
            expect(size == reference, f"a restored image of its reference's size {_px(*reference)}", _px(*size))
            return self.measure(eight_bit(sr), eight_bit(hq))

    @abstractmethod
    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the metric of images that are in [0, 1] and rounded."""


def eight_bit(images: Images) -> Float[Tensor, "b 3 h w"]:
    """Clamp to [0, 1] and round as saving to a PNG file does.

    >>> eight_bit(torch.tensor([-1.0, 0.501, 2.0]).view(1, 3, 1, 1)).mul(255).flatten()
    tensor([  0., 128., 255.])
    """
    return (images.float().clamp(0, 1) * 255).round() / 255


def _px(width: int, height: int) -> str:
    return f"{width}x{height}"
