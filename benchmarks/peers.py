"""Upscale a folder with a model of ours or another method's published ncnn model, and tell what that takes.

`python -m benchmarks.peers MODEL IN OUT [--threads 2]`; README.md says where models are to be had. What comes out is
measured by `dgsr evaluate`, like any other folder.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.memory import forget_peak, peak_mib
from dgsr.images import read_image, write_image


def main(argv: Sequence[str] | None = None) -> None:
    """Write the pictures; print seconds per megapixel of output, and the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .param file, its .bin file beside it, or what dgsr upscales with")
    parser.add_argument("input", type=Path, metavar="IN", help="folder of degraded images")
    parser.add_argument("output", type=Path, metavar="OUT", help="folder for the restored ones")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args(argv)
    restore = (_theirs if arguments.model.endswith(".param") else _ours)(arguments.model, arguments.threads)
    arguments.output.mkdir(parents=True, exist_ok=True)
    forget_peak()
    seconds = pixels = 0.0
    for file in sorted(arguments.input.iterdir()):
        lq = read_image(file)
        started = time.perf_counter()
        sr = restore(lq).clamp(0, 1)
        seconds += time.perf_counter() - started
        pixels += sr.shape[1] * sr.shape[2]
        write_image(arguments.output / f"{file.stem}.png", sr)
    sys.stdout.write(f"{seconds / pixels * 2**20:.2f} seconds per megapixel, peak {peak_mib():.0f} MiB\n")


def _ours(source: str, threads: int) -> Callable[[Tensor], Tensor]:
    from dgsr.inference import Upscaler  # what others need no memory for

    torch.set_num_threads(threads)
    return Upscaler.from_pretrained(source, device="cpu")


def _theirs(description: str, threads: int) -> Callable[[Tensor], Tensor]:
    import ncnn  # pyright: ignore[reportMissingImports] # pip install ncnn; of no other use here

    network = ncnn.Net()
    network.opt.num_threads = threads
    network.opt.use_vulkan_compute = False
    network.load_param(description)
    network.load_model(str(Path(description).with_suffix(".bin")))

    def restore(lq: Tensor) -> Tensor:
        pixels = lq.numpy()
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(pixels).clone())  # which does not keep the array alive: pixels does
        status, result = extractor.extract("output")
        if status != 0:
            raise SystemExit(f"The network ended with status {status}.")
        return torch.from_numpy(np.array(result))

    return restore


if __name__ == "__main__":
    main()
