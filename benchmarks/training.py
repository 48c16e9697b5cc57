"""Compare training steps with a plain implementation of the published loop: time, memory and losses.

`python -m benchmarks.training [--only tiny|full] [--repeats N] [--quick] [--out FILE]`; see README.md for the output.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contest import Turn, by_turns, heading, in_seconds, machine, slug, spread
from benchmarks.processes import Process
from benchmarks.training_contestants import serve
from dgsr.training.tasks.restoration import UPDATES

RESULTS = Path(__file__).parent / "results"
WAYS = (*UPDATES, "plain")

#: Side of the crops and batch size, by network shapes.
SIZES = {"tiny": (256, 4), "full": (128, 1)}
QUICK = {"tiny": (64, 2)}
JUDGES, QUICK_JUDGES = ["none", "dino"], ["none", "small"]

#: Largest relative difference of losses between `joint` and `plain` in the first step.
_LARGEST_DIFFERENCE = 1e-2


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write JSON, print the table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SIZES, help="measure only networks of this size")
    parser.add_argument("--repeats", type=int, default=3, help="timed steps per way")
    parser.add_argument("--quick", action="store_true", help="small images and a small discriminator, for a quick test")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: results/training-<device>.json)")
    arguments = parser.parse_args(argv)
    described = machine(["torch", "lightning", "diffusers", "peft", "transformers", "timm"])
    sizes, judges = (QUICK, QUICK_JUDGES) if arguments.quick else (SIZES, JUDGES)
    chosen = [shapes for shapes in sizes if arguments.only in (None, shapes)]
    rows = [_row(shapes, sizes[shapes], judge, arguments.repeats) for shapes in chosen for judge in judges]
    out = arguments.out or RESULTS / f"training-{slug(described['device'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(described | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{_table(described, rows)}\n\n")
    worst = max(row["difference"] for row in rows)
    if worst > _LARGEST_DIFFERENCE:
        raise SystemExit(f"Expected losses that differ by {_LARGEST_DIFFERENCE} at most, but got {worst}.")
    sys.stdout.write(f"ratio training {1 / rows[-1]['ways']['joint']['over_plain']:.2f}\n")


@contextmanager
def _processes(shapes: str, size: tuple[int, int], judge: str) -> Iterator[dict[str, Process]]:
    """Start both sides with the same adapter; each waits until it is called."""
    with TemporaryDirectory() as folder:
        adapter = Path(folder) / "s3diff.pkl"
        processes: dict[str, Process] = {}
        try:
            for who in ("ours", "plain"):
                processes[who] = Process(serve, who, shapes, size, judge, adapter)
                processes[who].answer()  # wait until it is ready
            yield processes
        finally:
            for process in processes.values():
                process.stop()


def _row(shapes: str, size: tuple[int, int], judge: str, repeats: int) -> dict[str, Any]:
    losses: dict[str, dict[str, float]] = {}
    peaks = dict.fromkeys(WAYS, 0.0)
    with _processes(shapes, size, judge) as processes:

        def turn(way: str) -> Turn:
            def take(_: int) -> None:
                values, peak = processes["plain" if way == "plain" else "ours"].ask(way)
                losses.setdefault(way, values)
                peaks[way] = max(peaks[way], peak)

            return take

        times = by_turns({way: turn(way) for way in WAYS}, repeats)
    medians = {way: spread(times[way]) for way in WAYS}
    plain = medians["plain"]["median"]
    figures = {
        way: times_of_way | {"peak_mib": math.ceil(peaks[way]), "over_plain": round(times_of_way["median"] / plain, 3)}
        for way, times_of_way in medians.items()
    }
    first, other = losses["joint"], losses["plain"]
    return {
        "shapes": shapes,
        "side_px": size[0],
        "batch": size[1],
        "judge": judge,
        "repetitions": repeats,
        "difference": max(abs(first[name] / other[name] - 1) for name in first),
        "ways": figures,
    }


def _table(described: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    lines = [
        heading(described),
        "",
        "| shapes, batch, judge | | seconds per step (quartiles) | share of plain's time | peak MiB |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        case = f"{row['shapes']}, {row['batch']} of {row['side_px']}², {row['judge']}"
        for way, figures in row["ways"].items():
            lines.append(
                f"| {case} | {way} | {in_seconds(figures)} | {figures['over_plain']:.2f} | {figures['peak_mib']} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
