"""`dgsr doctor --fetch`: bring all weights of a run onto this machine, before it runs without a network."""

from __future__ import annotations

from pathlib import Path

import torch
from huggingface_hub.constants import HF_HUB_CACHE
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Group
from rich.progress import Progress
from rich.table import Table

from dgsr.checks import UserError, expect

#: The parts of a run that may have weights; each is built as the run builds it, so none can be forgotten.
PARTS = ("generator", "estimator", "discriminator", "objective", "metrics")


def examine(cfg: DictConfig) -> Group:
    """Build every part once, which leaves in the usual caches what it downloads, and say what there is.

    One part is in memory at a time.

    Raises:
        UserError: Some part's weights cannot be had; it says why for each, and the others are there nevertheless.
    """
    failures: dict[str, UserError] = {}
    with Progress(transient=True) as progress:
        for part in progress.track(PARTS, description="weights"):
            try:
                instantiate(cfg[part])
            except InstantiationException as error:
                if not isinstance(error.__cause__, UserError):
                    raise
                failures[part] = error.__cause__
    reasons = "; ".join(f"{part}: {error}" for part, error in failures.items())
    expect(not failures, "the weights of every part", f"none for {len(failures)} of {len(PARTS)}", reasons)
    return Group(_table(cfg), *_advice())


def _table(cfg: DictConfig) -> Table:
    table = Table("part", "built as", title="All weights are on this machine")
    for part in PARTS:
        table.add_row(part, cfg[part]["_target_"].removeprefix("dgsr."))
    return table


def _advice() -> list[str]:
    caches = {"HF_HOME": Path(HF_HUB_CACHE).parent, "TORCH_HOME": Path(torch.hub.get_dir()).parent}
    named = ", ".join(f"{folder} ({name})" for name, folder in caches.items() if folder.is_dir())
    found = f"Downloads are kept in {named}; other disks need a copy." if named else "Nothing was downloaded."
    return [found, "On nodes without a network set HF_HUB_OFFLINE=1, so that nothing waits for one."]
