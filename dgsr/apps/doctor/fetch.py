"""`dgsr doctor --fetch`: download all weights of a run in advance, for use offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from huggingface_hub.constants import HF_HUB_CACHE
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Group
from rich.progress import Progress
from rich.table import Table

from dgsr.apps.config.weights import split_weights
from dgsr.checks import UserError, expect


def examine(cfg: DictConfig) -> Group:
    """Build every part of the run's task once, which leaves in the usual caches what it downloads, and list them.

    Each is built as the run builds it, so no weights can be forgotten; one is in memory at a time.

    Raises:
        UserError: Some weights are unavailable; the message lists all of them, and the others are downloaded.
    """
    parts = dict(_nodes(split_weights(cfg).task))
    failures: dict[str, UserError] = {}
    with Progress(transient=True) as progress:
        for name, part in progress.track(parts.items(), description="weights"):
            try:
                instantiate(part)
            except InstantiationException as error:
                if not isinstance(error.__cause__, UserError):
                    raise
                failures[name] = error.__cause__
    reasons = "; ".join(f"{name}: {error}" for name, error in failures.items())
    expect(not failures, "the weights of every part", f"none for {len(failures)} of {len(parts)}", reasons)
    return Group(_table(parts), *_advice())


def _nodes(parts: DictConfig, where: str = "") -> Iterator[tuple[str, DictConfig]]:
    """List the nodes with `_target_` among the parts of a task, also those in mappings such as the critics."""
    for name, part in parts.items():
        if OmegaConf.is_dict(part) and "_target_" in part:
            yield f"{where}{name}", part
        elif OmegaConf.is_dict(part):
            yield from _nodes(part, f"{where}{name}.")


def _table(parts: Mapping[str, DictConfig]) -> Table:
    table = Table("part", "built as", title="All weights are on this machine")
    for name, part in parts.items():
        table.add_row(name, part["_target_"].removeprefix("dgsr."))
    return table


def _advice() -> list[str]:
    caches = {"HF_HOME": Path(HF_HUB_CACHE).parent, "TORCH_HOME": Path(torch.hub.get_dir()).parent}
    named = ", ".join(f"{folder} ({name})" for name, folder in caches.items() if folder.is_dir())
    caching = f"Downloads are kept in {named}; other disks need a copy." if named else "Nothing was downloaded."
    return [caching, "On nodes without a network set HF_HUB_OFFLINE=1, so that nothing waits for one."]
