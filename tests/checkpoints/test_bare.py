"""Training checkpoints of weights alone, and what they can be made of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checkpoints.bare import save_training
from dgsr.checkpoints.s3diff import load_s3diff
from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

GOLDEN = Path(__file__).parents[1] / "golden"


def test_it_holds_trained_weights_and_the_architecture(tmp_path: Path) -> None:
    generator = load_s3diff(GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd")
    estimator = DegradationEstimator.random(0, channels=(8, 8, 8, 16), blocks=(2, 1, 1, 2))
    save_training(generator, tmp_path / "a.ckpt", estimator=estimator, scale=2)
    checkpoint = read_checkpoint(tmp_path / "a.ckpt")
    nodes = checkpoint["dgsr"]["description"]
    assert (nodes["generator"]["path"], nodes["generator"]["adapters"]["main"]["unet"]["rank"], nodes["scale"]) == (
        generator.source,
        8,
        2,
    )
    shape = {name: nodes["estimator"][name] for name in estimator.shape}
    again = DegradationEstimator.from_file(tmp_path / nodes["estimator"]["path"], **shape)
    assert torch.equal(again.get_parameter("conv_first.0.weight"), estimator.get_parameter("conv_first.0.weight"))
    expected = generator.trainable_state()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in generator_state(checkpoint).items())
    assert not {"optimizer_states", "lr_schedulers"} & checkpoint.keys()


def test_networks_that_cannot_be_rebuilt_are_refused(tmp_path: Path) -> None:
    save_training(OneStepGenerator.tiny(trainable="all"), tmp_path / "all.ckpt")
    with pytest.raises(UserError, match="Export it to a folder"):
        save_training(OneStepGenerator.tiny(trainable="adapter"), tmp_path / "adapter.ckpt")
