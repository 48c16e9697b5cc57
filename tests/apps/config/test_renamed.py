"""Old keys on command lines and in YAML files get their new names, with a warning."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from dgsr.apps.config import renamed
from dgsr.apps.config.renamed import rename_keys, rename_overrides


@pytest.fixture(autouse=True)
def _forget_warnings() -> None:
    renamed._warn.cache_clear()


@pytest.mark.parametrize("prefix", ["", "+", "++", "~"])
def test_prefixes_and_sweeps_stay(prefix: str) -> None:
    given = [f"{prefix}objective.reconstruction.l1=0,2", f"{prefix}objective.adversarial.r1_weight=1"]
    new = [f"{prefix}objective.losses.l1.weight=0,2", f"{prefix}critics.gan.r1_weight=1"]
    assert rename_overrides(given) == new


def test_each_key_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    rename_overrides(["generator.init_from=a", "generator.init_from=b", "seed=1"])
    assert caplog.messages == ["Use init_from instead of generator.init_from."]


def test_values_in_yaml_files_move(caplog: pytest.LogCaptureFixture) -> None:
    cfg = OmegaConf.create(
        {
            "init_from": "a",
            "features": "auto",
            "generator": {"init_from": None, "alpha": 2.0},
            "objective": {
                "reconstruction": {"mse": 3.0},
                "features": "${features}",
                "losses": {"mse": {"_target_": "Mse", "weight": 1.0}},
            },
        }
    )
    OmegaConf.set_struct(cfg, True)
    rename_keys(cfg)
    assert cfg == {
        "init_from": "a",
        "features": "auto",
        "generator": {"alpha": 2.0},
        "objective": {"losses": {"mse": {"_target_": "Mse", "weight": 3.0}}},
    }
    assert caplog.messages == ["Use objective.losses.mse.weight instead of objective.reconstruction.mse."]
