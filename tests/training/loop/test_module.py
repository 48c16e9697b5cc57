"""Test step counters, exact resume, and which tensors are trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from torch.amp.grad_scaler import GradScaler

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.training.callbacks import Checkpoints
from dgsr.training.loop.checkpoint_io import AtomicCheckpointIO
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import make_data, make_module, make_trainer


def test_values_reduced_over_ranks_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor would stay where it is, and NCCL reduces none of the CPU's; a number comes to the module's device."""
    module, reduced = make_module(1, adversarial=False), dict[str, Any]()
    monkeypatch.setattr(module, "log_dict", lambda values, sync_dist=False, **_: sync_dist and reduced.update(values))
    make_trainer().validate(module, make_data(), verbose=False)
    assert {"val/psnr", "step"} <= reduced.keys()
    assert all(isinstance(value, float) for value in reduced.values())


class Losses(lightning.Callback):
    """Keep what was logged at every step; the loss of the second step is infinite."""

    def __init__(self) -> None:
        self.recorded: list[dict[str, float]] = []

    def on_train_batch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, SuperResolution)
        pl_module.objective.weights["mse"] = float("inf") if pl_module.step == 1 else 2.0

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        logged = trainer.callback_metrics.items()
        self.recorded.append({name: float(value) for name, value in logged if name.startswith("train/")})


def _run(
    folder: Path, update: Any, max_steps: int, workers: int = 0, resume: bool = False, fp16: bool = False
) -> tuple[SuperResolution, Losses]:
    module, losses = make_module(6, update, ema_decay=0.9), Losses()
    module.max_steps = max_steps
    saving = Checkpoints(str(folder), every_steps=3, monitor="psnr")
    data = make_data(num_workers=workers)
    path = folder / "last.ckpt" if resume else None
    scaler = GradScaler("cpu", init_scale=256.0, growth_interval=3)
    plugins = [AtomicCheckpointIO(), *([MixedPrecision("16-mixed", "cpu", scaler)] if fp16 else [])]
    trainer = make_trainer(validate_every_steps=3, callbacks=[losses, saving], plugins=plugins)
    trainer.fit(module, data, ckpt_path=path)
    return module, losses


@pytest.mark.parametrize(
    ("update", "workers", "fp16"),
    [("joint", 0, True), ("alternating", 0, False), ("joint", 2, False)],
)
def test_resumed_run_equals_the_uninterrupted_one(tmp_path: Path, update: Any, workers: int, fp16: bool) -> None:
    whole, whole_losses = _run(tmp_path / "whole", update, 6, workers, fp16=fp16)
    _run(tmp_path / "cut", update, 4, workers, fp16=fp16)  # stops between two validations
    torch.rand(10)  # the state of the global generator must not matter
    resumed, resumed_losses = _run(tmp_path / "cut", update, 6, workers, resume=True, fp16=fp16)

    assert resumed.step == whole.step == 6
    state = resumed.state_dict()
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert resumed_losses.recorded == whole_losses.recorded[4:]
    assert resumed.validations[-1] == whole.validations[-1]
    files = [read_checkpoint(tmp_path / run / "last.ckpt") for run in ("whole", "cut")]
    assert all(torch.equal(tensor, files[1]["ema"][name]) for name, tensor in files[0]["ema"].items())
    for part in ("lr_schedulers", "MixedPrecision"):
        assert files[0].get(part) == files[1].get(part)
    assert files[0]["dgsr"]["bad_steps"] == files[1]["dgsr"]["bad_steps"] == {"total": 1, "in_a_row": 0}
    for ours, theirs in zip(*(file["optimizer_states"] for file in files), strict=True):
        for key, values in ours["state"].items():
            assert all(torch.equal(values[n], theirs["state"][key][n]) for n in values)


def test_position_counts_samples_and_step_counts_batches() -> None:
    module = make_module(3)
    make_trainer().fit(module, make_data(global_batch=4))
    assert (module.step, module.position) == (3, 12)


def test_checkpoint_holds_only_trained_tensors(tmp_path: Path) -> None:
    module = make_module(1, trainable="adapter")
    trainer = make_trainer()
    trainer.fit(module, make_data())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    state = read_checkpoint(tmp_path / "a.ckpt")["state_dict"]
    trainable = sum(p.numel() for p in module.generator.parameters() if p.requires_grad)
    saved = sum(tensor.numel() for name, tensor in state.items() if name.startswith("generator."))
    frozen = sum(p.numel() for p in module.generator.parameters() if not p.requires_grad)
    assert trainable <= saved < trainable + frozen / 10
    assert not any(name.startswith(("estimator.", "objective.", "metrics.")) for name in state)


def test_with_decoder_changes_the_decoder_but_not_the_unet() -> None:
    module = make_module(1, trainable="with_decoder", adversarial=False)
    before = {name: tensor.clone() for name, tensor in module.generator.every_weight().items()}
    make_trainer(limit_val_batches=0).fit(module, make_data())
    moved = {name for name, tensor in module.generator.every_weight().items() if not torch.equal(tensor, before[name])}
    assert {"vae.decoder.conv_out.weight", "vae.decoder.conv_in.weight", "vae.post_quant_conv.weight"} <= moved
    parts = ("conditioning.", "vae.decoder.", "vae.post_quant_conv.", "unet.conv_in.")
    assert all(".lora_" in name or name.startswith(parts) for name in moved)


def test_unequal_micro_batches_are_refused() -> None:
    module = make_module(1, micro_batch=2)
    with pytest.raises(UserError, match=r"data\.global_batch as a multiple of 1 .* 2 \(run\.micro_batch\)"):
        make_trainer().fit(module, make_data(global_batch=3))


def test_resumed_run_follows_the_learning_rate_of_its_config(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    _run(folder, "joint", 3)
    module = make_module(6, "joint", lr=0.0)
    before = read_checkpoint(folder / "last.ckpt")["state_dict"]
    saving = Checkpoints(str(tmp_path / "other"), every_steps=100, monitor="psnr")
    make_trainer(callbacks=[saving]).fit(module, make_data(), ckpt_path=folder / "last.ckpt")
    assert module.step == 6
    trained = {name for name, _ in module.generator.named_parameters(prefix="generator")}
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items() if name in trained)


def test_resumed_run_follows_the_optimizer_of_its_config(tmp_path: Path) -> None:
    _run(tmp_path / "run", "joint", 3)
    module = make_module(4, "joint")
    decaying = {"generator": lambda p: torch.optim.AdamW(p, 1e-3, weight_decay=0.5)}
    module.loop.settings = replace(module.settings, optimizers={**module.settings.optimizers, **decaying})
    saving = Checkpoints(str(tmp_path / "other"), every_steps=100, monitor="psnr")
    make_trainer(callbacks=[saving]).fit(module, make_data(), ckpt_path=tmp_path / "run" / "last.ckpt")
    optimizers: Any = module.optimizers(use_pl_optimizer=False)
    assert [optimizer.param_groups[0]["weight_decay"] for optimizer in optimizers] == [0.5, 0.01]
