"""Configs: one list with everything that is wrong in a composed config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from omegaconf import DictConfig, OmegaConf

from dgsr.apps import check
from dgsr.checks import UserError


class Loss:
    """A thing to build."""

    def __init__(self, weight: float, kind: Literal["l1", "l2"] = "l2", scales: list[int] | None = None) -> None:
        self.weight = weight

    @classmethod
    def preset(cls, name: str, **options: float) -> Loss:
        """Build it in another way."""
        return cls(len(name) + len(options))


def runs(**named: Run | dict[str, Any]) -> int:
    """Take any number of plain nodes."""
    return len(named)


@dataclass(frozen=True)
class Run:
    """A plain node."""

    max_steps: int
    clip_norm: float | None


@dataclass(frozen=True)
class Config:
    """The whole."""

    seed: int
    run: Run
    loss: Any
    name: str = "default"
    parts: dict[str, Any] | None = None


LOSS = f"{__name__}.Loss"
GOOD = {"seed": 0, "run": {"max_steps": 5, "clip_norm": 1}, "loss": {"_target_": LOSS, "weight": 2}}


def config(changes: dict[str, Any]) -> DictConfig:
    cfg = OmegaConf.create(GOOD)
    for key, value in changes.items():
        OmegaConf.update(cfg, key, value, merge=False, force_add=True)
    return cfg


def problems(cfg: DictConfig) -> list[str]:
    with pytest.raises(UserError) as error:
        check(cfg, Config)
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"run.clip_norm": None, "name": "x"},
        {"loss.kind": "l1", "loss.scales": [1, 2]},
        {"seed": "${run.max_steps}"},
        {"loss": {"_target_": f"{LOSS}.preset", "name": "a", "any": 1.0}},
        {"loss": {"_target_": LOSS, "_partial_": True, "kind": "l1"}},
        {"loss": {"_target_": LOSS, "_args_": [3.0]}},
        {"loss": {"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 1e-3, "betas": [0.9, 0.999]}},
        {"loss": {"_target_": "builtins.dict", "a": 1}},
        {"parts": {"a": {"_target_": LOSS, "weight": 1}, "b": [1, "x", None]}},
        {"loss": {"free": {"of": ["any", 3]}}},
        {"loss": {"_target_": f"{__name__}.runs", "a": {"max_steps": 1, "clip_norm": None}}},
    ],
)
def test_a_good_config_passes(changes: dict[str, Any]) -> None:
    check(config(changes), Config)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sead": 1}, "Expected a known key, but got sead. Did you mean seed?"),
        ({"run.max_step": 1}, "Expected a known key, but got run.max_step. Did you mean run.max_steps?"),
        ({"loss.wieght": 1}, "Expected a known key, but got loss.wieght. Did you mean loss.weight?"),
        ({"run.blue": 1}, "Expected a known key, but got run.blue. Known there: clip_norm, max_steps."),
        ({"seed": "???"}, "Expected a value for seed, but got none. Set seed=…."),
        ({"loss.weight": "???"}, "Expected a value for loss.weight, but got none. Set loss.weight=…."),
        ({"loss": {"_target_": LOSS}}, "Expected a value for loss.weight, but got none. Set loss.weight=…."),
        ({"loss._target_": "???"}, "Expected a value for loss._target_, but got none. Set loss._target_=…."),
        ({"seed": 0.5}, "Expected an int for seed, but got 0.5."),
        ({"seed": None}, "Expected an int for seed, but got null."),
        ({"run": 3}, "Expected a Run for run, but got 3."),
        ({"run.clip_norm": "high"}, "Expected a float or null for run.clip_norm, but got 'high'."),
        ({"loss.kind": "l3"}, "Expected one of l1, l2 for loss.kind, but got 'l3'."),
        ({"loss.scales": [1, "x"]}, "Expected a list of ints or null for loss.scales, but got [1, 'x']."),
        ({"loss.weight": {"a": 1}}, "Expected a float for loss.weight, but got {'a': 1}."),
        ({"loss._target_": f"{LOSS}es"}, f"to name a class or function, but got {LOSS}es. Did you mean {LOSS}?"),
        ({"loss._target_": "nowhere.Loss"}, "but got nowhere.Loss. No module named 'nowhere'"),
        ({"loss": {"_target_": f"{LOSS}.preset", "name": 1}}, "Expected a text for loss.name, but got 1."),
        ({"parts": {"a": [{"_target_": LOSS}]}}, "Expected a value for parts.a.0.weight, but got none."),
        (
            {"loss": {"_target_": f"{__name__}.runs", "a": {"max_steps": 1, "clip_nrm": 1, "clip_norm": 1}}},
            "Expected a known key, but got loss.a.clip_nrm. Did you mean loss.a.clip_norm?",
        ),
        ({"parts": {"a": {"b": "???"}}}, "Expected a value for parts.a.b, but got none."),
        ({"name": "${nowhere}"}, "Interpolation key 'nowhere' not found"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], problem: str) -> None:
    (line,) = problems(config(changes))
    assert problem in line


def test_all_mistakes_come_at_once() -> None:
    changes = {"sead": 1, "seed": "???", "run.max_steps": "many", "loss.kind": 3, "loss.scale": 1, "name": "${seed}"}
    lines = problems(config(changes))
    assert sorted(line.split()[-1] for line in lines) == sorted(["seed?", "seed=….", "'many'.", "3.", "loss.scales?"])


def test_a_mistake_in_a_shared_node_is_reported_once() -> None:
    lines = problems(config({"loss.kind": "l3", "parts": {"again": "${loss}"}}))
    assert lines == ["Expected one of l1, l2 for loss.kind, but got 'l3'."]


def test_a_missing_key_of_the_schema_is_reported() -> None:
    cfg = OmegaConf.create({key: GOOD[key] for key in ("seed", "loss")})
    assert problems(cfg) == ["Expected a value for run, but got none. Set run=…."]
