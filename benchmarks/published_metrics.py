"""Compare dgsr's metrics with published values: `python -m benchmarks.published_metrics SR HQ CSV`.

The CSV has a column `image` with file names, and a column for each of PSNR, SSIM, LPIPS, DISTS and NIQE to compare.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from dgsr.images import read_image
from dgsr.metrics import Dists, Lpips, Niqe, Psnr, Ssim


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the images of the CSV, and print averages and the largest difference of an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sr", type=Path, help="folder of restored images")
    parser.add_argument("hq", type=Path, help="folder of ground truth images with the same names")
    parser.add_argument("csv", type=Path, help="the published values")
    arguments = parser.parse_args(argv)
    with arguments.csv.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kinds = (Psnr, Ssim, Lpips, Dists, Niqe)
    metrics = {kind.__name__.lower(): kind() for kind in kinds if kind.__name__.upper() in rows[0]}
    ours: dict[str, list[float]] = {name: [] for name in metrics}
    for row in rows:
        sr, hq = (read_image(folder / row["image"])[None] for folder in (arguments.sr, arguments.hq))
        for name, metric in metrics.items():
            ours[name].append(float(metric(sr, hq)))
    table = Table("", "ours", "published", "largest difference", "relative", title=f"{len(rows)} images")
    for name, metric in metrics.items():
        mine, theirs = np.array(ours[name]), np.array([float(row[name.upper()]) for row in rows])
        apart = np.abs(mine - theirs)
        figures = (mine.mean(), theirs.mean(), apart.max())
        relative = f"{(apart / theirs).max():.3%}"
        table.add_row(f"{name} ({metric.variant})", *(f"{figure:.6f}" for figure in figures), relative)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
