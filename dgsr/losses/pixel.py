"""Pixel losses with one value per image, as functions of two images and as losses of an attempt."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from dgsr.losses.attempt import Attempt
from dgsr.types import Images

_EPSILON = 1e-3


def mse(sr: Images, target: Images) -> Float[Tensor, " b"]:
    """Return the mean squared difference.

    >>> import torch
    >>> mse(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4))
    tensor([1., 1.])
    """
    return (sr - target).square().mean(dim=(1, 2, 3))


def l1(sr: Images, target: Images) -> Float[Tensor, " b"]:
    """Return the mean absolute difference."""
    return (sr - target).abs().mean(dim=(1, 2, 3))


def charbonnier(sr: Images, target: Images) -> Float[Tensor, " b"]:
    """Return the mean absolute difference, smooth below 1e-3.

    Source: Lai et al., Deep Laplacian pyramid networks, Sec. 3.3.
    """
    return ((sr - target).square() + _EPSILON**2).sqrt().mean(dim=(1, 2, 3))


class Mse(nn.Module):
    """The mean squared difference from the target."""

    def forward(self, attempt: Attempt) -> Float[Tensor, " b"]:
        """Return one value per image."""
        return mse(attempt.sr, attempt.target)


class L1(nn.Module):
    """The mean absolute difference from the target."""

    def forward(self, attempt: Attempt) -> Float[Tensor, " b"]:
        """Return one value per image."""
        return l1(attempt.sr, attempt.target)


class Charbonnier(nn.Module):
    """The mean absolute difference from the target, smooth below 1e-3."""

    def forward(self, attempt: Attempt) -> Float[Tensor, " b"]:
        """Return one value per image."""
        return charbonnier(attempt.sr, attempt.target)
