"""Translate old config keys, with a warning, so that old command lines, runs and YAML files keep working."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Mapping
from functools import cache

from omegaconf import DictConfig, OmegaConf, open_dict

_logger = logging.getLogger(__name__)

_LAYERS = tuple(itertools.product(("unet", "vae"), ("rank", "targets")))

#: Old key -> new key. `*` stands for one name.
RENAMED: Mapping[str, str] = {
    "generator.init_from": "init_from",
    **{f"generator.{network}_{name}": f"generator.adapters.main.{network}.{name}" for network, name in _LAYERS},
    **{f"generator.{name}": f"generator.adapters.main.{name}" for name in ("alpha", "conditioning", "init")},
    "objective.reconstruction.*": "objective.losses.*.weight",
    "objective.adversarial.*": "critics.gan.*",
    "objective.features": "features",
}


def rename_overrides(overrides: Iterable[str]) -> list[str]:
    """Rename the old keys in overrides; keep `+`, `++`, `~` and the values.

    >>> rename_overrides(["generator.init_from=best", "~objective.reconstruction.l1", "seed=1"])
    ['init_from=best', '~objective.losses.l1.weight', 'seed=1']
    """
    return [_rename_override(override) for override in overrides]


def rename_keys(cfg: DictConfig) -> None:
    """Move the values of old keys, which a user's own YAML files may set, to the new keys of a composed config.

    An old key is kept if the config has no place for the new one; the strict check then reports it.
    """
    for old, new in RENAMED.items():
        parent, _, leaf = old.rpartition(".")
        node = OmegaConf.select(cfg, parent)
        values = OmegaConf.to_container(node, resolve=False) if isinstance(node, DictConfig) else {}
        assert isinstance(values, dict)
        for name in list(values) if leaf == "*" else values.keys() & {leaf}:
            _move(cfg, f"{parent}.{name}", values[name], new.replace("*", str(name)))
        if leaf == "*" and node is not None and not node:
            _delete(cfg, parent)


def _move(cfg: DictConfig, old: str, value: object, new: str) -> None:
    place = new.rpartition(".")[0]
    if place and not isinstance(OmegaConf.select(cfg, place), DictConfig):
        return
    _delete(cfg, old)
    if value is not None and value != f"${{{new}}}":
        with open_dict(cfg):
            OmegaConf.update(cfg, new, value)
        _warn(old, new)


def _delete(cfg: DictConfig, key: str) -> None:
    parent, _, leaf = key.rpartition(".")
    with open_dict(cfg):
        del OmegaConf.select(cfg, parent)[leaf]


def _rename_override(override: str) -> str:
    bare = override.lstrip("+~")
    key, equals, value = bare.partition("=")
    new = _new_name(key)
    if new is None:
        return override
    _warn(key, new)
    return f"{override[: len(override) - len(bare)]}{new}{equals}{value}"


def _new_name(key: str) -> str | None:
    parent, _, leaf = key.rpartition(".")
    new = RENAMED.get(key) or RENAMED.get(f"{parent}.*")
    return None if new is None else new.replace("*", leaf)


@cache
def _warn(old: str, new: str) -> None:
    """Warn once in a process about each key."""
    _logger.warning("Use %s instead of %s.", new, old)
