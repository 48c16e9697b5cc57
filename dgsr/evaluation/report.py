"""Write what an evaluation found: every image as a row, and the averages with their definitions."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dgsr.evaluation.runner import Record, means
from dgsr.metrics import Metric


def write_csv(records: Sequence[Record], path: Path) -> None:
    """Write one row an image: the model's metrics, then those of bicubic resizing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(records[0].sr)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", *names, *(f"bicubic_{name}" for name in names)])
        for record in records:
            writer.writerow([record.name, *record.sr.values(), *record.bicubic.values()])


def write_summary(records: Sequence[Record], metrics: Mapping[str, Metric], path: Path) -> None:
    """Write the averages as JSON, each with its variant and direction, and every image."""
    ours, bicubic = means(r.sr for r in records), means(r.bicubic for r in records)
    summary = {
        "metrics": {
            name: {
                "mean": ours[name],
                "bicubic": bicubic[name],
                "variant": metric.variant,
                "direction": metric.direction,
            }
            for name, metric in metrics.items()
        },
        "images": [{"name": record.name, **record.sr} for record in records],
    }
    path.write_text(json.dumps(summary, indent=2) + "\n")
