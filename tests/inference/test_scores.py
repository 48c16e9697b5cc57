"""Scores of parts are those of the whole."""

from __future__ import annotations

import pytest
import torch

from dgsr.inference import scores
from dgsr.models.estimator import DegradationEstimator


@pytest.mark.parametrize("size", [(301, 150), (64, 64), (90, 333)])
@pytest.mark.parametrize("shape", [{}, {"channels": (8, 4, 4, 8), "blocks": (1, 2, 1, 1), "down_scales": (2, 1, 2, 1)}])
def test_parts_give_the_resolve_scores_the_whole(
    size: tuple[int, int], shape: dict[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_TILE_PX", 32)
    estimator = DegradationEstimator.random(0, **({"channels": (8, 8, 8, 16)} | shape))
    for parameter in estimator.parameters():
        parameter.data *= 3  # or all scores are near a half
    lq = torch.rand(3, *size) * torch.linspace(0, 1, size[1])
    torch.testing.assert_close(scores.estimate(estimator, lq), estimator(lq[None]), atol=1e-5, rtol=0)


def test_grey_with_sixteen_bits_is_the_same_picture() -> None:
    estimator = DegradationEstimator.random(0)
    grey = torch.rand(1, 40, 40)
    deep = (grey * 65535).round().to(torch.uint16)
    expected = estimator(grey.expand(3, -1, -1)[None])
    torch.testing.assert_close(scores.estimate(estimator, deep), expected, atol=1e-5, rtol=0)


def test_given_scores_replace_the_estimated_ones() -> None:
    estimator, lq = DegradationEstimator.random(0), torch.rand(3, 16, 16)
    blur, noise = scores.estimate(estimator, lq)[0].tolist()
    for told, expected in {(None, None): (blur, noise), (0.1, None): (0.1, noise), (0.1, 0.0): (0.1, 0.0)}.items():
        assert torch.equal(scores.resolve_scores(estimator, lq, told), torch.tensor([expected]))
