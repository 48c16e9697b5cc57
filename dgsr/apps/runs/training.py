"""Run a training from its composed config: check, build, validate, train."""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from dgsr.apps.config.checking import check
from dgsr.apps.config.renamed import rename_keys
from dgsr.apps.config.schema import TrainConfig
from dgsr.apps.config.weights import split_weights
from dgsr.apps.runs.continuation import checkpoint_of, expect_continuable, plain_config, report_changes
from dgsr.apps.runs.record import write_record
from dgsr.checkpoints import start_from
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import expect, refuse
from dgsr.training.callbacks.provenance import Provenance
from dgsr.training.loop.machine import build_trainer
from dgsr.training.loop.module import TrainingModule
from dgsr.training.loop.settings import Settings
from dgsr.training.tasks.restoration import SuperResolution

_logger = logging.getLogger(__name__)

#: Config nodes from which the networks of a checkpoint are rebuilt.
NETWORK_NODES = ("generator", "estimator", "scale")


def train(cfg: DictConfig) -> float | None:
    """Train as the config says; return the monitored metric, which a sweep may optimise.

    Raises:
        UserError: The config, the data or the checkpoint cannot be used.
    """
    composed = copy.deepcopy(cfg)
    rename_keys(cfg)
    check(cfg, TrainConfig)
    quiet_libraries()
    path, config = checkpoint_of(cfg), plain_config(cfg)  # before building, which resolves interpolations
    data, module = instantiate(cfg.data), build_module(cfg, fresh=path is None)
    provenance = Provenance(config, data.fingerprint())
    callbacks = [provenance, *_built(cfg.callbacks)]
    trainer = build_trainer(instantiate(cfg.trainer, _partial_=True, callbacks=callbacks, logger=_built(cfg.logger)))
    requested, remedy = str(cfg.trainer.precision), f"Set trainer.precision={trainer.precision}."
    expect(trainer.precision == requested, "a precision that this device trains in", requested, remedy)
    if path is None:
        if trainer.is_global_zero:
            write_record(Path(cfg.paths.run), composed)
        _logger.info("Running baseline validation ...")
        trainer.validate(module, data, verbose=False)
    else:
        checkpoint = read_checkpoint(path)
        expect_continuable(checkpoint, path, module, data.fingerprint(), cfg.allow_changes)
        if trainer.is_global_zero:
            report_changes(checkpoint, config)
            write_record(Path(cfg.paths.run), composed)
    trainer.fit(module, data, ckpt_path=path)
    monitor = OmegaConf.select(cfg, "callbacks.checkpoints.monitor")
    return module.validations[-1].get(str(monitor)) if module.validations else None


def build_module(cfg: DictConfig, fresh: bool = True) -> TrainingModule:
    """Build the networks and everything that trains them; random weights follow the seed alone.

    Args:
        cfg: The composed config.
        fresh: No checkpoint will be loaded, so the generator starts from the weights that `init_from` names.

    Raises:
        UserError: `init_from` is set for another task than restoration, or cannot be used.
    """
    torch.manual_seed(cfg.seed)
    cfg = split_weights(cfg)
    networks = {name: _plain(cfg[name]) for name in NETWORK_NODES}
    networks["guidance"] = cfg.inference.guidance
    networks["task"] = OmegaConf.to_container(cfg.task, resolve=False)  # a checkpoint keeps its references
    settings = Settings(
        optimizers={name: instantiate(cfg.optimizer[name]) for name in ("generator", "discriminator")},
        schedule=instantiate(cfg.optimizer.schedule),
        max_steps=cfg.run.max_steps,
        micro_batch=cfg.run.micro_batch,
        clip_norm=_plain(cfg.run.clip_norm),
        max_bad_steps=cfg.run.max_bad_steps,
        ema_decay=cfg.run.ema_decay,
        description=networks,
    )
    module: TrainingModule = instantiate(cfg.task)(settings=settings)
    if cfg.init_from:
        if not isinstance(module, SuperResolution):
            refuse("task=restoration with init_from", type(module).__name__, "Leave init_from out.")
        if fresh:
            start_from(module.generator, cfg.init_from)
    return module


def _built(nodes: DictConfig) -> list[Any]:
    return [instantiate(node) for node in nodes.values() if node is not None]


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def quiet_libraries() -> None:
    """Silence messages of libraries that no user of this program can act on."""
    for library in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for text in (
        ".*does not have many workers.*",
        "Found .* in eval mode.*",
        ".*LeafSpec.*",
        "Detected call of .lr_scheduler",
    ):
        warnings.filterwarnings("ignore", message=text)
