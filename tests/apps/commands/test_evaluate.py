"""`dgsr evaluate` over folders: numbers, files, and what is wrong at the end."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from dgsr.apps.cli import main
from dgsr.images import read_image, write_image
from tests.browser import needs_browser, opened
from tests.standard_metrics import build


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Write three sharp images, two restorations of each, one better than the other, and a tiny one."""
    for name, side in [("a", 48), ("b", 64), ("c", 48), ("tiny", 8)]:
        hq = torch.rand(3, side, side)
        damage = torch.randn(3, side, side)
        for role, image in {"hq": hq, "sr": hq + 0.05 * damage, "other": hq + 0.1 * damage}.items():
            write_image(tmp_path / role / f"{name}.png", image.clamp(0, 1))
        write_image(tmp_path / "lq" / f"{name}.png", hq[:, ::4, ::4])
    return tmp_path


def evaluate(folder: Path, *more: str) -> None:
    main(["evaluate", "--device", "cpu", "--sr", f"{folder}/sr", *more])


def test_numbers_intervals_and_files(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = ["--hq", f"{folders}/hq", "--lq", f"{folders}/lq", "--against", f"{folders}/other"]
    files = [word for kind in ("json", "csv", "html") for word in (f"--{kind}", f"{folders}/out/r.{kind}")]
    evaluate(folders, *roots, *files, "--metrics", "psnr,ssim", "--channel", "rgb", "--crop-border", "2")
    summary = json.loads((folders / "out/r.json").read_text())
    metric = build(["psnr"], channel="rgb", crop_border_px=2)["psnr"]
    expected = [
        metric(*(read_image(folders / role / f"{name}.png")[None] for role in ("sr", "hq"))).item()
        for name in ("a", "b", "c", "tiny")
    ]
    assert [image["psnr"] for image in summary["images"]] == pytest.approx(expected)
    psnr = summary["metrics"]["psnr"]
    assert psnr["variant"] == "RGB, 8-bit, border of 2 px cut"
    assert psnr["low"] < psnr["mean"] == pytest.approx(sum(expected) / 4)
    assert psnr["against"]["sr_minus_this"]["mean"] == pytest.approx(6, abs=0.5)  # half the noise
    assert psnr["against"]["sr_minus_this"]["p"] == pytest.approx(2 / 2**4)
    assert summary["metrics"]["ssim"]["num_images"] == 3
    with (folders / "out/r.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    printed = capsys.readouterr().out
    assert "sides of 15 px or more for ssim, but got 8x8" in printed
    assert "sr - against" in (folders / "out/r.html").read_text()


@needs_browser
def test_the_page_opens_from_a_file(folders: Path, tmp_path: Path) -> None:
    evaluate(folders, "--hq", f"{folders}/hq", "--metrics", "psnr", "--html", f"{folders}/r.html")
    dom, complaints = opened((folders / "r.html").read_text(encoding="utf-8"), tmp_path)
    assert not complaints
    assert dom.count('class="slider"') == 4


def test_an_unreadable_image_is_reported_at_the_end(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "sr/b.png").write_bytes(b"no image")
    with pytest.raises(SystemExit):
        evaluate(folders, "--hq", f"{folders}/hq", "--metrics", "psnr", "--json", f"{folders}/r.json")
    assert len(json.loads((folders / "r.json").read_text())["images"]) == 3
    written = capsys.readouterr()
    assert "1 of 4 skipped:" in written.err
    assert "b.png" in written.err


def test_without_true_images_only_no_reference_metrics_remain(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(folders / "big/a.png", torch.rand(3, 192, 192))
    main(["evaluate", "--sr", f"{folders}/big", "--metrics", "psnr,niqe,musiq", "--json", f"{folders}/r.json"])
    summary = json.loads((folders / "r.json").read_text())
    assert list(summary["metrics"]) == ["niqe"]
    assert summary["metrics"]["niqe"]["mean"] > 0
    assert list(summary["missing"]) == ["musiq", "psnr"]
    printed = capsys.readouterr().out
    assert "psnr needs ground truth images, which are missing." in printed
    assert "pip install pyiqa" in printed
