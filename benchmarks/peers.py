"""Upscale a folder with another method's published ncnn model, to be measured by `dgsr evaluate` like any other folder.

`python -m benchmarks.peers MODEL.param IN OUT [--threads 2]`; README.md says where models are to be had.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.memory import forget_peak, peak_mib
from dgsr.images import read_image, write_image


def main(argv: Sequence[str] | None = None) -> None:
    """Write the pictures; print seconds per megapixel of output, and the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the .param file; the .bin file of that name lies beside it")
    parser.add_argument("input", type=Path, metavar="IN", help="folder of degraded images")
    parser.add_argument("output", type=Path, metavar="OUT", help="folder for the restored ones")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args(argv)
    import ncnn  # pyright: ignore[reportMissingImports] # pip install ncnn; of no other use here

    network = ncnn.Net()
    network.opt.num_threads = arguments.threads
    network.opt.use_vulkan_compute = False
    network.load_param(str(arguments.model))
    network.load_model(str(arguments.model.with_suffix(".bin")))
    arguments.output.mkdir(parents=True, exist_ok=True)
    forget_peak()
    seconds = pixels = 0.0
    for file in sorted(arguments.input.iterdir()):
        lq = read_image(file).numpy()
        started = time.perf_counter()
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(lq).clone())  # which does not keep the array alive: lq does
        status, result = extractor.extract("output")
        seconds += time.perf_counter() - started
        assert status == 0, f"{file.name}: the network ended with status {status}"
        sr = torch.from_numpy(np.array(result)).clamp(0, 1)
        pixels += sr.shape[1] * sr.shape[2]
        write_image(arguments.output / f"{file.stem}.png", sr)
    sys.stdout.write(f"{seconds / pixels * 2**20:.2f} seconds per megapixel, peak {peak_mib():.0f} MiB\n")


if __name__ == "__main__":
    main()
