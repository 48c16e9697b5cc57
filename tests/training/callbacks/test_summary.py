"""Test the summary of a run."""

from __future__ import annotations

import json
from pathlib import Path

import lightning
import pytest

from dgsr.training.callbacks import Summary
from tests.small_run import make_data, make_module, make_trainer


class Broken(lightning.Callback):
    """Breaks after the first step."""

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        raise RuntimeError("broken")


def test_only_a_finished_run_has_a_summary(tmp_path: Path) -> None:
    module = make_module(2, adversarial=False)
    make_trainer(2, callbacks=[Summary(str(tmp_path), "psnr")]).fit(module, make_data())
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["step"], summary["monitor"], summary["devices"]) == (2, "psnr", "1 x cpu")
    assert summary["metrics"]["psnr"]["value"] == module.validations[-1]["psnr"]
    assert summary["metrics"]["psnr"]["direction"] == "higher"
    assert 0 < summary["seconds_per_step"] < 60
    assert 2**27 < summary["peak_memory_bytes"] < 2**36

    hurried = make_trainer(1, callbacks=[Summary(str(tmp_path))], max_time={"seconds": 0})
    hurried.fit(make_module(2, adversarial=False), make_data())
    assert not (tmp_path / "summary.json").exists()

    with pytest.raises(RuntimeError, match="broken"):
        make_trainer(callbacks=[Summary(str(tmp_path)), Broken()]).fit(make_module(2, adversarial=False), make_data())
    assert not (tmp_path / "summary.json").exists()
