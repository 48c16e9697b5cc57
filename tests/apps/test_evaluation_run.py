"""A checkpoint is measured over folders of pairs, with the numbers of the validation."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from dgsr.apps.configs import conf_dir
from dgsr.apps.evaluation_run import run_evaluation
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.data import FixedPairs, bundled
from dgsr.degradation import preset
from dgsr.images import write_image
from dgsr.training.degrading import Degrade
from tests.apps.test_training_run import SMALL, composed, train


def test_evaluation_repeats_the_validation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(composed(tmp_path, *SMALL))
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    pairs = FixedPairs(bundled("val"), 64, Degrade(preset("s3diff")), 0, 4)
    for pair in (pairs[i] for i in range(len(pairs))):
        for kind in ("lq", "hq"):
            write_image(tmp_path / kind / f"{Path(pair['name']).stem}.png", pair[kind])

    overrides = [f"ckpt_path={checkpoint}", f"data.eval.lq={tmp_path}/lq", f"data.eval.hq={tmp_path}/hq"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("evaluate", [*overrides, f"paths.run={tmp_path}/eval", "metrics.names=[psnr]", "device=cpu"])
    means = run_evaluation(cfg)

    validated = read_checkpoint(checkpoint)["dgsr"]["validations"][-1]["psnr"]
    assert means["psnr"] == pytest.approx(validated, abs=0.05)  # apart by the 8 bits of the lq files
    with (tmp_path / "eval" / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 9
    summary = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert summary["metrics"]["psnr"]["mean"] == means["psnr"]
    assert len(list((tmp_path / "eval" / "images").glob("*.png"))) == 9
    assert "bicubic" in capsys.readouterr().out

    (tmp_path / "lq" / "red-maple-0.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1 of 9 left out: .*red-maple-0\.png"):
        run_evaluation(cfg)
    with (tmp_path / "eval" / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 8
