"""Read the runs of a sweep, and compare them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dgsr.apps.runs.record import read_config
from dgsr.apps.sweeps.folder import JobFolder, SweepFolder
from dgsr.checks import UserError, expect, refuse
from dgsr.evaluation import Trial, write_sweep_report
from dgsr.training.loop.csv_log import read_series

_REMEDY = "It is damaged: run the job again."
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
    """Read one run without the parts it has not written; a damaged one has only its name and the reason."""
    settings: dict[str, str] = {}
    try:
        settings |= (_setting(override) for override in job.overrides)
        return _whole_trial(job, settings)
    except (UserError, OSError) as error:
        return Trial(job.path.name, settings, "damaged", str(error))


def _whole_trial(job: JobFolder, settings: Mapping[str, str]) -> Trial:
    result = job.result() if job.state == "done" else {}
    log = job.path / "metrics.csv"
    config = read_config(job.path / ".hydra" / "config.yaml", "the config of a run", _REMEDY)
    return Trial(
        name=job.path.name,
        settings=settings,
        state=job.state,
        reason=job.reason,
        config={} if config is None else dict(_flat(OmegaConf.to_container(config))),
        images=_last_validation(job.path / "validation") if result else {},
        directions=_directions(result.get("metrics", {}), job.summary),
        seconds_per_step=_number(result.get("seconds_per_step"), job.summary),
        peak_memory_bytes=_number(result.get("peak_memory_bytes"), job.summary),
        series=read_series(log) if log.exists() else {},
        pictures=dict(_pictures(job.path / "validation" / "pictures")),
    )


def _setting(override: str) -> tuple[str, str]:
    key, _, value = override.lstrip("+").partition("=")
    return key, value


def _directions(metrics: Any, file: Path) -> dict[str, str]:
    sound = isinstance(metrics, dict) and all(isinstance(entry, dict) for entry in metrics.values())
    expect(sound, "metrics by name", file, _REMEDY)
    return {name: str(entry.get("direction", "")) for name, entry in metrics.items()}


def _number(value: Any, file: Path) -> Any:
    expect(value is None or isinstance(value, int | float), "numbers", f"{value!r} in {file}", _REMEDY)
    return value


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
    try:
        with tables[-1].open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = [name for name in rows[0] if name and name != "image" and "bicubic/" not in name]
        return {row["image"]: {name: float(row[name]) for name in names if row[name]} for row in rows}
    except (ValueError, LookupError, csv.Error) as error:
        refuse("a table of images and their metrics", f"{tables[-1]} ({error})", _REMEDY)


def _pictures(folder: Path) -> Iterator[tuple[str, dict[str, Path]]]:
    """Find the folders with a picture's versions; the name of an image may contain folders."""
    for file in sorted(folder.rglob("sr.png")):
        yield file.parent.relative_to(folder).as_posix(), _versions(file.parent)


def _versions(folder: Path) -> dict[str, Path]:
    """Find the versions of a picture that a run kept; without degradation there is no lq."""
    return {kind: file for kind in _KINDS if (file := folder / f"{kind}.png").is_file()}
