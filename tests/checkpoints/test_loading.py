"""A model comes back from whatever holds it, and no file runs code of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.checkpoints import load_model, load_s3diff, save_pretrained, save_s3diff, save_training
from dgsr.checkpoints.trainer import write_checkpoint
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
    save_pretrained(generator, folder / "export", estimator=estimator, scale=2, guidance=1.2)
    save_training(generator, folder / "a.ckpt", estimator=estimator, scale=2, guidance=1.2)
    torch.save(DegradationEstimator.random(0).state_dict(), folder / "de_net.pth")
    files = {"export": folder / "export", "training": folder / "a.ckpt", "s3diff": GOLDEN / "s3diff.pkl"}
    return {name: str(path) for name, path in files.items()} | {"estimator": str(folder / "de_net.pth")}


def test_export_and_checkpoint_hold_the_same_model(sources: dict[str, str]) -> None:
    export, training = load_model(sources["export"]), load_model(sources["training"])
    assert (export.scale, export.guidance) == (training.scale, training.guidance) == (2, 1.2)
    image = torch.rand(3, 16, 24)
    first, second = (Upscaler.from_model(model, CPU)(image) for model in (export, training))
    assert torch.equal(first, second)


def test_the_average_is_loaded_by_default(sources: dict[str, str]) -> None:
    checkpoint = torch.load(sources["training"], weights_only=True)
    name = "unet.conv_in.bias"
    plain = checkpoint["state_dict"][f"generator.{name}"]
    checkpoint["ema"] = checkpoint["state_dict"] | {f"generator.{name}": plain + 1}
    averaged = Path(sources["training"]).with_name("averaged.ckpt")  # beside the estimator
    write_checkpoint(checkpoint, averaged)
    for weights, added in {"auto": 1, "raw": 0, "ema": 1}.items():
        loaded = load_model(str(averaged), weights=weights)  # pyright: ignore[reportArgumentType]
        assert torch.equal(loaded.generator.get_parameter(name), plain + added)
    with pytest.raises(UserError, match="to take ema weights from"):
        load_model(sources["export"], weights="ema")


def test_the_authors_file_needs_a_backbone_and_an_estimator(sources: dict[str, str]) -> None:
    backbone = str(GOLDEN / "tiny-sd")
    with pytest.raises(UserError, match="--estimator"):
        Upscaler.from_model(load_model(sources["s3diff"], backbone), CPU)
    model = load_model(sources["s3diff"], backbone, sources["estimator"])
    assert Upscaler.from_model(model, CPU)(torch.rand(3, 8, 8)).shape == (3, 32, 32)
    with pytest.raises(UserError, match=r"generator\.path"):
        load_model(sources["s3diff"], str(GOLDEN))


def test_a_file_written_in_the_authors_format_can_be_loaded(sources: dict[str, str], tmp_path: Path) -> None:
    generator = load_model(sources["training"]).generator
    save_s3diff(generator, tmp_path / "ours.pkl", scale=2, guidance=1.2)
    model = load_model(str(tmp_path / "ours.pkl"), str(GOLDEN / "tiny-sd"))
    assert (model.scale, model.guidance) == (2, 1.2)
    expected = generator.trainable_state()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.generator.trainable_state().items())
    assert load_model(sources["s3diff"], str(GOLDEN / "tiny-sd")).scale == 4


def _hostile(mine: str) -> dict[str, Any]:
    """Ways of a description to have a file written when it is built with Hydra."""
    call = {"_target_": "dgsr.images.torch.save", "obj": 1, "f": mine}  # of what a module of dgsr has imported
    text = f"${{oc.create:{{_target_:torch.save,obj:1,f:{mine}}}}}"
    tiny = {"_target_": "dgsr.models.generator.OneStepGenerator.tiny"}
    return {
        "imported": {"generator": call},
        "inside": {"generator": tiny | {"init_from": call}},
        "in a tuple": {"generator": tiny | {"init_from": (call,)}},
        "referred to": {"generator": tiny | {"init_from": text}},
        "estimator": {"estimator": call},
        "guidance": {"guidance": call},
        "scale": {"scale": text},
    }


@pytest.mark.parametrize("way", _hostile(""))
def test_loading_a_checkpoint_calls_no_code(way: str, tmp_path: Path) -> None:
    save_training(OneStepGenerator.tiny(trainable="all"), tmp_path / "bad.ckpt")
    content = torch.load(tmp_path / "bad.ckpt", weights_only=True)
    content["dgsr"]["description"] |= _hostile(str(tmp_path / "mine"))[way]
    write_checkpoint(content, tmp_path / "bad.ckpt")
    with pytest.raises(UserError):
        load_model(str(tmp_path / "bad.ckpt"))
    assert not (tmp_path / "mine").exists()


def test_an_export_contains_nothing_callable(sources: dict[str, str], tmp_path: Path) -> None:
    """Hydra builds the path through the networks, with the model's scale and guidance."""
    shutil.copytree(sources["export"], tmp_path / "bad")
    description = json.loads((tmp_path / "bad" / "generator.json").read_text())
    description["inference"]["guidance"] = {"_target_": "os.system", "command": "true"}
    (tmp_path / "bad" / "generator.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match="a number as guidance"):
        load_model(str(tmp_path / "bad"))


def test_a_checkpoint_of_another_task_is_refused(tmp_path: Path) -> None:
    nodes = {"generator": {"_target_": "types.NoneType"}, "estimator": None, "scale": 4}
    write_checkpoint({"dgsr": {"description": nodes}, "state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(UserError, match="a checkpoint of a generator"):
        load_model(str(tmp_path / "other.ckpt"))


def test_a_checkpoint_over_another_backbone_is_refused(tmp_path: Path) -> None:
    generator = OneStepGenerator.tiny(trainable="all")
    save_training(generator, tmp_path / "a.ckpt")
    content = torch.load(tmp_path / "a.ckpt", weights_only=True)
    content["dgsr"]["fingerprint"] = "0" * 16
    write_checkpoint(content, tmp_path / "a.ckpt")
    with pytest.raises(UserError, match="trained on"):
        load_model(str(tmp_path / "a.ckpt"))
