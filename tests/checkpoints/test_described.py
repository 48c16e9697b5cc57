"""What a training file may name is built; nothing else is called, wherever it stands in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.checkpoints.described import described_estimator, described_generator, name_of, up_to_date
from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from tests import tiny

FILE = Path("a.ckpt")
BACKBONE = str(Path(__file__).parents[1] / "golden" / "tiny-sd")
SHAPE: dict[str, Any] = {"channels": [8, 8, 8, 8], "blocks": [1, 1, 1, 1]}
TINY = {"_target_": "dgsr.models.generator.OneStepGenerator.tiny"}


def test_a_generator_is_rebuilt() -> None:
    found = described_generator(TINY | {"seed": 3, "unet_rank": 2}, FILE)
    expected = OneStepGenerator.tiny(seed=3, adapters=tiny.adapters(2, 4))
    assert (found.fingerprint(), found.options) == (expected.fingerprint(), expected.options)
    node = {"_target_": name_of(OneStepGenerator.from_backbone), "path": "gone", "unet_rank": 2, "vae_rank": 2}
    assert described_generator(node, FILE, backbone=BACKBONE).source == BACKBONE


def test_earlier_descriptions_are_brought_up_to_date() -> None:
    recorded = {"generator": TINY | {"unet_rank": 2, "alpha": 4.0}, "estimator": {"_target_": "types.NoneType"}}
    adapters = {"main": {"unet": {"rank": 2}, "alpha": 4.0}}
    assert up_to_date(recorded) == {"generator": TINY | {"adapters": adapters}, "estimator": None}
    assert up_to_date(up_to_date(recorded)) == up_to_date(recorded)


def test_estimators_are_rebuilt(tmp_path: Path) -> None:
    estimator = DegradationEstimator.random(3, **SHAPE)
    estimator.save(tmp_path / "estimator.safetensors")
    nodes = {"random": {"seed": 3} | SHAPE, "from_file": {"path": str(tmp_path / "estimator.safetensors")}}
    for name, arguments in nodes.items():
        target = f"dgsr.models.estimator.DegradationEstimator.{name}"
        found = described_estimator({"_target_": target} | arguments, FILE)
        assert found is not None
        weights = [each.get_parameter("conv_first.0.weight") for each in (found, estimator)]
        assert torch.equal(*weights)
    assert described_estimator(None, FILE) is None
    assert described_estimator({"_target_": "types.NoneType"}, FILE) is None


@pytest.mark.parametrize(
    "target", ["os.system", "dgsr.images.torch.hub.load", "dgsr.images.Path.write_text", "dgsr.checks.refuse"]
)
def test_only_network_classes_are_called(target: str) -> None:
    for build in (described_generator, described_estimator):
        with pytest.raises(UserError, match=f"but got a.ckpt with {target}"):
            build({"_target_": target}, FILE)


def test_nested_targets_are_not_called(tmp_path: Path) -> None:
    """Nor is text resolved that OmegaConf would take for a reference."""
    call = {"_target_": "dgsr.images.torch.save", "obj": 1, "f": str(tmp_path / "mine")}
    inside = [call, [call], (call,), f"${{oc.create:{call}}}"]
    for value in inside:
        with pytest.raises(UserError, match=r"a\.ckpt"):
            described_generator(TINY | {"latent_channels": value}, FILE)
    assert described_generator(TINY | {"positive_prompt": "${oc.env:HOME}"}, FILE).prompts.texts[0] == "${oc.env:HOME}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "node",
    [
        None,
        "generator",
        {},
        {"_target_": ["a"]},
        TINY | {"width": 3},
        TINY | {"unet_rank": "x"},
        TINY | {"_args_": [1]},
    ],
)
def test_an_invalid_description_is_one_sentence(node: Any) -> None:
    with pytest.raises(UserError, match=r"^Expected .* a\.ckpt.*\.$"):
        described_generator(node, FILE)


def test_an_unused_backbone_argument_is_refused() -> None:
    with pytest.raises(UserError, match="which needs none"):
        described_generator(TINY, FILE, backbone=BACKBONE)
