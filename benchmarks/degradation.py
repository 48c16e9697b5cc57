"""Compare the speed and memory of dgsr's and BasicSR's operators on the same images and recipes.

`python -m benchmarks.degradation [--quick] [--out FILE]`; see README.md for the output.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.basicsr_batches import apply_together, degrade_together
from benchmarks.contest import Cores, Turn, by_turns, cores, heading, machine, slug, spread
from benchmarks.memory import peak_mib, reset_peak
from benchmarks.recipes import drawn_each, drawn_together, photographs
from dgsr.degradation import Recipe, basicsr_backend, degrade, preset
from dgsr.degradation.operators import Blur, GaussianNoise, Jpeg, Operator, PoissonNoise, Rescale
from dgsr.types import Images

RESULTS = Path(__file__).parent / "results"
SPEC = preset("s3diff", clean_prob=0.0)
FORMS = {"drawn together": drawn_together, "drawn each": drawn_each}

#: Four sets of parameters per operator, since BasicSR's batched functions take one per sample.
OPERATORS: dict[str, list[Operator]] = {
    "filter": [Blur("gaussian", size, 1.4, 0.7, 0.5) for size in (7, 13, 17, 21)],
    "resize area": [Rescale(0.6, "area")],
    "resize bilinear": [Rescale(0.6, "bilinear")],
    "resize bicubic": [Rescale(0.6, "bicubic")],
    "Gaussian noise": [GaussianNoise(sigma, False, 1) for sigma in (1.0, 5.0, 10.0, 15.0)],
    "grey Gaussian noise": [GaussianNoise(sigma, True, 1) for sigma in (1.0, 5.0, 10.0, 15.0)],
    "Poisson noise": [PoissonNoise(scale, False, 1) for scale in (0.1, 0.5, 1.0, 2.0)],
    "grey Poisson noise": [PoissonNoise(scale, True, 1) for scale in (0.1, 0.5, 1.0, 2.0)],
    "JPEG": [Jpeg(quality) for quality in (60.0, 70.0, 80.0, 95.0)],
}


@dataclass(frozen=True)
class Plan:
    """The size of images, and repetitions by (batch size, cores)."""

    side_px: int
    pipelines: dict[tuple[int, str], int]
    operators: dict[tuple[int, str], int]


FULL = Plan(512, {(4, "all"): 16, (16, "all"): 4, (4, "one"): 8}, {(4, "all"): 5, (16, "all"): 3, (4, "one"): 3})
QUICK = Plan(64, {(2, "all"): 2, (2, "one"): 1}, {(2, "one"): 1})


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write JSON, print the table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small images and few repetitions, for a quick test")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: results/degradation-<device>.json)")
    arguments = parser.parse_args(argv)
    plan = QUICK if arguments.quick else FULL
    described = machine(["torch", "numpy", "basicsr"])
    threads = torch.get_num_threads()
    rows = [*_pipelines(plan), *_operators(plan)]
    torch.set_num_threads(threads)
    result = described | {"image_px": plan.side_px, "peak_mib_per_sample": _memory(plan), "rows": rows}
    out = arguments.out or RESULTS / f"degradation-{slug(described['device'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{_table(result)}\n\nratio degradation {rows[0]['ratio']:.2f}\n")


def _pipelines(plan: Plan) -> list[dict[str, Any]]:
    size = (plan.side_px, plan.side_px)
    rows = []
    for form, drawn in FORMS.items():
        for (batch, use), repetitions in plan.pipelines.items():
            images = photographs(batch, plan.side_px)
            rounds = [drawn(SPEC, seed, size, batch) for seed in range(repetitions)]
            turns = _pipeline_turns(images, rounds, _cores(use))
            rows.append(_row(f"pipeline, {form}", batch, use, by_turns(turns, repetitions)))
    return rows


def _pipeline_turns(images: Images, rounds: Sequence[Sequence[Recipe]], chosen: Cores) -> dict[str, Turn]:
    return _turns(
        lambda r, i: degrade(images[i], rounds[r][i]),
        lambda r, i: degrade(images[i], rounds[r][i], "basicsr"),
        lambda r: degrade_together(images, rounds[r]),
        len(images),
        chosen,
    )


def _operators(plan: Plan) -> list[dict[str, Any]]:
    rows = []
    for (batch, use), repetitions in plan.operators.items():
        images = photographs(batch, plan.side_px)
        for name, operators in OPERATORS.items():
            chosen = [operators[place % len(operators)] for place in range(batch)]
            turns = _operator_turns(images, chosen, _cores(use))
            rows.append(_row(name, batch, use, by_turns(turns, repetitions)))
    return rows


def _operator_turns(images: Images, operators: Sequence[Operator], chosen: Cores) -> dict[str, Turn]:
    return _turns(
        torch.no_grad()(lambda r, i: operators[i].apply(images[i : i + 1])),
        torch.no_grad()(lambda r, i: basicsr_backend.apply(operators[i], images[i : i + 1])),
        lambda r: apply_together(operators, images),
        len(images),
        chosen,
    )


def _turns(
    ours: Callable[[int, int], object],
    theirs: Callable[[int, int], object],
    theirs_together: Callable[[int], object],
    samples: int,
    chosen: Cores,
) -> dict[str, Turn]:
    """Return turns that use the cores in two ways for both sides: threads per operation, or one sample per core."""
    return {
        "dgsr threads": lambda r: chosen.threads(lambda: [ours(r, i) for i in range(samples)]),
        "dgsr pool": lambda r: chosen.pool(lambda i: ours(r, i), samples),
        "basicsr batch": lambda r: chosen.threads(lambda: theirs_together(r)),
        "basicsr pool": lambda r: chosen.pool(lambda i: theirs(r, i), samples),
    }


def _row(name: str, batch: int, use: str, times: dict[str, list[float]]) -> dict[str, Any]:
    """Compare the faster way of each side by its total time, since recipes differ in cost."""
    row: dict[str, Any] = {"what": name, "batch": batch, "cores": _cores(use).number}
    for side in ("dgsr", "basicsr"):
        best = min((way for way in times if way.startswith(side)), key=lambda way: sum(times[way]))
        row |= {side: spread(times[best]), f"{side}_way": best.split()[1], f"{side}_total": round(sum(times[best]), 1)}
    ways = {way: spread(values) for way, values in times.items()}
    ratio = round(row["basicsr_total"] / row["dgsr_total"], 3)
    return row | {"repetitions": len(times["dgsr pool"]), "ratio": ratio, "ways": ways}


def _cores(use: str) -> Cores:
    return Cores(cores() if use == "all" else 1)


def _memory(plan: Plan) -> dict[str, float]:
    """Measure the memory of each side in a fresh process."""
    peaks = {}
    for side in ("dgsr", "basicsr"):
        with get_context("spawn").Pool(1) as pool:
            peaks[side] = pool.apply(growth_mib, (side, plan.side_px))
    return peaks


def growth_mib(side: str, side_px: int, batch: int = 4) -> float:
    """Return by how many MiB per sample a fresh process grows when it degrades batches."""
    runs = {"dgsr": lambda x, rs: [degrade(i, r) for i, r in zip(x, rs, strict=True)], "basicsr": degrade_together}
    small, images = photographs(batch, 64), photographs(batch, side_px)
    torch.set_num_threads(1)
    runs[side](small, drawn_together(SPEC, 0, (64, 64), batch))  # loads libraries and fills tables
    reset_peak()
    before = peak_mib()
    for seed in range(4):
        runs[side](images, drawn_together(SPEC, seed, (side_px, side_px), batch))
    return round((peak_mib() - before) / batch, 2)


def _table(result: dict[str, Any]) -> str:
    lines = [
        heading(result),
        "",
        f"| {result['image_px']}² images | batch | cores | dgsr, ms | BasicSR, ms | times as fast |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['what']} | {row['batch']} | {row['cores']} | {_cell(row, 'dgsr')} | {_cell(row, 'basicsr')} "
        f"| {row['ratio']:.1f} |"
        for row in result["rows"]
    ]
    peaks = result["peak_mib_per_sample"]
    return "\n".join([*lines, "", f"Peak memory per sample: dgsr {peaks['dgsr']} MiB, BasicSR {peaks['basicsr']} MiB"])


def _cell(row: dict[str, Any], side: str) -> str:
    figures = row[side]
    quartiles = f"{figures['lower_quartile']:.3g} to {figures['upper_quartile']:.3g}"
    return f"{figures['median']:.3g} ({quartiles}) {row[f'{side}_way']}"


if __name__ == "__main__":
    main()
