"""Upscale a folder with a dgsr model or a published ncnn model of another method, and print time and memory.

`python -m benchmarks.peers MODEL IN OUT [--threads 2]`; see README.md for sources of models. Measure the output with
`dgsr evaluate`.
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

from benchmarks.memory import peak_mib, reset_peak
from dgsr.images import read_image, write_image


def main(argv: Sequence[str] | None = None) -> None:
    """Upscale the folder; print seconds per megapixel of output and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .param file next to its .bin file, or any model of dgsr upscale")
    parser.add_argument("input", type=Path, metavar="IN", help="folder of degraded images")
    parser.add_argument("output", type=Path, metavar="OUT", help="folder for the restored ones")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args(argv)
    restore = (_theirs if arguments.model.endswith(".param") else _ours)(arguments.model, arguments.threads)
    arguments.output.mkdir(parents=True, exist_ok=True)
    reset_peak()
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
    from dgsr.inference import Upscaler  # imported only if used, because it takes memory

    torch.set_num_threads(threads)
    return Upscaler.from_pretrained(source, device="cpu")


def _theirs(description: str, threads: int) -> Callable[[Tensor], Tensor]:
    import ncnn  # pyright: ignore[reportMissingImports] # pip install ncnn

    network = ncnn.Net()
    network.opt.num_threads = threads
    network.opt.use_vulkan_compute = False
    network.load_param(description)
    network.load_model(str(Path(description).with_suffix(".bin")))

    def restore(lq: Tensor) -> Tensor:
        pixels = lq.numpy()
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(pixels).clone())  # a Mat does not keep the array alive
        status, result = extractor.extract("output")
        if status != 0:
            raise SystemExit(f"Expected ncnn to return status 0, but got {status}.")
        return torch.from_numpy(np.array(result))

    return restore


if __name__ == "__main__":
    main()
