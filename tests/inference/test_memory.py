"""What upscaling takes is known before it is tried."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.inference import Upscaler
from dgsr.inference.memory import (
    _cgroup,
    _meminfo,
    available_bytes,
    choose_tile,
    expect_room,
    needed_bytes,
    upscale_with_room,
)
from dgsr.models import DegradationEstimator
from dgsr.models.generator import OneStepGenerator


@pytest.fixture(scope="module")
def generator() -> OneStepGenerator:
    return OneStepGenerator.tiny()


def test_the_estimate_covers_what_was_measured(generator: OneStepGenerator) -> None:
    measured = {512: 983, 1024: 638}  # bytes a pixel of the whole process, on two cores
    for side, per_pixel in measured.items():
        estimate = needed_bytes(generator, side, side) / side**2
        assert per_pixel < estimate < 2.5 * per_pixel


def test_padding_counts(generator: OneStepGenerator) -> None:
    assert needed_bytes(generator, 65, 64) == needed_bytes(generator, 128, 64)


def test_the_largest_tile_that_fits_is_chosen(generator: OneStepGenerator) -> None:
    assert choose_tile(generator, None) == choose_tile(generator, 2**40) == 1024
    assert choose_tile(generator, needed_bytes(generator, 512, 512)) == 512
    assert choose_tile(generator, needed_bytes(generator, 512, 512) - 1) == 384
    assert choose_tile(generator, 0) == 256


def test_images_that_do_not_fit_are_refused_before_upscaling() -> None:
    tried = []
    words = r"in 1\.0 GiB, but got a\.png's pixels take about 2\.0 GiB\. Use --tile"
    with pytest.raises(UserError, match=words), expect_room(2**31, 2**30, "a.png's pixels"):
        tried.append(True)
    assert not tried


def test_what_did_not_fit_after_all_is_refused_alike() -> None:
    with pytest.raises(UserError, match=r"a\.png"), expect_room(1, None, "a.png"):
        raise torch.OutOfMemoryError("CUDA out of memory.")
    with pytest.raises(RuntimeError, match="shapes"), expect_room(1, 2, "a.png"):
        raise RuntimeError("shapes differ")


def test_the_system_tells_what_is_free() -> None:
    free = available_bytes(torch.device("cpu"))
    assert free is None or 2**20 < free < 2**50


def test_files_of_the_system_by_hand(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 100 kB\nMemAvailable:   40 kB\n")
    assert _meminfo(tmp_path / "meminfo") == 40 * 1024
    assert _meminfo(tmp_path / "none") is None
    for name, text in {"memory.max": "1000\n", "memory.current": "700\n", "memory.stat": "inactive_file 50\n"}.items():
        (tmp_path / name).write_text(text)
    assert _cgroup(tmp_path) == 350
    (tmp_path / "memory.max").write_text("max\n")
    assert _cgroup(tmp_path) is None


def test_an_image_is_upscaled_where_there_is_room(generator: OneStepGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    upscaler, lq = Upscaler(generator, DegradationEstimator.random(0)), torch.rand(3, 20, 20)
    assert torch.equal(upscale_with_room(upscaler, lq), upscaler(lq))
    monkeypatch.setattr("dgsr.inference.memory.available_bytes", lambda device: 2**20)
    with pytest.raises(UserError, match=r"80x80 px take about .*inference\.tile"):
        upscale_with_room(upscaler, lq)


def test_what_is_no_number_is_refused() -> None:
    generator = OneStepGenerator.tiny()
    generator.vae.get_parameter("decoder.conv_in.bias").data[0] = torch.nan
    with pytest.raises(UserError, match="finite numbers from the networks, but got NaN"):
        upscale_with_room(Upscaler(generator, DegradationEstimator.random(0)), torch.rand(3, 8, 8))
