"""The estimator against the original program, and the files it accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL: dict[str, Any] = {"channels": (8, 8, 8, 16), "blocks": (2, 1, 1, 2)}


def test_golden():
    estimator = DegradationEstimator.from_file(GOLDEN / "de_net_small.pth", **SMALL)
    golden = load_file(GOLDEN / "estimator.safetensors")
    torch.testing.assert_close(estimator(golden["image"]), golden["scores"], rtol=0, atol=1e-4)


def test_names_and_shapes_are_the_published_ones():
    estimator = DegradationEstimator()
    shapes = {name: list(tensor.shape) for name, tensor in estimator.state_dict().items()}
    assert shapes == json.loads((GOLDEN / "de_net_full_keys.json").read_text())
    assert sum(parameter.numel() for parameter in estimator.parameters()) == 2_351_362


@pytest.mark.parametrize("nesting", ["params", "params_ema"])
def test_nested_weights(tmp_path, nesting):
    state = torch.load(GOLDEN / "de_net_small.pth", weights_only=True)
    torch.save({nesting: state}, tmp_path / "nested.pth")
    estimator = DegradationEstimator.from_file(tmp_path / "nested.pth", **SMALL)
    assert torch.equal(estimator.get_parameter("conv_first.0.weight"), state["conv_first.0.weight"])


def test_loaded_and_random_estimators_are_frozen():
    estimator = DegradationEstimator.random(0, **SMALL)
    assert not any(parameter.requires_grad for parameter in estimator.parameters())


def test_random_scores_depend_on_the_seed_alone():
    images = torch.rand(2, 3, 16, 24)
    before = torch.get_rng_state()
    first, again, other = (DegradationEstimator.random(seed, **SMALL)(images) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_refuses_a_missing_file():
    with pytest.raises(UserError, match=r"got missing\.pth\. Check the path"):
        DegradationEstimator.from_file("missing.pth")


def test_refuses_what_is_not_plain_tensors(tmp_path):
    torch.save({"params": Path("code")}, tmp_path / "bad.pth")
    with pytest.raises(UserError, match="weights_only=True"):
        DegradationEstimator.from_file(tmp_path / "bad.pth")


def test_names_tensors_that_do_not_fit():
    with pytest.raises(UserError, match=r"names or shapes differ \(body\.0\.0\.conv1\.bias"):
        DegradationEstimator.from_file(GOLDEN / "de_net_small.pth")


@pytest.mark.parametrize("shape", [{}, {"blocks": (1, 2, 1, 1), "down_scales": (2, 1, 2, 1)}])
def test_reach_px_is_the_radius_of_the_receptive_field(shape):
    estimator = DegradationEstimator.random(0, **({"channels": (4, 4, 4, 8)} | shape))
    lq = torch.rand(1, 3, 160, 4, dtype=torch.float64, requires_grad=True)
    features = estimator.double().features(lq)[0]
    row = features.shape[-2] // 2
    (gradient,) = torch.autograd.grad(features[..., row, :].sum(), lq)
    seen = gradient.abs().sum(dim=(0, 1, 3)).nonzero()
    centre = row * 160 // features.shape[-2]
    assert estimator.reach_px - 4 <= max(centre - seen.min(), seen.max() - centre) <= estimator.reach_px
