"""Compare the generator with plain diffusers networks and a plain implementation of the method: time and memory.

`python -m benchmarks.generator [--quick] [--out FILE]`; see README.md for the output.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.contest import Turn, by_turns, heading, in_seconds, machine, slug, spread
from benchmarks.generator_contestants import GUIDANCE, serve
from benchmarks.processes import Process

RESULTS = Path(__file__).parent / "results"

#: Process in which each way runs.
WAYS = {"dgsr": "ours", "dgsr, baked": "ours", "bare diffusers": "bare", "plain": "plain"}

#: Repetitions by output side, by network shapes; the last row gives the ratio.
FULL = {"tiny": {512: 7}, "full": {128: 5, 256: 3}}
QUICK = {"tiny": {64: 2}}

_LARGEST_DIFFERENCE = 1e-3


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write JSON, print the table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny shapes and few repetitions, for a quick test")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: results/generator-<device>.json)")
    arguments = parser.parse_args(argv)
    described = machine(["torch", "diffusers", "peft", "transformers", "numpy"])
    rows = [row for shapes, sides in (QUICK if arguments.quick else FULL).items() for row in _rows(shapes, sides)]
    result = described | {"guidance": GUIDANCE, "rows": rows}
    out = arguments.out or RESULTS / f"generator-{slug(described['device'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{_table(result)}\n\n")
    worst = max(row["difference"][way] for row in rows for way in row["difference"])
    if worst > _LARGEST_DIFFERENCE:
        raise SystemExit(f"Expected outputs that differ by {_LARGEST_DIFFERENCE} at most, but got {worst}.")
    sys.stdout.write(f"ratio generator {rows[-1]['plain_over_dgsr']:.2f}\n")


def _rows(shapes: str, sides: dict[int, int]) -> Iterator[dict[str, Any]]:
    with _processes(shapes) as processes:
        for side_px, repetitions in sides.items():
            yield _row(processes, shapes, side_px, repetitions)


@contextmanager
def _processes(shapes: str) -> Iterator[dict[str, Process]]:
    """Start all contestants with the same weights and prompts; each waits until it is called."""
    with TemporaryDirectory() as folder:
        adapter = Path(folder) / "s3diff.pkl"
        processes = {who: Process(serve, who, shapes, adapter) for who in ("ours", "bare")}
        try:
            processes["ours"].ask("write_adapter")
            processes["plain"] = Process(serve, "plain", shapes, adapter)
            prompts = processes["plain"].ask("prompts")
            for who in ("ours", "bare"):
                processes[who].ask("take_prompts", *prompts)
            yield processes
        finally:
            for process in processes.values():
                process.stop()


def _row(processes: dict[str, Process], shapes: str, side_px: int, repetitions: int) -> dict[str, Any]:
    outputs: dict[str, np.ndarray] = {}
    peaks = dict.fromkeys(WAYS, 0)

    def turn(way: str) -> Turn:
        def take(_: int) -> None:
            outputs[way], peak = processes[WAYS[way]].ask("run", way, side_px)
            peaks[way] = max(peaks[way], peak)

        return take

    times = by_turns({way: turn(way) for way in WAYS}, repetitions)
    figures = {way: spread(times[way]) | {"peak_mib": peaks[way]} for way in WAYS}
    ours = figures["dgsr"]
    return {
        "shapes": shapes,
        "side_px": side_px,
        "repetitions": repetitions,
        "plain_over_dgsr": round(figures["plain"]["median"] / ours["median"], 3),
        "dgsr_over_bare": round(ours["median"] / figures["bare diffusers"]["median"], 3),
        "peak_over_plain": round(peaks["dgsr"] / peaks["plain"], 3),
        "difference": {way: _difference(outputs["dgsr"], outputs[way]) for way in ("plain", "dgsr, baked")},
        "unclamped": round(float((np.abs(outputs["dgsr"]) < 1).mean()), 3),
        "giga_multiplications": processes["ours"].ask("operations", side_px),
        "ways": figures,
    }


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(f"{np.abs(ours - theirs).max():.2g}")


def _table(result: dict[str, Any]) -> str:
    lines = [
        heading(result),
        "",
        "| shapes, output | | seconds (quartiles) | peak MiB | times dgsr's time | largest difference |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        for way, figures in row["ways"].items():
            ratio = figures["median"] / row["ways"]["dgsr"]["median"]
            lines.append(
                f"| {row['shapes']}, {row['side_px']}² | {way} | {in_seconds(figures)} "
                f"| {figures['peak_mib']} | {ratio:.2f} | {row['difference'].get(way, '')} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
