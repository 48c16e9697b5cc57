"""The estimate follows the config, and needs no weights."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from rich.console import Console

from dgsr.apps.config.composing import composed
from dgsr.apps.doctor.footprint import Footprint
from dgsr.apps.doctor.memory import estimate, examine
from dgsr.checks import UserError
from dgsr.training.tasks.restoration import SuperResolution

GOLDEN = Path(__file__).parents[2] / "golden"
SWITCHES = ("gradient_checkpointing", "slice_decoder")
SMALL = ("debug=fdr", "trainer=cpu", "objective.losses.lpips.weight=0", "metrics.names=[psnr]")


def config(*overrides: str) -> DictConfig:
    return composed("train", [*SMALL, *overrides])


def test_a_table_with_savings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def traced(cfg: DictConfig) -> Footprint:
        asked.append((cfg.trainer.precision, *(cfg.generator[name] for name in SWITCHES), cfg.run.micro_batch))
        return Footprint(2**30, 2**29, 2**28, 0, 0, 2**28 if len(asked) > 1 else 2**30, 0)

    monkeypatch.setattr("dgsr.apps.doctor.memory.estimate", traced)
    console = Console(width=100, record=True, file=io.StringIO())
    cfg = config("data.global_batch=4", "run.micro_batch=4")
    console.print(examine(cfg))
    text = console.export_text()
    assert asked == [
        ("32-true", False, False, 4),
        ("bf16-mixed", False, False, 4),
        ("bf16-mixed", True, False, 4),
        ("bf16-mixed", True, True, 4),
        ("bf16-mixed", True, True, 1),
    ]
    assert all(number in text for number in ("total", "2.75", "generator.gradient_checkpointing=true", "2.00"))
    assert cfg.run.micro_batch == 4


def traced_with(monkeypatch: pytest.MonkeyPatch, *overrides: str) -> dict[str, Any]:
    """Return what a config has traced."""
    asked: dict[str, Any] = {}

    def footprint(module: SuperResolution, crop_px: int, share: int, **how: Any) -> Footprint:
        asked.update(how, module=module, crop_px=crop_px, share=share)
        return Footprint(0, 0, 0, 0, 0, 0, 0)

    monkeypatch.setattr("dgsr.apps.doctor.memory.footprint", footprint)
    estimate(config(*overrides))
    return asked


def test_an_outline_of_the_backbone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for description in (GOLDEN / "tiny-sd").glob("*/*.json"):
        copy = tmp_path / description.relative_to(GOLDEN / "tiny-sd")
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(description.read_text())
    rank = "generator.adapters.main.unet.rank=4"
    asked = traced_with(monkeypatch, "generator=sd_turbo", f"generator.path={tmp_path}", rank)
    generator = asked["module"].generator
    assert generator.unet.conv_in.weight.is_meta
    assert generator.options.adapters["main"].unet.rank == 4


def test_samples_are_shared_among_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = traced_with(monkeypatch, "data.global_batch=8", "trainer.devices=2", "trainer.precision=16-mixed")
    assert (asked["share"], asked["crop_px"], asked["half"]) == (4, 64, torch.float16)
    assert (asked["on_gpu"], asked["all_negative"]) == (False, True)


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"data\.global_batch as a multiple of 2 \(devices\)"):
        traced_with(monkeypatch, "data.global_batch=3", "trainer.devices=2")


def test_an_oracle_s_step_can_be_traced() -> None:
    assert estimate(config("variant=oracle_scores")).total > 0


def test_without_negative_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = traced_with(monkeypatch, "objective.negative_prob=0.0", "trainer=gpu")
    assert (asked["on_gpu"], asked["all_negative"], asked["half"]) == (True, False, None)
