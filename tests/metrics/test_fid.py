"""FID is the Fréchet distance of features, each image counted as a file holds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import nn

from dgsr.checks import UserError
from dgsr.metrics import fid
from dgsr.metrics.fid import Fid


class Corners(nn.Module):
    """Three pixels as features, of 8-bit images."""

    num_features = 3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert images.dtype == torch.uint8
        return torch.stack([images[:, 0, 0, 0], images[:, 1, -1, 0], images[:, 2, 0, -1]], dim=1).float()


def test_it_is_the_distance_of_two_gaussians() -> None:
    sr, hq = torch.rand(2, 30, 3, 8, 8)
    x, y = (Corners()((images * 255).round().byte()).double().numpy() for images in (sr, hq))
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    metric = Fid(extractor=Corners())
    assert metric.over(zip(sr, hq, strict=True)) == pytest.approx(expected, rel=1e-3)
    assert metric.over(zip(hq, hq, strict=True)) == pytest.approx(0, abs=1e-3)  # a second set starts afresh


def test_one_image_is_no_set() -> None:
    assert Fid(extractor=Corners()).over([(torch.rand(3, 8, 8), torch.rand(3, 8, 8))]) is None


def test_inceptions_weights_are_found_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pt_inception-2015.pth").touch()
    asked = []
    monkeypatch.setattr(fid, "FrechetInceptionDistance", lambda *args, **named: asked.append((args, named)))
    Fid(str(tmp_path))
    assert asked == [((2048,), {"feature_extractor_weights_path": str(tmp_path / "pt_inception-2015.pth")})]


def test_without_inception_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("requires torch-fidelity\nmore")

    monkeypatch.setattr(fid, "FrechetInceptionDistance", missing)
    with pytest.raises(UserError, match=r"got requires torch-fidelity\. Run pip install torch-fidelity"):
        Fid()
