"""Test FID against the Fréchet distance of Gaussians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from scipy.linalg import sqrtm
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance

from dgsr.checks import UserError
from dgsr.metrics import fid
from dgsr.metrics.fid import Fid


class Corners(nn.Module):
    """Three pixels as features, of 8-bit images."""

    num_features = 3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert images.dtype == torch.uint8
        return torch.stack([images[:, 0, 0, 0], images[:, 1, -1, 0], images[:, 2, 0, -1]], dim=1).float()


def test_equals_the_distance_of_two_gaussians() -> None:
    sr, hq = torch.rand(2, 30, 3, 8, 8)
    x, y = (Corners()((images * 255).round().byte()).double().numpy() for images in (sr, hq))
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    metric = Fid(extractor=Corners())
    result = metric.over(({"sr": one, "hq": true}, true) for one, true in zip(sr, hq, strict=True))
    assert result == {"sr": pytest.approx(expected, rel=1e-3), "hq": pytest.approx(0, abs=1e-3)}
    assert metric.over(({"sr": true}, true) for true in hq) == {"sr": pytest.approx(0, abs=1e-3)}  # a set of its own


def test_one_image_has_no_value() -> None:
    assert Fid(extractor=Corners()).over([({"sr": torch.rand(3, 8, 8)}, torch.rand(3, 8, 8))]) == {"sr": None}


def test_value_is_not_reduced_over_processes(tmp_path: Path) -> None:
    """Where several share an evaluation, one measures sets, and the others may have ended."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        images = [({"sr": sr}, hq) for sr, hq in torch.rand(4, 2, 3, 8, 8)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dist, "all_gather", lambda *_: pytest.fail("it waits for the others"))
            patch.setattr(dist, "barrier", lambda *_, **__: pytest.fail("it waits for the others"))
            assert Fid(extractor=Corners()).over(images)["sr"] is not None
    finally:
        dist.destroy_process_group()


def test_inception_weights_are_read_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pt_inception-2015.pth").touch()
    requests, distance = [], FrechetInceptionDistance(Corners())
    monkeypatch.setattr(fid, "FrechetInceptionDistance", lambda *args, **kw: requests.append((args, kw)) or distance)
    Fid(str(tmp_path))
    assert requests == [((2048,), {"feature_extractor_weights_path": str(tmp_path / "pt_inception-2015.pth")})]


def test_missing_inception_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("requires torch-fidelity\nmore")

    monkeypatch.setattr(fid, "FrechetInceptionDistance", missing)
    with pytest.raises(UserError, match=r"got requires torch-fidelity\. Run pip install torch-fidelity"):
        Fid()
