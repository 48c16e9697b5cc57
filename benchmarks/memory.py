"""Measure the peak memory of this process."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak() -> None:
    """Release freed memory and reset the peak, on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    if _CLEAR.is_file():
        _CLEAR.write_text("5")


def peak_mib() -> float:
    """Return the peak in MiB since the last reset; on other systems than Linux, since the start of the process."""
    if not _STATUS.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
