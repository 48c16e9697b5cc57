"""A run from its composed config: check, build, measure, train, report."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from dgsr.apps.configs import check
from dgsr.apps.schema import TrainConfig
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import expect
from dgsr.training.module import SuperResolution

_logger = logging.getLogger(__name__)

#: The nodes of a config from which the networks of a checkpoint can be built again.
NETWORK_NODES = ("generator", "estimator", "scale")


def train(cfg: DictConfig) -> float | None:
    """Train as the config says; return the monitored metric, which a sweep may optimise.

    Raises:
        UserError: The config, the data or the checkpoint cannot be used.
    """
    check(cfg, TrainConfig)
    quiet_libraries()
    checkpoint = checkpoint_of(cfg)
    data, module = instantiate(cfg.data), build_module(cfg, fresh=checkpoint is None)
    if checkpoint is not None:
        saved = read_checkpoint(checkpoint)
        expect_same_network(saved, module, checkpoint)
        done, more = saved["dgsr"]["step"], "Raise run.max_steps to go on."
        expect(done < module.max_steps, f"run.max_steps above the {done} steps already done", module.max_steps, more)
    trainer = instantiate(cfg.trainer, callbacks=_built(cfg.callbacks), logger=_built(cfg.logger))
    asked, remedy = str(cfg.trainer.precision), f"Set trainer.precision={trainer.precision}."
    expect(trainer.precision == asked, "a precision that this device trains in", asked, remedy)
    if checkpoint is None:
        _logger.info("Measuring bicubic resizing and the model before its first step ...")
        trainer.validate(module, data, verbose=False)
    trainer.fit(module, data, ckpt_path=checkpoint)
    monitor = cfg.callbacks.checkpoints.monitor if "checkpoints" in cfg.callbacks else None
    return module.validations[-1].get(str(monitor)) if module.validations else None


def build_module(cfg: DictConfig, fresh: bool = True) -> SuperResolution:
    """Build the networks and everything that trains them; random weights follow the seed alone.

    Args:
        cfg: The composed config.
        fresh: No checkpoint will be loaded, so the generator takes the weights that `init_from` names.
    """
    torch.manual_seed(cfg.seed)
    networks = {name: _plain(cfg[name]) for name in NETWORK_NODES}
    networks["generator"].pop("init_from", None)  # what it started from may be gone when it is built again
    return SuperResolution(
        generator=instantiate(cfg.generator if fresh else networks["generator"]),
        estimator=instantiate(cfg.estimator),
        discriminator=instantiate(cfg.discriminator),
        objective=instantiate(cfg.objective),
        update=instantiate(cfg["update"]),
        optimizers={name: instantiate(cfg.optimizer[name]) for name in ("generator", "discriminator")},
        schedule=instantiate(cfg.optimizer.schedule),
        upscaler=instantiate(cfg.inference, scale=cfg.scale),
        metrics=instantiate(cfg.metrics),
        max_steps=cfg.run.max_steps,
        micro_batch=cfg.run.micro_batch,
        clip_norm=_plain(cfg.run.clip_norm),
        max_bad_steps=cfg.run.max_bad_steps,
        ema_decay=cfg.run.ema_decay,
        description=networks,
    )


def checkpoint_of(cfg: DictConfig) -> Path | None:
    """Return the training checkpoint that the run starts from: its own last one, a given one, or none."""
    if cfg.resume:
        return Path(cfg.paths.run) / "checkpoints" / "last.ckpt"
    if cfg.ckpt_path:
        init_from = cfg.generator.get("init_from")
        remedy = "One goes on with that run's optimizers, the other starts new ones."
        expect(not init_from, "ckpt_path or generator.init_from", "both", remedy)
        return Path(cfg.ckpt_path)
    return None


def expect_same_network(checkpoint: dict[str, Any], module: SuperResolution, path: Path) -> None:
    """Refuse a checkpoint whose networks differ from the config's, before anything is loaded.

    Raises:
        UserError: It belongs to another architecture or another frozen backbone.
    """
    theirs, ours = checkpoint["dgsr"]["fingerprint"], module.generator.fingerprint()
    changed = _differences(checkpoint["dgsr"]["description"], module.description)
    what = f"{path} with {', '.join(changed)}" if changed else f"{path} over another backbone"
    remedy = "Use the settings of the run that wrote it, or start a new run."
    expect(theirs == ours, "a checkpoint of this generator", what, remedy)
    complete = "optimizer_states" in checkpoint
    expect(complete, "a checkpoint with its optimizers", path, "Start from its weights: generator.init_from=….")


def _differences(theirs: Any, ours: Any, key: str = "") -> list[str]:
    """List the settings that differ, with both values; one that is not given has its default."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = sorted(theirs.keys() | ours.keys())
        return [line for n in names for line in _differences(theirs.get(n), ours.get(n), f"{key}.{n}".strip("."))]
    said = ["its default" if value is None else value for value in (theirs, ours)]
    return [] if theirs == ours else [f"{key} {said[0]} instead of {said[1]}"]


def _built(nodes: DictConfig) -> list[Any]:
    return [instantiate(node) for node in nodes.values() if node is not None]


def _plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def quiet_libraries() -> None:
    """Silence what libraries say that no user of this program can act on."""
    for library in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for text in (
        ".*does not have many workers.*",
        "Found .* in eval mode.*",
        ".*LeafSpec.*",
        "Detected call of .lr_scheduler",
    ):
        warnings.filterwarnings("ignore", message=text)
