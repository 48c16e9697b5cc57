"""Measure memory and time of tiled upscaling, with each size in a fresh process.

`python -m benchmarks.tiling [--megapixels 1 4 16 64] [--tile 512]`; see README.md for the output.
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

import numpy as np
from PIL import Image

from benchmarks.contest import machine, slug
from benchmarks.memory import peak_mib, reset_peak

RESULTS = Path(__file__).parent / "results"

_MIB = 2**20


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, write JSON, print the table and the growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 16, 64], help="output sizes to measure")
    parser.add_argument("--tile", type=int, default=512, help="side of a tile in px")
    parser.add_argument("--out", type=Path, help="JSON file to write (default: results/tiling-<device>.json)")
    arguments = parser.parse_args(argv)
    described = machine(["torch", "diffusers", "numpy", "pillow"])
    rows = [measure(megapixels, arguments.tile) for megapixels in sorted(arguments.megapixels)]
    out = arguments.out or RESULTS / f"tiling-{slug(described['device'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(described | {"tile": arguments.tile, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(
        "| output | above the images, MiB | before, MiB | seconds | processor seconds | per megapixel |\n"
        "|---|---|---|---|---|---|\n"
    )
    for row in rows:
        cells = f"{row['above_images_mib']:.0f} | {row['before_mib']:.0f} | {row['seconds']:.1f}"
        busy = f"{row['cpu_seconds']:.1f} | {row['cpu_seconds'] / row['side'] ** 2 * _MIB:.1f}"
        sys.stdout.write(f"| {row['side']}² | {cells} | {busy} |\n")
    growth = rows[-1]["above_images_mib"] / rows[0]["above_images_mib"] - 1
    sys.stdout.write(f"\ngrowth tiling {growth:.3f}\n")


def measure(megapixels: float, tile: int) -> dict[str, float]:
    """Upscale a square image by four, from file to file, in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (megapixels, tile))


def _measure(megapixels: float, tile: int) -> dict[str, float]:
    from dgsr.inference import Upscaler
    from dgsr.inference.files import FileUpscaling, Job
    from dgsr.models import DegradationEstimator, OneStepGenerator

    upscaler = Upscaler(OneStepGenerator.tiny().eval(), DegradationEstimator.random(0))
    side = round((megapixels * _MIB) ** 0.5 / 4) * 4
    with TemporaryDirectory() as folder:
        job = Job(Path(folder) / "lq.png", Path(folder) / "sr.png")
        shades = np.random.default_rng(0).integers(0, 256, (side // 16, side // 16, 3), dtype=np.uint8)
        Image.fromarray(shades).resize((side // 4, side // 4)).save(job.source)
        reset_peak()
        before, started, worked = peak_mib(), time.perf_counter(), time.process_time()
        for _, failure in FileUpscaling(upscaler, tile).run([job]):
            assert failure is None, failure
        images = 3 * side**2 * (1 + 1 / 16) / _MIB
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    return {
        "side": side,
        "above_images_mib": peak_mib() - images,
        "before_mib": before,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }


if __name__ == "__main__":
    main()
