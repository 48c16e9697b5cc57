"""Write evaluation results for programs: CSV with one row per image, and JSON with everything."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dgsr.evaluation.results import Average, Results

_ODD_NAMES = "backslashreplace"  # file names may be invalid UTF-8; JSON reads the escapes back as the same name


def write_csv(results: Results, path: Path) -> None:
    """Write one row per image: the metrics of the restored image, then those of the images it is compared with.

    Headings include the metric's variant: `psnr (Y, 8-bit)`, `bicubic psnr (Y, 8-bit)`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [(series, name) for series in results.series for name in results.suite.each]
    with path.open("w", newline="", encoding="utf-8", errors=_ODD_NAMES) as file:
        writer = csv.writer(file)
        heads = ((series, f"{name} ({results.suite.each[name].variant})") for series, name in columns)
        writer.writerow(["name", *(head if series == "sr" else f"{series} {head}" for series, head in heads)])
        for record in results.records:
            writer.writerow([record.name, *(record.values[series][name] for series, name in columns)])


def write_json(results: Results, path: Path) -> None:
    """Write averages with 95 % intervals, the metrics' variants and directions, paired differences, and all images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ours, *others = results.series
    summary = {
        "metrics": {
            name: {
                **_average(results.averages[ours][name]),
                "variant": metric.variant,
                "direction": metric.direction,
                **{series: _average(results.averages[series][name]) for series in others},
            }
            for name, metric in results.metrics.items()
        },
        "images": [
            {"name": record.name, **record.values[ours], **{series: record.values[series] for series in others}}
            for record in results.records
        ],
        "settings": results.settings,
        "missing": results.suite.missing,
        "left_out": list(results.left_out),
    }
    path.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", errors=_ODD_NAMES)


def _average(average: Average | None) -> dict[str, Any]:
    if average is None:
        return {"mean": None, "low": None, "high": None, "num_images": 0}
    lead = {} if average.lead is None else {"sr_minus_this": asdict(average.lead)}
    return {**asdict(average.interval), "num_images": average.num_images, **lead}
