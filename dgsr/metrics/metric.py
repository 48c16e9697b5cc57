"""Define the base class of metrics, which rounds images to 8 bits before measuring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.ops.precision import exactly
from dgsr.types import Images

#: Marks of the better direction in tables.
ARROWS = {"higher": "↑", "lower": "↓"}


class Described:
    """Description of a metric for reports.

    Attributes:
        direction: Whether higher or lower is better.
        variant: Details needed to compare values with published ones, such as channel and network.
    """

    direction: Literal["higher", "lower"]
    variant: str

    @property
    def arrow(self) -> str:
        """Mark of the better direction, ↑ or ↓."""
        return ARROWS[self.direction]


class Metric(Described, nn.Module, ABC):
    """Base class of metrics of single images.

    Attributes:
        name: Name in error messages.
        needs_reference: Whether the metric compares with the ground truth.
        min_side_px: Smallest side that an image may have.
    """

    name: str
    needs_reference: bool = True
    min_side_px: int = 1

    @torch.no_grad()
    def forward(self, sr: Images, hq: Float[Tensor, "b 3 _ _"] | None = None) -> Float[Tensor, " b"]:
        """Round images in [0, 1] to 8 bits and measure them in full precision; return one value per image.

        A metric without reference ignores `hq`.

        Raises:
            UserError: The images are too small, or differ in size from the reference.
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
        """Return one value per image; images are in [0, 1] and rounded to 8 bits."""


def eight_bit(images: Images) -> Float[Tensor, "b 3 h w"]:
    """Clamp to [0, 1] and round to multiples of 1/255, as when saving to a PNG file.

    >>> eight_bit(torch.tensor([-1.0, 0.501, 2.0]).view(1, 3, 1, 1)).mul(255).flatten()
    tensor([  0., 128., 255.])
    """
    return (images.float().clamp(0, 1) * 255).round() / 255


def _px(width: int, height: int) -> str:
    return f"{width}x{height}"
