"""Time contestants by turns, so that other load on the machine affects all of them."""

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
    """Call every contestant once per repetition, with its number, and return milliseconds; a first call is not timed.

    The order is reversed in every second repetition.
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
    """Return the median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": round(middle, 3), "lower_quartile": round(low, 3), "upper_quartile": round(high, 3)}


class Cores:
    """A number of cores, used by torch's threads or by a pool with one sample per core."""

    def __init__(self, number: int) -> None:
        self.number = number

    def threads(self, work: Callable[[], object]) -> None:
        """Run work with all cores for each operation of torch."""
        torch.set_num_threads(self.number)
        work()

    def pool(self, work: Callable[[int], object], samples: int) -> None:
        """Run work with one core per sample, like data-loading workers."""
        torch.set_num_threads(1)
        with ThreadPoolExecutor(self.number) as executor:
            list(executor.map(work, range(samples)))


def machine(packages: list[str]) -> dict[str, Any]:
    """Describe the machine and the versions of packages."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.is_file() else None
    others = {name: importlib.metadata.version(name) for name in packages}
    return {
        "device": f"{model[1].strip() if model else platform.processor() or platform.machine()}, {cores()} cores",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 2),
        "environment": {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
        "versions": {"python": platform.python_version(), "dgsr": dgsr.__version__} | others,
    }


def heading(described: Mapping[str, Any]) -> str:
    """Format the result of `machine` in one line."""
    versions = (f"{name} {version}" for name, version in described["versions"].items())
    return f"{described['device']}, {described['date']}, {', '.join(versions)}"


def in_seconds(figures: Mapping[str, float]) -> str:
    """Format median and quartiles of milliseconds, from `spread`, in seconds."""
    median, low, high = (figures[name] / 1e3 for name in ("median", "lower_quartile", "upper_quartile"))
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slug(device: str) -> str:
    """Convert a device's name to a part of a file name.

    >>> slug("AMD EPYC 7B13 (rev 2), 2 cores")
    'amd-epyc-7b13-rev-2-2-cores'
    """
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
