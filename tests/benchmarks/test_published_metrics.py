"""Test the comparison with published metrics."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.published_metrics import main
from dgsr.images import read_image, write_image
from tests.standard_metrics import build


def test_deviating_value_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("sr", "hq"):
        write_image(tmp_path / kind / "a.png", torch.rand(3, 24, 24))
    sr, hq = (read_image(tmp_path / kind / "a.png")[None] for kind in ("sr", "hq"))
    psnr, ssim = (metric(sr, hq).item() for metric in build(["psnr", "ssim"]).values())
    (tmp_path / "values.csv").write_text(f"image,PSNR,SSIM,MUSIQ\na.png,{psnr},{ssim + 0.25},60\n")
    main([str(tmp_path / name) for name in ("sr", "hq", "values.csv")])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    (psnr_line,) = (line for line in lines if "psnr" in line)
    (ssim_line,) = (line for line in lines if "ssim" in line)
    assert "0.000000" in psnr_line
    assert "0.250000" in ssim_line
