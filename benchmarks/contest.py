"""Time contestants against each other: by turns, so that a busy machine is busy for all of them."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

import dgsr

Turn = Callable[[int], object]


def by_turns(contestants: Mapping[str, Turn], repetitions: int) -> dict[str, list[float]]:
    """Call every contestant once a repetition, with its number, and return milliseconds; one call before is not timed.

    The first of a repetition is the last of the next.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in contestants.values():
        turn(0)
    for repetition in range(repetitions):
        for name in list(contestants)[:: 1 if repetition % 2 == 0 else -1]:
            start = time.perf_counter()
            contestants[name](repetition)
            times[name].append((time.perf_counter() - start) * 1e3)
    return times


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles around it."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": round(middle, 3), "lower_quartile": round(low, 3), "upper_quartile": round(high, 3)}


class Cores:
    """A number of cores, used by torch's own threads or by as many samples at a time."""

    def __init__(self, number: int) -> None:
        self.number = number

    def threads(self, work: Callable[[], object]) -> None:
        """Give all cores to each of torch's operations, one after the other."""
        torch.set_num_threads(self.number)
        work()

    def pool(self, work: Callable[[int], object], samples: int) -> None:
        """Give one core to each sample, as the workers of data loading do."""
        torch.set_num_threads(1)
        with ThreadPoolExecutor(self.number) as executor:
            list(executor.map(work, range(samples)))


def machine(packages: list[str]) -> dict[str, Any]:
    """Describe where and with what the contest took place."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.is_file() else None
    others = {name: importlib.metadata.version(name) for name in packages}
    return {
        "device": f"{found[1].strip() if found else platform.processor() or platform.machine()}, {cores()} cores",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 2),
        "environment": {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
        "versions": {"python": platform.python_version(), "dgsr": dgsr.__version__} | others,
    }


def heading(described: Mapping[str, Any]) -> str:
    """Say in a line what `machine` found."""
    versions = (f"{name} {version}" for name, version in described["versions"].items())
    return f"{described['device']}, {described['date']}, {', '.join(versions)}"


def in_seconds(figures: Mapping[str, float]) -> str:
    """Write what `spread` returned of milliseconds: the median and the quartiles."""
    median, low, high = (figures[name] / 1e3 for name in ("median", "lower_quartile", "upper_quartile"))
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slug(device: str) -> str:
    """Turn a device's name into part of a file's name.

    >>> slug("AMD EPYC 7B13 (rev 2), 2 cores")
    'amd-epyc-7b13-rev-2-2-cores'
    """
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
