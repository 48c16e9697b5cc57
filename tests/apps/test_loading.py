"""A model comes back from whatever holds it, and no file runs code of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.apps.loading import BUNDLED, device_of, load_model, source_of
from dgsr.checkpoints import load_s3diff, save_training
from dgsr.checkpoints.trainer import write_atomically
from dgsr.checks import UserError
from dgsr.inference import Upscaler
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

GOLDEN = Path(__file__).parents[1] / "golden"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same adapter in each kind of source, with an estimator where it holds one."""
    folder = tmp_path_factory.mktemp("sources")
    generator = load_s3diff(GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd")
    estimator = DegradationEstimator.random(0, channels=(8, 8, 8, 8), blocks=(1, 1, 1, 1))
    generator.save_pretrained(folder / "export", estimator=estimator, scale=2, guidance=1.2)
    save_training(generator, folder / "a.ckpt", estimator=estimator, scale=2, guidance=1.2)
    torch.save(DegradationEstimator.random(0).state_dict(), folder / "de_net.pth")
    files = {"export": folder / "export", "training": folder / "a.ckpt", "s3diff": GOLDEN / "s3diff.pkl"}
    return {name: str(path) for name, path in files.items()} | {"estimator": str(folder / "de_net.pth")}


def test_export_and_checkpoint_hold_the_same_model(sources: dict[str, str]) -> None:
    export, training = load_model(sources["export"]), load_model(sources["training"])
    assert (export.scale, export.guidance) == (training.scale, training.guidance) == (2, 1.2)
    image = torch.rand(3, 16, 24)
    first, second = (model.upscaler(Upscaler, CPU)(image) for model in (export, training))
    assert torch.equal(first, second)


def test_the_average_stands_for_the_weights_unless_asked(sources: dict[str, str], tmp_path: Path) -> None:
    checkpoint = torch.load(sources["training"], weights_only=True)
    name = "unet.conv_in.bias"
    plain = checkpoint["state_dict"][f"generator.{name}"]
    checkpoint["ema"] = checkpoint["state_dict"] | {f"generator.{name}": plain + 1}
    write_atomically(checkpoint, tmp_path / "a.ckpt")
    for weights, added in {"auto": 1, "raw": 0, "ema": 1}.items():
        loaded = load_model(str(tmp_path / "a.ckpt"), weights=weights)  # pyright: ignore[reportArgumentType]
        assert torch.equal(loaded.generator.get_parameter(name), plain + added)
    with pytest.raises(UserError, match="to take ema weights from"):
        load_model(sources["export"], weights="ema")


def test_the_authors_file_needs_a_backbone_and_an_estimator(sources: dict[str, str]) -> None:
    backbone = str(GOLDEN / "tiny-sd")
    with pytest.raises(UserError, match="--estimator"):
        load_model(sources["s3diff"], backbone).upscaler(Upscaler, CPU)
    model = load_model(sources["s3diff"], backbone, sources["estimator"])
    assert model.upscaler(Upscaler, CPU)(torch.rand(3, 8, 8)).shape == (3, 32, 32)
    with pytest.raises(UserError, match=r"generator\.path"):
        load_model(sources["s3diff"], str(GOLDEN))


def test_a_checkpoint_may_call_nothing_foreign(tmp_path: Path) -> None:
    nodes = {"generator": {"_target_": "os.system", "command": "true"}, "estimator": None, "scale": 4}
    write_atomically({"dgsr": {"description": nodes}, "state_dict": {}}, tmp_path / "bad.ckpt")
    with pytest.raises(UserError, match=r"os\.system"):
        load_model(str(tmp_path / "bad.ckpt"))


def test_a_checkpoint_of_another_task_is_refused(tmp_path: Path) -> None:
    nodes = {"generator": {"_target_": "types.NoneType"}, "estimator": None, "scale": 4}
    write_atomically({"dgsr": {"description": nodes}, "state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(UserError, match="a checkpoint of a generator"):
        load_model(str(tmp_path / "other.ckpt"))


def test_a_checkpoint_over_another_backbone_is_refused(tmp_path: Path) -> None:
    generator = OneStepGenerator.tiny(trainable="all")
    save_training(generator, tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    content["dgsr"]["fingerprint"] = "0" * 16
    write_atomically(content, tmp_path / "a.ckpt")
    with pytest.raises(UserError, match="trained on"):
        load_model(str(tmp_path / "a.ckpt"))


def test_without_a_name_it_is_the_one_in_the_package_and_last_is_the_newest_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    with pytest.raises(
        UserError, match=r"a run with a checkpoint under .*, but got none\. Start one: python train\.py"
    ):
        source_of("last")
    checkpoint = tmp_path / "train" / "runs" / "a" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert source_of("last") == str(checkpoint)
    assert source_of(None) == BUNDLED
    assert source_of("released") == "released"


def test_devices() -> None:
    assert device_of("auto").type in ("cpu", "cuda")
    with pytest.raises(UserError, match="cuda:99"):
        device_of("cuda:99")
    with pytest.raises(UserError, match="gpu"):
        device_of("gpu")
