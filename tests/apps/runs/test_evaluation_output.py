"""What the first rank tells, and the others leave to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from dgsr.apps.runs.evaluation_output import measure_all, publish
from dgsr.checks import UserError
from dgsr.evaluation.ranks import Ranks
from dgsr.metrics import Suite
from tests.evaluation.test_runner import InMemory
from tests.standard_metrics import build

CPU = torch.device("cpu")


def test_the_table_has_averages_and_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    samples = InMemory()
    results = measure_all(samples, Suite(build(["psnr"]), missing={"fid": "fid [is] missing"}), {}, CPU, Ranks())
    assert results is not None
    assert [record.name for record in results.records] == ["a", "b"]
    with pytest.raises(UserError, match=r"1 of 3 skipped: .*broken[^.]*\. The results"):
        publish(results, samples, {}, "title")
    printed = capsys.readouterr().out
    average = results.averages["sr"]["psnr"]
    assert average is not None
    for text in ("psnr ↑", "Y, 8-bit", f"{average.interval.mean:.4f}", "fid [is] missing"):
        assert text in printed


def test_an_unwritable_file_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = InMemory()
    samples.names = ("a", "b")
    results = measure_all(samples, Suite(build(["psnr"])), {}, CPU, Ranks())
    assert results is not None
    (tmp_path / "file").touch()
    monkeypatch.setattr(
        "dgsr.apps.runs.evaluation_output.write_csv", Mock(side_effect=OSError(5, "Input/output error"))
    )
    files = {"csv": tmp_path / "file", "json": tmp_path / "file" / "r.json", "html": tmp_path / "r.html"}
    with pytest.raises(UserError, match=rf"got {tmp_path}/file \(.*\), {tmp_path}/file/r\.json \("):
        publish(results, samples, files, "title")
    output = capsys.readouterr().out
    assert "psnr ↑" in output
    assert "csv:" not in output
    assert (tmp_path / "r.html").is_file()


def test_no_metric_at_all_is_refused_before_any_image_is_read() -> None:
    with pytest.raises(UserError, match=r"a metric that can be measured, but got none\. psnr needs ground truth"):
        measure_all(InMemory(), Suite(build(["psnr"])).without_reference(), {}, CPU, Ranks())


def test_a_metric_that_one_rank_lacks_is_skipped_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: list[list[Any]] = [[{"ssim": "ssim cannot be had."}], []]
    monkeypatch.setattr(Ranks, "gather", lambda _, items: items + theirs.pop(0))
    results = measure_all(InMemory(), Suite(build(["psnr", "ssim"])), {}, CPU, Ranks(0, 2))
    assert results is not None
    assert list(results.metrics) == ["psnr"]
    assert results.notes == ["ssim cannot be had."]


def test_other_ranks_return_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered = []
    monkeypatch.setattr(Ranks, "gather", lambda _, items: gathered.append(items) or items)
    assert measure_all(InMemory(), Suite(build(["psnr"])), {}, CPU, Ranks(1, 2)) is None
    assert [type(item) for item in gathered[-1]] == [str]  # the second of three samples


def test_no_usable_image_is_refused() -> None:
    samples = InMemory()
    samples.names = ("broken",)
    with pytest.raises(UserError, match=r"images that can be used, but got none\. .*broken"):
        measure_all(samples, Suite(build(["psnr"])), {}, CPU, Ranks())
