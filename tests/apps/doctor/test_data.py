"""The table of rates says what a device would wait for, and the advice follows from the figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from dgsr.apps.doctor import data as doctor
from dgsr.apps.doctor.throughput import Throughput
from dgsr.checks import UserError
from tests.apps.runs.test_training import composed


def test_a_config_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_SECONDS", 0.1)
    monkeypatch.setattr(doctor, "cores", lambda: 1)
    Console(width=120).print(doctor.examine(composed(tmp_path, "debug=fdr")))
    printed = capsys.readouterr().out
    assert "0 (data.num_workers)" in printed
    assert "A step takes 2 samples on each device." in printed
    assert "% of it degrading" in printed
    with pytest.raises(UserError, match=r"2 \(devices\)"):
        doctor.examine(composed(tmp_path, "debug=fdr", "trainer=ddp_sim", "data.global_batch=3"))


def test_a_device_waits_for_its_share_of_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=120).print(doctor._table(Throughput(0.1, 0.1, {0: 5.0, 4: 20.0}), share=16, given=4))
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "s │" in line]
    assert [row[-3:-1] for row in rows] == [["3.20", "s"], ["0.80", "s"]]


def test_advice_follows_from_the_figures() -> None:
    degrading, reading = (Throughput(*times, {0: 5.0, 2: 9.0, 4: 9.5}) for times in ((0.1, 0.3), (0.3, 0.1)))
    said = " ".join(doctor._advice(degrading, given=0, devices=2, on_workers=True))
    assert "75% of it degrading" in said
    assert "data.num_workers=2 is enough" in said
    assert "2 devices" in said
    assert "Reading" not in said
    said = " ".join(doctor._advice(reading, given=2, devices=1, on_workers=True))
    assert "data.num_workers" not in said
    assert "Reading takes most" in said
