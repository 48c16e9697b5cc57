"""The model in the package upscales right after installation, and better than bicubic."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import dgsr
from dgsr.apps.cli import main
from dgsr.checkpoints.loading import BUNDLED
from dgsr.data import bundled
from dgsr.degradation import degrade, draw, preset
from dgsr.images import read_image, write_image
from dgsr.inference import Upscaler
from dgsr.metrics.perceptual import Lpips
from dgsr.ops.resizing import upsample

FOLDER = Path(dgsr.__file__).parent / "assets" / "tiny-upscaler"


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8 * 2**20


@torch.no_grad()
def test_held_out_photographs_are_closer_to_the_originals_than_bicubic() -> None:
    upscaler = Upscaler.from_pretrained(device="cpu")
    sharp = [bundled("val")[index][:, :192, :192] for index in range(4)]
    lq = torch.stack([degrade(image, draw(preset("s3diff"), at, (192, 192))) for at, image in enumerate(sharp)])
    distance, hq = Lpips("alex"), torch.stack(sharp)
    ours, bicubic = (distance(sr, hq).mean() for sr in (upscaler(lq), upsample(lq, 4)))
    assert ours < 0.85 * bicubic


def test_it_is_the_default_model_even_if_runs_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    broken = tmp_path / "train" / "runs" / "a" / "checkpoints" / "last.ckpt"
    broken.parent.mkdir(parents=True)
    broken.touch()
    write_image(tmp_path / "photo.png", bundled("val")[0][:, :32, :48])
    main(["upscale", str(tmp_path / "photo.png"), "--device", "cpu"])
    assert f"The model is {BUNDLED}." in capsys.readouterr().err
    write_image(tmp_path / "same.png", Upscaler.from_pretrained(device="cpu")(read_image(tmp_path / "photo.png")))
    made, same = (read_image(tmp_path / name) for name in ("photo_sr.png", "same.png"))
    assert made.shape == (3, 128, 192)
    torch.testing.assert_close(made, same, atol=1.1 / 255, rtol=0)
