"""Weights of losses stand beside their nodes and reach the objective as a mapping."""

from __future__ import annotations

import pytest
from hydra import compose
from omegaconf import DictConfig

from dgsr.apps.config.checking import check
from dgsr.apps.config.schema import TrainConfig
from dgsr.apps.config.sources import conf_dir, hydra_sources
from dgsr.apps.config.weights import split_weights
from dgsr.checks import UserError


def config(*overrides: str) -> DictConfig:
    with hydra_sources(conf_dir(), None):
        return compose("train", ["paths.run=none", *overrides])


def test_losses_of_weight_0_and_null_ones_are_left_out() -> None:
    cfg = config("objective.losses.l1.weight=0", "objective.losses.lpips=null", "objective.losses.mse.weight=3")
    split = split_weights(cfg).objective
    assert (split.weights, list(split.losses)) == ({"mse": 3.0}, ["mse"])
    assert "weight" not in split.losses.mse
    assert cfg.objective.losses.mse.weight == 3


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("objective.losses.mse=high", r"a loss with _target_ and weight for objective\.losses\.mse, but got 'high'"),
        ("objective.losses.mse.weight=high", r"a float for objective\.losses\.mse\.weight, but got 'high'"),
        ("~objective.losses.mse.weight", r"a value for objective\.losses\.mse\.weight, but got none"),
        ("+objective.losses.mine={weight:1}", r"a value for objective\.losses\.mine\._target_, but got none"),
        ("+objective.losses.dists.net=vgg", r"a known key, but got objective\.losses\.dists\.net"),
    ],
)
def test_a_wrong_loss_is_named(override: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        check(config(override), TrainConfig)
