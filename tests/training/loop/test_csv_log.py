"""Test the CSV log and its continuation on resume."""

from __future__ import annotations

from pathlib import Path

from dgsr.training.loop.csv_log import CsvLog, read_series


def test_metrics_are_read_back_as_series(tmp_path: Path) -> None:
    log = CsvLog(str(tmp_path))
    log.log_metrics({"train/mse": 0.1, "epoch": 0.0}, step=1)
    log.log_metrics({"train/mse": 1 / 3}, step=2)
    assert read_series(log.path) == {"train/mse": [(1, 0.1), (2, 1 / 3)]}


def test_partial_rows_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"step,name,value\n1,loss,0.5\r\n2,lo\r\n3,loss,x\r\n\xff\r\n4,loss,0.25\r\n5,loss,0.1")
    assert read_series(path) == {"loss": [(1, 0.5), (4, 0.25)]}
    CsvLog(str(tmp_path)).log_metrics({"loss": 0.125}, step=5)
    assert read_series(path) == {"loss": [(1, 0.5), (4, 0.25), (5, 0.125)]}


def test_resumed_run_replaces_repeated_steps(tmp_path: Path) -> None:
    first = CsvLog(str(tmp_path))
    for step in range(1, 6):
        first.log_metrics({"loss": float(step)}, step=step)
    with first.path.open("a") as file:
        file.write("6,lo")  # cut off in the middle of a row
    resumed = CsvLog(str(tmp_path))
    resumed.log_metrics({"loss": 40.0}, step=4)
    assert read_series(resumed.path) == {"loss": [(1, 1.0), (2, 2.0), (3, 3.0), (4, 40.0)]}
