"""Read the runs of a sweep back, and compare them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dgsr.apps.sweeps.folder import JobFolder, SweepFolder
from dgsr.checks import expect
from dgsr.evaluation import Trial, write_sweep_report
from dgsr.training.csv_log import read_series

_KINDS = ("lq", "sr", "hq")


def write_report(folder: SweepFolder) -> Path:
    """Write the report of a sweep, or of any folder of runs, into it; return the page.

    Raises:
        UserError: It holds no runs.
    """
    jobs = folder.jobs()
    expect(bool(jobs), "a folder with runs in it", folder.path, "A sweep lies in logs/train/multiruns/.")
    return write_sweep_report([read_trial(job) for job in jobs], f"Sweep {folder.path.name}", folder.path)


def read_trial(job: JobFolder) -> Trial:
    """Read one run; what it has not written is left out."""
    result = job.result() if job.state == "done" else {}
    config = job.path / ".hydra" / "config.yaml"
    log = job.path / "metrics.csv"
    return Trial(
        name=job.path.name,
        settings=dict(_setting(override) for override in job.overrides),
        state=job.state,
        reason=job.failure.read_text().strip() if job.failure.exists() else "",
        config=dict(_flat(OmegaConf.to_container(OmegaConf.load(config)))) if config.exists() else {},
        images=_last_validation(job.path / "validation") if result else {},
        directions={name: found["direction"] for name, found in result.get("metrics", {}).items()},
        seconds_per_step=result.get("seconds_per_step"),
        peak_memory_bytes=result.get("peak_memory_bytes"),
        series=read_series(log) if log.exists() else {},
        pictures=dict(_pictures(job.path / "validation" / "pictures")),
    )


def _setting(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+").partition("=")
    return key, value


def _flat(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Walk over the values of a config with their dotted keys."""
    if not isinstance(node, dict):
        yield where, str(node)
        return
    for key, value in node.items():
        yield from _flat(value, f"{where}.{key}".strip("."))


def _last_validation(folder: Path) -> dict[str, dict[str, float]]:
    tables = sorted(folder.glob("step_*.csv"))
    if not tables:
        return {}
    with tables[-1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "image" and "bicubic/" not in name]
    return {row["image"]: {name: float(row[name]) for name in names if row[name]} for row in rows}


def _pictures(folder: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    """Find the folders that hold a picture's versions; the name of an image may have folders in it."""
    for file in sorted(folder.rglob("sr.png")):
        yield file.parent.relative_to(folder).as_posix(), _versions(file.parent)


def _versions(folder: Path) -> dict[str, Path]:
    """Find what a run kept of a picture; where nothing is degraded, there is no lq."""
    return {kind: file for kind in _KINDS if (file := folder / f"{kind}.png").is_file()}
