"""A run whose discriminator has a frozen part: what moves, and what its checkpoint holds."""

from __future__ import annotations

from pathlib import Path

import torch

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.models.discriminators import DinoDiscriminator
from dgsr.training.critics import Gan
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import make_data, make_module, make_settings, make_trainer


def _module() -> tuple[SuperResolution, DinoDiscriminator]:
    source = make_module(2)
    discriminator = DinoDiscriminator("test_vit", weights="random", blocks=(2, 4), input_px=64, width=8)
    gan = Gan(discriminator, "relativistic", r1_weight=1.0, augment=["color", "translation", "cutout"])
    module = SuperResolution(
        generator=source.generator,
        estimator=source.estimator,
        critics={"gan": gan},
        objective=source.objective,
        update=source.update,
        upscaler=lambda **_: source.upscaler,
        metrics={},
        settings=make_settings(2, micro_batch=1),
    )
    return module, discriminator


def test_only_the_heads_are_trained_and_saved(tmp_path: Path) -> None:
    module, discriminator = _module()
    before = {name: p.detach().clone() for name, p in discriminator.named_parameters()}
    trainer = make_trainer()
    trainer.fit(module, make_data())
    changed = {name for name, p in discriminator.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {name for name in before if name.startswith("heads.")}

    logged = {name for name in trainer.callback_metrics if name.startswith("train/")}
    assert logged >= {
        "train/gan",
        "train/r1",
        "train/discriminator",
        "train/judged_real/real",
        "train/judged_real/fake",
    }

    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = {name: t for name, t in read_checkpoint(tmp_path / "a.ckpt")["state_dict"].items() if "discr" in name}
    assert saved.keys() == {f"discriminator.{name}" for name in discriminator.heads.state_dict()}
    again, fresh = _module()
    again.load_state_dict(read_checkpoint(tmp_path / "a.ckpt")["state_dict"])
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, saved[f"discriminator.{name}"]), name
