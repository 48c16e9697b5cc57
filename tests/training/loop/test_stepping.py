"""Test bad steps, gradient clipping and the loss scale of fp16."""

from __future__ import annotations

import dataclasses
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from torch.amp.grad_scaler import GradScaler

from dgsr.checks import UserError
from dgsr.training.loop.checkpoint_io import AtomicCheckpointIO
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import make_data, make_module, make_trainer


class BadLoss(lightning.Callback):
    """Make a loss infinite at some steps, and remember the weights after each."""

    def __init__(self, *steps: int) -> None:
        self.steps, self.states = steps, []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        pl_module.objective.weights["mse"] = float("inf") if pl_module.step in self.steps else 2.0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
        self.states.append({name: tensor.clone() for name, tensor in pl_module.state_dict().items()})


def _moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Name the networks that differ; the discriminator's spectral norms move with every forward."""
    names = [name for name in after if not name.endswith(("._u", "._v"))]
    return {name.split(".")[0] for name in names if not torch.equal(after[name], before[name])}


def _scaled(scale: float = 2.0**16) -> dict[str, Any]:
    """Settings of a trainer in fp16, which Lightning by itself would turn into bf16 on a CPU."""
    scaler = GradScaler("cpu", init_scale=scale)
    return {"plugins": [AtomicCheckpointIO(), MixedPrecision("16-mixed", "cpu", scaler)]}


def test_bad_step_is_skipped_and_the_run_continues() -> None:
    module, watch = make_module(4), BadLoss(0, 2)
    make_trainer(callbacks=[watch]).fit(module, make_data())
    states = watch.states
    start = make_module(4).state_dict()
    assert _moved(start, states[0]) == {"discriminator"}  # its losses were finite
    assert _moved(states[0], states[1]) == {"generator", "discriminator"}
    assert _moved(states[1], states[2]) == {"discriminator"}
    assert module.bad_steps.state_dict() == {"total": 2, "in_a_row": 0}
    assert module.step == 4
    moments = module.optimizers(use_pl_optimizer=False)[0].state.values()  # type: ignore[index]
    assert {int(state["step"]) for state in moments} == {2}


def test_too_many_bad_steps_end_the_run_with_the_loss_named() -> None:
    module = make_module(9, adversarial=False, max_bad_steps=2)
    with pytest.raises(UserError, match=r"the loss mse at step 3, the last of 2 bad steps in a row"):
        make_trainer(callbacks=[BadLoss(1, 2, 3, 4)]).fit(module, make_data())


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_network_with_the_bad_gradient_is_named(network: str) -> None:
    module = make_module(1, max_bad_steps=1)
    parameter = module.loop.trained[network][0]
    parameter.register_hook(lambda gradient: gradient * float("nan"))
    with pytest.raises(UserError, match=rf"NaN or Inf in the gradient of the {network} at step 1"):
        make_trainer().fit(module, make_data())


@pytest.mark.parametrize(("network", "other"), [("generator", "discriminator"), ("discriminator", "generator")])
def test_networks_are_clipped_separately(network: str, other: str) -> None:
    module = make_module(1, "alternating")
    sizes: dict[str, list[float]] = {"generator": [], "discriminator": []}
    lr = 0.5
    module.loop.settings = dataclasses.replace(
        module.settings,
        clip_norm={network: 1e-3, other: None},
        optimizers={name: lambda p: torch.optim.SGD(p, lr) for name in sizes},
        schedule=lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0),
    )
    original = module.loop._step

    def measured(name: Any, *rest: Any) -> None:
        before = [p.detach().clone() for p in module.loop.trained[name]]
        original(name, *rest)
        moves = [(p.detach() - old).norm() / lr for p, old in zip(module.loop.trained[name], before, strict=True)]
        sizes[name].append(float(torch.stack(moves).norm()))

    module.loop._step = measured  # type: ignore[method-assign]
    make_trainer().fit(module, make_data())
    assert sizes[network] == pytest.approx([1e-3] * len(sizes[network]), rel=1e-2)
    assert min(sizes[other]) > 1e-2


def test_fp16_lowers_its_scale_before_a_step_counts_as_bad() -> None:
    module, watch = make_module(3, adversarial=False, max_bad_steps=1), BadLoss()
    trainer = make_trainer(callbacks=[watch], **_scaled(2.0**40))  # overflows in fp16
    trainer.fit(module, make_data())
    assert not _moved(watch.states[0], watch.states[2])
    assert module.bad_steps.total == 0
    assert trainer.precision_plugin.state_dict()["scale"] == 2.0**37


def test_infinite_gradient_at_scale_1_is_bad() -> None:
    module = make_module(1, adversarial=False, max_bad_steps=1)
    next(module.generator.parameters()).register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(UserError, match="the gradient of the generator at step 1"):
        make_trainer(**_scaled(1.0)).fit(module, make_data())


def test_bad_loss_does_not_change_the_scale() -> None:
    module, trainer = make_module(1, adversarial=False), make_trainer(callbacks=[BadLoss(0)], **_scaled())
    trainer.fit(module, make_data())
    assert module.bad_steps.total == 1
    assert trainer.precision_plugin.state_dict()["scale"] == 2.0**16


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_training_is_close_to_fp32(precision: Any) -> None:
    modules: list[SuperResolution] = []
    half_plugins = [AtomicCheckpointIO(), MixedPrecision(precision, "cpu")]
    for changes in (dict[str, Any](), {"plugins": half_plugins}):
        module = make_module(2, lr=1e-4)
        make_trainer(**changes).fit(module, make_data())
        modules.append(module)
    full, half = (torch.cat([p.detach().flatten() for p in module.generator.parameters()]) for module in modules)
    start = torch.cat([p.detach().flatten() for p in make_module().generator.parameters()])
    assert half.dtype == torch.float32
    assert torch.cosine_similarity(full - start, half - start, dim=0) > 0.9


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_trains_on_a_gpu(precision: Any) -> None:
    module = make_module(20, "alternating", ema_decay=0.9)
    make_trainer(accelerator="gpu", devices=1, precision=precision, validate_every_steps=20).fit(module, make_data())
    assert module.bad_steps.total == 0
    assert all(tensor.isfinite().all() for tensor in module.state_dict().values())


def test_precisions_without_fp32_weights_are_refused() -> None:
    with pytest.raises(UserError, match=r"one of 32-true, bf16-mixed, 16-mixed, 64-true, but got bf16-true"):
        make_trainer(precision="bf16-true").fit(make_module(), make_data())
