"""Test training with several critics."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.losses import Attempt
from dgsr.models.discriminators import PatchDiscriminator
from dgsr.training.critics import Critic, Gan
from dgsr.training.critics.interface import Terms, critics_state, restore_critics
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import make_data, make_module, make_settings, make_trainer


class Level(Critic):
    """Learn the level of real images, and pull restorations towards it; it uses the latent too."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(1, 1))

    def judge(self, attempt: Attempt) -> Terms:
        assert self.network is not None
        assert attempt.latent is not None
        level = self.network(attempt.sr.new_ones(1, 1)).squeeze()
        return {"level": (attempt.sr.mean() - level).square(), "energy": 1e-3 * attempt.latent.square().mean()}

    def learn(self, attempt: Attempt) -> tuple[Terms, Terms]:
        assert self.network is not None
        assert not attempt.sr.requires_grad
        error = self.network(attempt.hq.new_ones(1, 1)).squeeze() - attempt.hq.mean()
        return {"own": error.square()}, {"error": error}


class Calm(Critic):
    """A critic that trains nothing, and is active from the second step on."""

    def weight_at(self, step: int) -> float:
        return float(step >= 1)

    def judge(self, attempt: Attempt) -> Terms:
        return {"change": (attempt.sr - attempt.lq_up).square().mean()}


def _module(update: str = "joint") -> SuperResolution:
    source = make_module(2)
    return SuperResolution(
        generator=source.network,
        estimator=source.estimator,
        critics={"gan": Gan(PatchDiscriminator()), "level": Level(), "calm": Calm(), "off": None},
        objective=source.objective,
        update=update,
        upscaler=lambda **_: source.upscaler,
        metrics={},
        settings=make_settings(2),
    )


@pytest.mark.parametrize("update", ["joint", "alternating"])
def test_each_critic_is_trained_logged_and_saved_by_name(tmp_path: Path, update: str) -> None:
    module, trainer = _module(update), make_trainer()
    before = {name: tensor.clone() for name, tensor in critics_state(module.critics).items()}
    trainer.fit(module, make_data())
    assert list(module.loop.trained) == ["generator", "discriminator", "critics.level"]
    assert len(trainer.optimizers) == 3
    logged = {name.removeprefix("train/") for name in trainer.callback_metrics if name.startswith("train/")}
    terms = {"mse", "gan", "level/level", "level/energy", "calm/change"}
    assert terms | {"discriminator", "level/own", "level/error", "grad_norm/critics.level"} <= logged
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    state = read_checkpoint(tmp_path / "a.ckpt")["state_dict"]
    assert {name for name in state if not name.startswith(("generator.", "discriminator."))} == {
        "critics.level.weight",
        "critics.level.bias",
    }
    assert not torch.equal(state["critics.level.bias"], before["critics.level.bias"])

    other = _module(update)
    other.load_state_dict(state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in critics_state(other.critics).items())


def test_state_of_another_discriminator_is_refused() -> None:
    state = critics_state({"gan": Gan(PatchDiscriminator(width=16))})
    with pytest.raises(UserError, match="a checkpoint of this discriminator"):
        restore_critics({"gan": Gan(PatchDiscriminator(width=24))}, state)
