"""Files are upscaled one by one or together; broken ones are told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from dgsr.checks import UserError
from dgsr.images import to_pixels
from dgsr.inference import Upscaler
from dgsr.inference.files import FileUpscaling, Job
from dgsr.inference.rasters import upscale_raster
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.rasters import Raster, read_raster, write_raster
from tests import tiny


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return Upscaler(OneStepGenerator.tiny(), DegradationEstimator.random(0), scale=2)


def _jobs(folder: Path, sizes: list[tuple[int, int] | None]) -> list[Job]:
    jobs = [Job(folder / f"{at}.png", folder / "out" / f"{at}.png") for at in range(len(sizes))]
    for job, size in zip(jobs, sizes, strict=True):
        if size is None:
            job.source.write_bytes(b"no image")
        else:
            write_raster(job.source, Raster(to_pixels(torch.rand(3, *size), torch.uint8)))
    return jobs


def test_a_batch_that_runs_out_of_memory_is_processed_one_by_one(
    upscaler: Upscaler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    jobs = _jobs(tmp_path, [(20, 24), (20, 24)])
    monkeypatch.setattr("dgsr.inference.files.upscale_rasters", full)
    assert [error for _, error in FileUpscaling(upscaler, batch=2).run(jobs)] == [None, None]
    assert all(job.target.is_file() for job in jobs)


@pytest.mark.parametrize("posterior", ["mode", "sample"])
def test_images_of_equal_size_are_batched_with_equal_results(
    posterior: Literal["mode", "sample"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaler = Upscaler(OneStepGenerator.tiny(posterior=posterior), DegradationEstimator.random(0), scale=2)
    jobs = _jobs(tmp_path, [(20, 24), (20, 24), (20, 24), (24, 20), None, (24, 20)])
    alone = list(FileUpscaling(upscaler, batch=1).run(jobs))
    single = [read_raster(job.target).samples for job, error in alone if error is None]
    sizes: list[int] = []
    forward = OneStepGenerator.forward
    monkeypatch.setattr(
        OneStepGenerator, "forward", lambda self, lq_up, *rest: sizes.append(len(lq_up)) or forward(self, lq_up, *rest)
    )
    together = list(FileUpscaling(upscaler, batch=2).run(jobs))
    assert sizes == [2, 1, 1, 1]
    assert [job for job, _ in together] == jobs
    assert [error is None for _, error in together] == [True, True, True, True, False, True]
    for before, job in zip(single, (job for job, error in together if error is None), strict=True):
        difference = before.int() - read_raster(job.target).samples.int()
        assert difference.abs().max() <= 1


@pytest.fixture
def used_tiles(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the tile of every upscaled picture."""
    tiles: list[int] = []

    def upscale(upscaler: Upscaler, *rest: Any) -> Raster:
        tiles.append(upscaler.tile)
        return upscale_raster(upscaler, *rest)

    monkeypatch.setattr("dgsr.inference.files.upscale_raster", upscale)
    return tiles


def test_the_given_tile_is_used_and_the_upscaler_stays_as_it_is(
    upscaler: Upscaler, tmp_path: Path, used_tiles: list[int]
) -> None:
    jobs = _jobs(tmp_path, [(8, 8)])
    assert [error for _, error in FileUpscaling(upscaler, tile=256).run(jobs)] == [None]
    assert (used_tiles, upscaler.tile) == ([256], 0)
    with pytest.raises(UserError, match="multiple of"):
        FileUpscaling(upscaler, tile=250)


def test_the_largest_tile_that_fits_is_used(upscaler: Upscaler, tmp_path: Path, used_tiles: list[int]) -> None:
    jobs = _jobs(tmp_path, [(40, 200)])
    results = []
    for limit in (2**34, 2**28 + 2**25 + 2**24):
        assert [error for _, error in FileUpscaling(upscaler, limit=limit).run(jobs)] == [None]
        results.append(read_raster(jobs[0].target).samples.int())
    assert used_tiles == [1024, 256]
    assert (results[0] - results[1]).abs().float().mean() < 1


def test_unwritable_outputs_are_not_upscaled(
    upscaler: Upscaler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_raster(tmp_path / "a.png", Raster(torch.zeros(4, 8, 8, dtype=torch.uint8)))
    monkeypatch.setattr("dgsr.inference.files.upscale_raster", None)
    jobs = [Job(tmp_path / "a.png", tmp_path / name) for name in ("b.jpg", "b.bmp", "b.xyz")]
    errors = [str(error) for _, error in FileUpscaling(upscaler).run(jobs)]
    assert ["transparency" in error for error in errors] == [True, True, False]
    assert "an ending among" in errors[2]


def test_failed_files_do_not_stop_the_others(upscaler: Upscaler, tmp_path: Path) -> None:
    jobs = _jobs(tmp_path, [(200, 200), (8, 8), (8, 9)])
    jobs[1] = Job(jobs[1].source, tmp_path / "a.xyz")
    errors = [error for _, error in FileUpscaling(upscaler, tile=0, limit=2**28 + 2**25).run(jobs)]
    assert "0.png, whose 400x400 px take about" in str(errors[0])
    assert "a.xyz" in str(errors[1])
    assert errors[2] is None


@pytest.mark.parametrize("batch", [1, 2])
def test_given_scores_replace_the_estimated_ones(tmp_path: Path, batch: int) -> None:
    upscaler = Upscaler(tiny.generator().eval(), DegradationEstimator.random(0), scale=2)
    jobs, heard = _jobs(tmp_path, [(20, 24), (20, 24)]), list[tuple[float, ...]]()
    work = FileUpscaling(upscaler, batch=batch, given_scores=(0.9, None), on_scores=lambda *s: heard.append(s))
    assert [error for _, error in work.run(jobs)] == [None, None]
    for job, scores in zip(jobs, heard, strict=True):
        raster = read_raster(job.source)
        noise = float(upscaler.estimator(raster.pixels[None] / 255)[0, 1])
        assert scores == pytest.approx((0.9, noise), abs=1e-5)
        expected = upscale_raster(upscaler, raster, torch.tensor([scores])).samples.int()
        assert (read_raster(job.target).samples.int() - expected).abs().max() <= 1
        assert (upscale_raster(upscaler, raster).samples.int() - expected).abs().max() > 1
