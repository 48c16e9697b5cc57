"""A checkpoint is measured over folders of images, with the numbers of the validation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from safetensors.torch import load_file, save_file

from dgsr.apps.config.sources import conf_dir
from dgsr.apps.runs.evaluation import run_evaluation
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.images import read_image, write_image
from dgsr.models.estimator import DegradationEstimator
from tests.apps.runs.test_training import SMALL, composed, train

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train for a step; return the checkpoint."""
    run = tmp_path_factory.mktemp("run")
    train(composed(run, *SMALL, "data.val.limit=null"))
    return run / "checkpoints" / "last.ckpt"


def config(checkpoint: Path, run: Path, *overrides: str) -> DictConfig:
    given = [f"ckpt_path={checkpoint}", f"paths.run={run}", "metrics.names=[psnr]", "device=cpu", *overrides]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("evaluate", given)


def summary(run: Path) -> dict[str, Any]:
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def test_sharp_images_are_degraded_as_in_validation(trained: Path, tmp_path: Path) -> None:
    means = run_evaluation(config(trained, tmp_path, "data.eval.hq=bundled:val", "data.eval.crop_px=64"))
    validated = read_checkpoint(trained)["dgsr"]["validations"][-1]["psnr"]
    assert means["psnr"] == pytest.approx(validated, abs=1e-3)
    assert {len(list(tmp_path.glob(f"{role}/*.png"))) for role in ("lq", "sr", "hq")} == {9}
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "metrics.csv").is_file()


def test_last_is_the_newest_run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    (tmp_path / "train" / "runs").mkdir(parents=True)
    (tmp_path / "train" / "runs" / "a").symlink_to(trained.parents[1])
    given = ["data.eval.hq=bundled:val", "data.eval.crop_px=32"]
    run_evaluation(config(Path("last"), tmp_path / "run", *given))
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["ckpt_path"] == str(tmp_path / "train" / "runs" / "a" / "checkpoints" / "last.ckpt")


def test_your_own_metrics_and_another_scale_are_used(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = "def build(channel, **settings):\n    return {'own': Psnr(channel=channel)}\n"
    (tmp_path / "mine.py").write_text(f"from dgsr.metrics import Psnr\n\n{build}")
    monkeypatch.syspath_prepend(tmp_path)
    own = ["data.eval.hq=bundled:val", "data.eval.crop_px=64", "metrics._target_=mine.build", "+inference.scale=2"]
    means = run_evaluation(config(trained, tmp_path / "run", *own))
    assert set(means) == {"own"}
    lq, sr = (read_image(next((tmp_path / "run" / role).glob("*.png"))) for role in ("lq", "sr"))
    assert (lq.shape[1:], sr.shape[1:]) == ((32, 32), (64, 64))


@pytest.fixture
def folders(tmp_path: Path, trained: Path) -> Path:
    """Write pairs as an evaluation of sharp images leaves them."""
    run_evaluation(config(trained, tmp_path / "made", "data.eval.hq=bundled:val", "data.eval.crop_px=32"))
    return tmp_path


def test_an_estimator_and_a_backbone_can_be_named_and_belong_to_the_settings(tmp_path: Path) -> None:
    backbone, estimator = tmp_path / "backbone", tmp_path / "de_net.safetensors"
    shutil.copytree(GOLDEN / "tiny-sd", backbone)
    shape: dict[str, Any] = {"channels": (8, 8, 8, 8), "blocks": (1, 1, 1, 1)}
    DegradationEstimator.random(0, **shape).save(estimator)
    write_image(tmp_path / "lq" / "a.png", torch.rand(3, 32, 32))
    given = [f"data.eval.lq={tmp_path}/lq", "metrics.names=[niqe]", f"backbone={backbone}"]
    cfg = config(GOLDEN / "s3diff.pkl", tmp_path / "run", *given, f"estimator_path={estimator}")
    run_evaluation(cfg)
    run_evaluation(cfg)
    other = r"but got networks=\w+ instead of \w+"
    DegradationEstimator.random(1, **shape).save(estimator)
    with pytest.raises(UserError, match=other):
        run_evaluation(cfg)
    DegradationEstimator.random(0, **shape).save(estimator)
    run_evaluation(cfg)
    file = backbone / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 1.1 for name, tensor in load_file(file).items()}, file, metadata={"format": "pt"})
    with pytest.raises(UserError, match=other):
        run_evaluation(cfg)


def test_an_evaluation_resumes_where_it_stopped(trained: Path, folders: Path) -> None:
    made, run = folders / "made", folders / "run"
    pairs = config(trained, run, f"data.eval.lq={made}/lq", f"data.eval.hq={made}/hq")
    first = run_evaluation(pairs)
    files = sorted((run / "sr").iterdir())
    written = {file: file.stat().st_mtime_ns for file in files}
    files[2].unlink()
    assert run_evaluation(pairs) == first
    assert [file for file in files if file.stat().st_mtime_ns != written[file]] == [files[2]]
    with pytest.raises(UserError, match=r"but got inference=.*another folder: paths\.run"):
        run_evaluation(
            config(trained, run, f"data.eval.lq={made}/lq", f"data.eval.hq={made}/hq", "inference.guidance=1.0")
        )


def test_a_model_is_guided_as_it_was_validated(tmp_path: Path) -> None:
    train(composed(tmp_path / "run", *SMALL, "variant=no_negatives"))
    checkpoint, hq = (
        tmp_path / "run" / "checkpoints" / "last.ckpt",
        ["data.eval.hq=bundled:val", "data.eval.crop_px=32"],
    )
    run_evaluation(config(checkpoint, tmp_path / "own", *hq))
    run_evaluation(config(checkpoint, tmp_path / "other", *hq, "inference.guidance=1.07"))
    settings = [json.loads((tmp_path / name / "settings.json").read_text())["inference"] for name in ("own", "other")]
    assert [inference["guidance"] for inference in settings] == [1.0, 1.07]


def test_a_broken_image_is_skipped_and_named(trained: Path, folders: Path) -> None:
    made, run = folders / "made", folders / "run"
    (made / "lq" / "red-maple-0.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"1 of 9 skipped: .*red-maple-0\.png"):
        run_evaluation(config(trained, run, f"data.eval.lq={made}/lq", f"data.eval.hq={made}/hq"))
    assert len(summary(run)["images"]) == 8


def test_degraded_images_alone_are_measured_without_reference(trained: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "lq" / "a.png", read_image(ROOT / "dgsr/assets/photos/val/chelsea-0.jpg")[:, :48, :52])
    means = run_evaluation(
        config(trained, tmp_path / "run", f"data.eval.lq={tmp_path}/lq", "metrics.names=[psnr,niqe]")
    )
    assert list(means) == ["niqe"]
    assert list(summary(tmp_path / "run")["missing"]) == ["psnr"]


def test_a_precision_that_the_device_lacks_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"but got fp16\. Use bf16"):
        run_evaluation(config(trained, tmp_path, "data.eval.hq=bundled:val", "inference.precision=fp16", "device=cpu"))


def test_nothing_to_evaluate_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"crop_px only without data\.eval\.lq, but got 32 beside data\.eval\.lq"):
        run_evaluation(config(trained, tmp_path, f"data.eval.lq={tmp_path}", "data.eval.crop_px=32"))
    with pytest.raises(UserError, match="but got neither"):
        run_evaluation(config(trained, tmp_path))
    for side in (0, -4, 6):
        with pytest.raises(UserError, match="a multiple of the scale 4"):
            run_evaluation(config(trained, tmp_path, "data.eval.hq=bundled:val", f"data.eval.crop_px={side}"))


@pytest.mark.slow
def test_two_ranks_return_the_results_of_one(trained: Path, folders: Path) -> None:
    made = folders / "made"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "evaluate.py"]
    overrides = ["metrics.names=[psnr,ssim]", f"data.eval.lq={made}/lq", f"data.eval.hq={made}/hq"]
    both = [f"ckpt_path={trained}", "device=cpu", f"paths.run={folders}/two", *overrides]
    environment = os.environ | {"DGSR_LOGS": str(folders / "logs")}
    subprocess.run([*command, *both], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300)
    run_evaluation(config(trained, folders / "one", *overrides))
    one, two = summary(folders / "one"), summary(folders / "two")
    assert one["images"] == two["images"]
    assert one["metrics"] == two["metrics"]
