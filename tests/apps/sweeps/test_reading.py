"""Check that the files of runs are read for comparison."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dgsr.apps.sweeps import SweepFolder
from dgsr.apps.sweeps.folder import JobFolder
from dgsr.apps.sweeps.reading import read_trial, write_report
from dgsr.checks import UserError


def make_job(folder: Path, *overrides: str) -> JobFolder:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text("".join(f"- {override}\n" for override in overrides))
    (folder / ".hydra" / "config.yaml").write_text("run: {max_steps: 2}\nroot: ${nowhere}\n")
    return JobFolder(folder)


def test_a_finished_run_is_read(tmp_path: Path) -> None:
    job = make_job(tmp_path, "seed=1", "+generator.unet_rank=4", "text='a=b'")
    metrics = {"psnr": {"value": 21.0, "direction": "higher"}}
    summary = {"monitor": "psnr", "metrics": metrics, "seconds_per_step": 0.5, "peak_memory_bytes": 7}
    job.summary.write_text(json.dumps(summary))
    picture = tmp_path / "validation" / "pictures" / "0" / "a.png"
    picture.mkdir(parents=True)
    for kind in ("sr", "hq"):  # without degradation there is no lq
        (picture / f"{kind}.png").touch()
    (tmp_path / "validation" / "step_0000000.csv").write_text("image,psnr,bicubic/psnr\na.png,10.0,11.0\n")
    (tmp_path / "validation" / "step_0000002.csv").write_text("image,psnr,ssim\na.png,21.0,\n")
    (tmp_path / "metrics.csv").write_text("step,name,value\n1,val/psnr,20.0\n2,val/psnr,21.0\n")
    trial = read_trial(job)
    assert trial.settings == {"seed": "1", "generator.adapters.main.unet.rank": "4", "text": "'a=b'"}
    assert trial.config == {"run.max_steps": "2", "root": "${nowhere}"}
    assert trial.images == {"a.png": {"psnr": 21.0}}
    assert (trial.directions, trial.seconds_per_step, trial.peak_memory_bytes) == ({"psnr": "higher"}, 0.5, 7)
    assert trial.series == {"val/psnr": [(1, 20.0), (2, 21.0)]}
    assert trial.pictures == {"0/a.png": {kind: picture / f"{kind}.png" for kind in ("sr", "hq")}}


def test_a_run_that_failed_at_its_start_is_read(tmp_path: Path) -> None:
    (tmp_path / "failure.txt").write_text("Expected a folder, but got nothing.\n")
    trial = read_trial(JobFolder(tmp_path))
    assert (trial.state, trial.reason) == ("failed", "Expected a folder, but got nothing.")
    assert (trial.settings, trial.images, trial.pictures) == ({}, {}, {})


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="folder with runs"):
        write_report(SweepFolder(tmp_path))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("validation/step_0000002.csv", b""),
        ("validation/step_0000002.csv", b"image,psnr\n"),
        ("validation/step_0000002.csv", b"image,psnr\na.png,2x\n"),
        ("validation/step_0000002.csv", b"\xff"),
        (".hydra/config.yaml", b"a: [1"),
        (".hydra/config.yaml", b"\xff\xfe\x00"),
        (".hydra/overrides.yaml", b"- [1"),
        ("summary.json", b'{"metrics": []}'),
        ("summary.json", b'{"metrics": {"psnr": 3}}'),
        ("summary.json", b'{"seconds_per_step": "x"}'),
        ("summary.json", b'{"met'),
    ],
)
def test_a_damaged_job_is_named_and_the_others_are_reported(tmp_path: Path, file: str, content: bytes) -> None:
    for name in ("0", "1"):
        job = make_job(tmp_path / name, f"x={name}")
        job.summary.write_text('{"step": 2}')
        (job.path / "validation").mkdir()
    (tmp_path / "1" / file).write_bytes(content)
    write_report(SweepFolder(tmp_path))
    report = (tmp_path / "report.md").read_text()
    assert "1 done, 1 damaged of 2 jobs" in report
    assert "- job 1 damaged: Expected " in report
    assert str(tmp_path / "1" / file) in report


def test_an_undecodable_reason_is_reported(tmp_path: Path) -> None:
    (tmp_path / "failure.txt").write_bytes(b"No \xff.\n")
    assert read_trial(JobFolder(tmp_path)).reason == "No \ufffd."
