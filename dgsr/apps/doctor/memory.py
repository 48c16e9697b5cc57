"""`dgsr doctor --memory`: estimate the memory of a training step, and possible savings."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Group
from rich.table import Table

from dgsr.apps.doctor.devices import num_devices, on_gpu
from dgsr.apps.doctor.footprint import Footprint, footprint
from dgsr.apps.runs.training import build_module, quiet_libraries
from dgsr.checks import refuse
from dgsr.training.data.datamodule import accumulation
from dgsr.training.tasks.restoration import SuperResolution

_GIB = 2**30
_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

#: What lowers memory, in the order in which to try it.
_SAVINGS: dict[str, Any] = {
    "trainer.precision": "bf16-mixed",
    "generator.gradient_checkpointing": True,
    "generator.slice_decoder": True,
    "run.micro_batch": 1,
}


def examine(cfg: DictConfig) -> Group:
    """Trace a step as configured, then with one saving option after the other."""
    quiet_libraries()
    return Group(_parts(estimate(cfg)), _savings(cfg))


def estimate(cfg: DictConfig) -> Footprint:
    """Estimate the memory of one step on one device, in the worst case over random draws.

    Raises:
        UserError: The run is no restoration, or its global batch cannot be shared evenly.
    """
    module = build_module(_outlined(cfg), fresh=False)  # shapes do not depend on the initial weights
    if not isinstance(module, SuperResolution):
        refuse("a run with task=restoration", type(module).__name__, "Others are small: just start them.")
    devices = num_devices(cfg)
    accumulation(cfg.data.global_batch, devices, cfg.run.micro_batch)
    return footprint(
        module,
        cfg.data.crop_px,
        cfg.data.global_batch // devices,
        half=_HALF.get(str(cfg.trainer.precision)),
        on_gpu=on_gpu(cfg),
        all_negative=cfg.objective.negative_prob > 0,
        distributed=devices > 1,
    )


def _outlined(cfg: DictConfig) -> DictConfig:
    """Replace the pretrained weights of the backbone and the discriminator by random ones, which are not downloaded."""
    outlined = copy.deepcopy(cfg)
    OmegaConf.set_struct(outlined, False)
    outlined.init_from = None
    if cfg.discriminator is not None and "weights" in cfg.discriminator:
        outlined.discriminator.weights = "random"
    if cfg.generator is not None:
        outlined.generator["_target_"] = str(cfg.generator["_target_"]).replace(".from_backbone", ".outline")
    return outlined


def _parts(parts: Footprint) -> Table:
    table = Table("part", "GiB", title="One training step on one device, at its fullest")
    for field in fields(parts):
        table.add_row(field.name, _gib(getattr(parts, field.name)))
    table.add_section()
    table.add_row("total", _gib(parts.total))
    return table


def _savings(cfg: DictConfig) -> Table:
    table = Table("saving, together with those above", "GiB", title="What would lower it")
    for saving, lowered in _lowered(cfg):
        table.add_row(saving, _gib(lowered.total))
    return table


def _lowered(cfg: DictConfig) -> Iterator[tuple[str, Footprint]]:
    cfg = copy.deepcopy(cfg)
    for key, value in _SAVINGS.items():
        if OmegaConf.select(cfg, key) != value:
            OmegaConf.update(cfg, key, value, force_add=True)
            yield f"{key}={value}".replace("=True", "=true"), estimate(cfg)


def _gib(size: int) -> str:
    return f"{size / _GIB:.2f}"
