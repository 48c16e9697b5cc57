"""Measure lists of millions of photographs: time to open, memory, and time to look up a sample.

`python -m benchmarks.data [--quick] [--out FILE]`; see README.md for the output.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contest import heading, machine, slug
from benchmarks.memory import peak_mib, reset_peak
from dgsr.data import SampleStream, open_source

RESULTS = Path(__file__).parent / "results"

FULL = (1_000, 100_000, 10_000_000)
QUICK = (1_000, 10_000)

_POSITIONS = 20_000
_LINES_AT_ONCE = 100_000


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short lists, for a quick test")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: results/data-<device>.json)")
    arguments = parser.parse_args(argv)
    described = machine(["numpy", "torch"])
    with TemporaryDirectory() as folder:
        rows = [_row(Path(folder), count) for count in (QUICK if arguments.quick else FULL)]
    out = arguments.out or RESULTS / f"data-{slug(described['device'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(described | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{_table(described, rows)}\n")


def _row(folder: Path, count: int) -> dict[str, Any]:
    """Open a list for the first time and again, each in a fresh process."""
    path = folder / f"{count}.txt"
    with path.open("w") as file:
        for start in range(0, count, _LINES_AT_ONCE):
            numbers = range(start, min(start + _LINES_AT_ONCE, count))
            file.writelines(f"photographs/{number // 1000:05d}/{number:09d}.jpg\n" for number in numbers)
    first = folder / "photographs" / "00000" / f"{0:09d}.jpg"
    first.parent.mkdir(parents=True, exist_ok=True)
    first.touch()
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        fresh, again = (pool.apply(opened, (str(path), count)) for _ in range(2))
    return {"names": count, "mib_of_text": round(path.stat().st_size / 2**20, 1), "first": fresh, "again": again}


def opened(path: str, count: int) -> dict[str, float]:
    """Return seconds and MiB for opening, and microseconds for looking up the name and seed of a sample."""
    reset_peak()
    before, start = peak_mib(), time.perf_counter()
    source = open_source(path)
    seconds = time.perf_counter() - start
    stream = SampleStream(len(source), seed=0)
    step = max(1, count // _POSITIONS)
    start = time.perf_counter()
    for position in range(0, _POSITIONS * step, step):
        source.name(stream[position][0])
    microseconds = (time.perf_counter() - start) / _POSITIONS * 1e6
    mib = round(peak_mib() - before, 1)
    return {"open_seconds": round(seconds, 3), "sample_microseconds": round(microseconds, 1), "peak_mib": mib}


def _table(described: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    lines = [
        heading(described),
        "",
        "| names | text, MiB | open first, s | open again, s | a sample, µs | peak, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        first, again = row["first"], row["again"]
        peak = max(first["peak_mib"], again["peak_mib"])
        figures = [row["mib_of_text"], first["open_seconds"], again["open_seconds"], again["sample_microseconds"], peak]
        lines.append(f"| {row['names']:,} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
