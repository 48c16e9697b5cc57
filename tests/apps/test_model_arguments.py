"""Commands name their model in the same words."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch

from dgsr.apps.model_arguments import add_machine, add_parts, add_source, load, memory_bytes
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


def test_the_parts_reach_the_model(parser: ArgumentParser, tmp_path: Path) -> None:
    OneStepGenerator.tiny().save_pretrained(tmp_path / "model")
    torch.save(DegradationEstimator().state_dict(), tmp_path / "de_net.pth")
    assert load(str(tmp_path / "model"), parser.parse_args([])).estimator is None
    given = parser.parse_args(["--estimator", str(tmp_path / "de_net.pth")])
    assert load(str(tmp_path / "model"), given).estimator is not None
