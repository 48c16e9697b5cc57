"""Commands name their model in the same words."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch

from dgsr.apps.commands.model_arguments import add_machine, add_parts, add_source, device, load, memory_bytes, source_of
from dgsr.checkpoints import save_pretrained
from dgsr.checkpoints.loading import BUNDLED
from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator


@pytest.fixture
def parser() -> ArgumentParser:
    parser = ArgumentParser()
    for add in (add_source, add_parts, add_machine):
        add(parser)
    return parser


def test_the_defaults(parser: ArgumentParser) -> None:
    arguments = parser.parse_args([])
    assert (arguments.model, arguments.weights, arguments.device) == (None, "auto", "auto")
    assert memory_bytes(arguments) is None
    assert memory_bytes(parser.parse_args(["--memory", "0.5"])) == 2**29


@pytest.mark.parametrize("size", ["nan", "inf", "-1", "0"])
def test_an_invalid_memory_size_is_refused(parser: ArgumentParser, size: str) -> None:
    with pytest.raises(UserError, match="--memory above 0"):
        memory_bytes(parser.parse_args([f"--memory={size}"]))


def test_unsupported_precision_is_refused(parser: ArgumentParser) -> None:
    for precision in ("fp32", "bf16"):
        assert device(parser.parse_args(["--device", "cpu", "--precision", precision])) == torch.device("cpu")
    with pytest.raises(UserError, match=r"but got fp16\. Use bf16"):
        device(parser.parse_args(["--device", "cpu", "--precision", "fp16"]))


def test_the_parts_reach_the_model(parser: ArgumentParser, tmp_path: Path) -> None:
    save_pretrained(OneStepGenerator.tiny(), tmp_path / "model")
    torch.save(DegradationEstimator().state_dict(), tmp_path / "de_net.pth")
    assert load(str(tmp_path / "model"), parser.parse_args([])).estimator is None
    given = parser.parse_args(["--estimator", str(tmp_path / "de_net.pth")])
    assert load(str(tmp_path / "model"), given).estimator is not None


def test_the_default_is_the_bundled_model_and_last_is_the_newest_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    with pytest.raises(UserError, match=r"a run with a checkpoint under .*, but got none\. Start one: dgsr train"):
        source_of("last")
    checkpoint = tmp_path / "train" / "runs" / "a" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert source_of("last") == str(checkpoint)
    assert source_of(None) == BUNDLED
    assert source_of("released") == "released"
