"""Compute NIQE, a distance between image statistics and those of pristine photographs, without reference."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from dgsr.checks import expect, refuse
from dgsr.metrics.metric import Metric
from dgsr.types import Images

_BLOCK = 96
_GREY = (0.299, 0.587, 0.114)
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
_BASICSR = "pip install --no-deps --no-build-isolation basicsr==1.4.2"  # the build needs the installed torch
_REMEDY = f"Run pip install cython 'setuptools<81' wheel && {_BASICSR}"

#: One value per row.
Rows = Float[Tensor, " rows"]


class Niqe(Metric):
    """Natural image quality evaluator, with the authors' model of pristine photographs.

    Source: Mittal et al., Making a completely blind image quality analyzer.
    Differs from the authors' program: grey is 0.299 R + 0.587 G + 0.114 B instead of the Y of BT.601, as in
    commonly published values.

    Raises:
        UserError: The model is not installed.
    """

    name = "niqe"
    direction: Literal["higher", "lower"] = "lower"
    variant = "grey of 0 to 255, blocks of 96 px"
    needs_reference = False
    min_side_px = _BLOCK

    mean: Tensor
    covariance: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        model = _pristine_model()
        self.register_buffer("mean", model["mu_pris_param"][0])
        self.register_buffer("covariance", model["cov_pris_param"])
        self.register_buffer("window", model["gaussian_window"])

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the distance from pristine photographs.

        Raises:
            UserError: Fewer than two blocks have texture.
        """
        return torch.stack([self._measure(image) for image in sr]).float()

    def _measure(self, image: Float[Tensor, "3 h w"]) -> Float[Tensor, ""]:
        weights = torch.tensor(_GREY, dtype=torch.float64, device=image.device)
        grey = torch.einsum("chw,c->hw", image.double() * 255, weights).round()
        rows, columns = (side // _BLOCK for side in grey.shape)
        grey = grey[: rows * _BLOCK, : columns * _BLOCK]
        scales = [(grey, _BLOCK), (_halved(grey), _BLOCK // 2)]
        features = torch.cat([_features(self._normalised(image), block) for image, block in scales], dim=1)
        whole = features[features.isfinite().all(dim=1)]
        expect(len(whole) > 1, f"two blocks of {_BLOCK} px with texture for {self.name}", len(whole))
        distance = self.mean - features.nanmean(dim=0)
        inverse = torch.linalg.pinv((self.covariance + whole.T.cov()) / 2)
        return (distance @ inverse @ distance).sqrt()

    def _normalised(self, grey: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
        """Subtract the local mean and divide by the local deviation (Eq. 1)."""
        padded = pad(grey[None, None], (3, 3, 3, 3), mode="replicate")
        mean = conv2d(padded, self.window[None, None])[0, 0]
        square = conv2d(padded.square(), self.window[None, None])[0, 0]
        return (grey - mean) / ((square - mean.square()).abs().sqrt() + 1)


def _halved(grey: Float[Tensor, "h w"]) -> Float[Tensor, "half_h half_w"]:
    """Halve the size by antialiased bicubic resizing with mirrored borders, as in MATLAB."""
    mirrored = grey
    for axis in (0, 1):
        before, after = mirrored.narrow(axis, 0, 4), mirrored.narrow(axis, mirrored.shape[axis] - 4, 4)
        mirrored = torch.cat([before.flip(axis), mirrored, after.flip(axis)], dim=axis)
    half = interpolate(mirrored[None, None], scale_factor=0.5, mode="bicubic", antialias=True)[0, 0]
    return half[2:-2, 2:-2]


def _features(normalised: Float[Tensor, "h w"], block: int) -> Float[Tensor, "blocks 18"]:
    """Fit the distributions of each block and of products of neighbouring pixels (Eqs. 4 to 9)."""
    blocks = normalised.unfold(0, block, block).unfold(1, block, block).reshape(-1, block, block)
    shape, left, right = _asymmetric_gaussian(blocks.flatten(1))
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = _asymmetric_gaussian((blocks * blocks.roll(shift, (1, 2))).flatten(1))
        mean = (right - left) * ((2 / shape).lgamma() - (1 / shape).lgamma()).exp()
        features += [shape, mean, left, right]
    return torch.stack(features, dim=1)


def _asymmetric_gaussian(values: Float[Tensor, "rows n"]) -> tuple[Rows, Rows, Rows]:
    """Fit an asymmetric generalised Gaussian by its moments; return shape, left scale and right scale."""
    left, right = (_root_mean_square(values, side) for side in (values < 0, values > 0))
    ratio = left / right
    moments = values.abs().mean(dim=1).square() / values.square().mean(dim=1)
    moments = moments * (ratio**3 + 1) * (ratio + 1) / (ratio.square() + 1).square()
    shapes = torch.arange(0.2, 10.0005, 0.001, dtype=values.dtype, device=values.device)
    expected = (2 * (2 / shapes).lgamma() - (1 / shapes).lgamma() - (3 / shapes).lgamma()).exp()
    shape = shapes[(expected - moments[:, None]).abs().argmin(dim=1)]
    scale = ((1 / shape).lgamma() - (3 / shape).lgamma()).div(2).exp()
    return shape, left * scale, right * scale


def _root_mean_square(values: Float[Tensor, "rows n"], where: Tensor) -> Rows:
    return ((values.square() * where).sum(dim=1) / where.sum(dim=1)).sqrt()


@cache
def _pristine_model() -> dict[str, Tensor]:
    """Read the authors' model of pristine photographs from the package basicsr."""
    try:
        path = distribution("basicsr").locate_file("basicsr/metrics/niqe_pris_params.npz")
    except PackageNotFoundError:
        refuse("the package basicsr for the model of NIQE", "none installed", _REMEDY)
    with np.load(str(path)) as model:
        return {name: torch.from_numpy(model[name]).double() for name in model.files}
