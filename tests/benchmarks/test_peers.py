"""Test the comparison with other methods on a dgsr model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from benchmarks import peers
from dgsr.images import read_image, write_image


def test_folder_is_upscaled_and_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lq").mkdir()
    for seed, name in enumerate(["a.png", "b.jpg"]):
        lq = torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(seed))
        write_image(tmp_path / "lq" / name, lq)
    peers.main(["bundled:tiny-upscaler", str(tmp_path / "lq"), str(tmp_path / "sr"), "--threads", "1"])
    assert re.fullmatch(r"\d+\.\d\d seconds per megapixel, peak \d+ MiB\n", capsys.readouterr().out)
    assert [tuple(read_image(tmp_path / "sr" / name).shape) for name in ("a.png", "b.png")] == [(3, 64, 96)] * 2
