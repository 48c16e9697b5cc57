"""Continue from a checkpoint: find an undamaged one, refuse one that does not fit, list changed settings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dgsr.checkpoints.described import up_to_date
from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError, expect, refuse
from dgsr.training.callbacks.provenance import provenance_of
from dgsr.training.loop.module import TrainingModule

_logger = logging.getLogger(__name__)

#: Keys about resuming, which do not change the training.
_ABOUT_RESUMING = ("resume", "allow_changes", "ckpt_path", "paths")


def checkpoint_of(cfg: DictConfig) -> Path | None:
    """Return the checkpoint that a run starts from: its own latest undamaged one, a given one, or none.

    Raises:
        UserError: No checkpoint can be read, or two starting points are set.
    """
    if cfg.resume:
        return latest_whole(Path(cfg.paths.run) / "checkpoints")
    if cfg.ckpt_path:
        remedy = "The first keeps that run's optimizers, the second starts new ones."
        expect(not cfg.init_from, "ckpt_path or init_from", "both", remedy)
        return Path(cfg.ckpt_path)
    return None


def latest_whole(directory: Path) -> Path:
    """Return a run's latest checkpoint that is not damaged, with a warning for each skipped one.

    Raises:
        UserError: All are damaged or missing.
    """
    failures = []
    for path in [directory / "last.ckpt", *sorted(directory.glob("step_*.ckpt"), reverse=True)]:
        try:
            read_checkpoint(path)
        except UserError as error:
            _logger.warning("%s Using the checkpoint before it.", error)
            failures.append(str(error))
        else:
            return path
    return refuse("a checkpoint that can be read", "; ".join(failures), "Start a new run.")


def expect_continuable(
    checkpoint: dict[str, Any], path: Path, module: TrainingModule, data: str, allow_changes: bool
) -> None:
    """Refuse a checkpoint of other networks, another scale or other photographs, before loading it.

    Values that an older checkpoint does not record are not compared.

    Args:
        checkpoint: What the file holds.
        path: The file.
        module: The training to resume.
        data: The fingerprint of what it would be trained on.
        allow_changes: Warn instead; what does not fit is then refused when it is loaded.

    Raises:
        UserError: It belongs to another architecture, backbone, estimator, scale or set of photographs, or cannot be
            trained on.
    """
    complete = "optimizer_states" in checkpoint
    expect(complete, "a checkpoint with its optimizers", path, "Start from its weights: init_from=….")
    changed = list(dict.fromkeys(_other_networks(checkpoint["dgsr"], module)))
    recorded = provenance_of(checkpoint)
    if recorded is not None and recorded["data"] != data:
        changed.append("other photographs in data.train")
    if allow_changes:
        for change in changed:
            _logger.warning("Resuming with %s.", change)
        return
    remedy = "Use the settings of the run that wrote it, start a new run, or say allow_changes=true."
    expect(not changed, f"the networks, scale and photographs of {path}", "; ".join(changed), remedy)


def _other_networks(recorded: dict[str, Any], module: TrainingModule) -> Iterator[str]:
    """Yield the networks and the scale that differ from those in a checkpoint."""
    settings = differences(up_to_date(recorded["description"]), module.description)
    if recorded["fingerprint"] != module.network.fingerprint():
        yield from settings or ["another backbone"]
    for name, before in recorded.get("guides", {}).items():
        if module.guide_prints.get(name) != before:
            its_own = [setting for setting in settings if setting.startswith(f"{name}.")]
            yield from its_own or [f"{name} with other frozen weights"]
    if "scale" in recorded["description"]:
        yield from (setting for setting in settings if setting.startswith("scale "))


def report_changes(checkpoint: dict[str, Any], config: dict[str, Any]) -> None:
    """Log each setting of a plain config that is not what it was when the checkpoint was written."""
    recorded = provenance_of(checkpoint)
    for change in differences(recorded["config"], config) if recorded is not None else []:
        _logger.info("Changed: %s", change)


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """Return a config as plain values, unresolved, without the keys that only concern resuming."""
    plain = OmegaConf.to_container(cfg, resolve=False)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items() if key not in _ABOUT_RESUMING}


def differences(before: Any, now: Any) -> list[str]:
    """List the settings that differ, as `key now instead of before`; an absent one has its default.

    >>> differences({"lr": 1, "gan": {"kind": "patch"}}, {"lr": 2, "gan": {"kind": "patch", "depth": 3}})
    ['gan.depth 3 instead of its default', 'lr 2 instead of 1']
    """
    return list(_differences(before, now, ""))


def _differences(before: Any, now: Any, key: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _differences(before.get(name), now.get(name), f"{key}.{name}".strip("."))
    elif before != now:
        said = ["its default" if value is None else value for value in (now, before)]
        yield f"{key} {said[0]} instead of {said[1]}"
