"""Log to Weights & Biases; a run keeps its id there when it is resumed."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import WandbLogger

from dgsr.checks import expect


def wandb_log(
    directory: str,
    project: str = "dgsr",
    entity: str | None = None,
    offline: bool = False,
    tags: list[str] | None = None,
) -> WandbLogger:
    """Start or resume the log of a run; the runs of a sweep form a group.

    Args:
        directory: The run's directory, from which the id, the name and the group follow.
        project: The project to which the run belongs.
        entity: The owner of the project; None is the user.
        offline: Write only to the run's directory; `wandb sync` uploads it later.
        tags: Tags of the run.

    Raises:
        UserError: wandb is not installed.
    """
    remedy = "Run pip install wandb, or set logger=default."
    expect(find_spec("wandb") is not None, "wandb, for logger=wandb", "an environment without it", remedy)
    return WandbLogger(
        save_dir=directory,
        project=project,
        entity=entity,
        offline=offline,
        tags=tags,
        resume="allow",
        **identity(Path(directory)),
    )


def identity(run: Path) -> dict[str, Any]:
    """Return the id, name and group of a run, from its directory alone.

    >>> identity(Path("logs/train/multiruns/2026-11-23/3"))["group"]
    '2026-11-23'
    """
    in_sweep = run.parents[1].name == "multiruns"
    return {
        "id": hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:16],
        "name": f"{run.parent.name}/{run.name}" if in_sweep else run.name,
        "group": run.parent.name if in_sweep else None,
    }
