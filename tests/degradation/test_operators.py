"""Captions and kernels of operators."""

from __future__ import annotations

import pytest
import torch

from dgsr.degradation.operators import Blur, Encode, Jpeg, PoissonNoise, Rescale, SaltPepper, Sinc
from dgsr.ops import kernels


def test_captions():
    captions = {
        Blur("gaussian", 7, 0.5, 0.5): "gaussian blur 0.50, 7 px",
        Blur("plateau", 21, 1.5, 0.25, -1.0, 1.2): "plateau blur 1.50x0.25 at -1.00 rad, beta 1.20, 21 px",
        Sinc(13, 1.234): "sinc 1.23 rad, 13 px",
        Rescale(0.7, "area"): "resize x0.70 area",
        PoissonNoise(0.5, False, 3): "Poisson noise x0.50",
        SaltPepper(0.015, 3): "salt and pepper 1.5%",
        Jpeg(40.2, 1): "JPEG 40 4:4:4",
        Encode("webp", 50.0): "WebP 50",
    }
    assert {operator: str(operator) for operator in captions} == captions


@pytest.mark.parametrize(
    ("blur", "kernel"),
    [
        (Blur("gaussian", 9, 1.2, 0.4, 0.3), kernels.gaussian(9, 1.2, 0.4, 0.3)),
        (Blur("generalized", 9, 1.2, 0.4, 0.3, 0.7), kernels.generalized_gaussian(9, 1.2, 0.4, 0.3, 0.7)),
        (Blur("plateau", 9, 1.2, 0.4, 0.3, 0.7), kernels.plateau(9, 1.2, 0.4, 0.3, 0.7)),
        (Sinc(9, 2.0), kernels.sinc(9, 2.0)),
    ],
    ids=str,
)
def test_kernels_follow_from_the_fields(blur, kernel):
    assert torch.equal(blur.kernel, kernel)
