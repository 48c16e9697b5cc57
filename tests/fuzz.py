"""Fuzz image reading and upscaling with mutated files: each must give an image or a one-line error.

`python -m tests.fuzz --n 10000` prints the outcomes, the longest time and the largest memory. It fails if a case
crashes, raises another error, or takes more than ten seconds or 2 GB of memory. A case depends only on its number, so
that it can be repeated with --first.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
import struct
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from dgsr.checks import UserError
from dgsr.images import read_image
from dgsr.inference import Upscaler
from dgsr.inference.files import FileUpscaling, Job
from dgsr.models import DegradationEstimator, OneStepGenerator
from dgsr.rasters import read_raster, write_png
from dgsr.seeds import rng

MAX_SECONDS, MAX_BYTES = 10, 2 * 10**9
EXPECTED = {"picture", "upscaled", "refused"}
_UPSCALED_SIDE = 48  # larger images are only read

_SAVED = [  # (format, mode, options)
    *(("png", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    ("jpeg", "RGB", {"progressive": True, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"}),
    *(("jpeg", mode, {}) for mode in ("L", "RGB", "CMYK")),
    *(("webp", "RGBA", {"lossless": lossless}) for lossless in (True, False)),
    *(("tiff", "RGB", {"compression": name}) for name in ("raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits")),
    *(("tiff", mode, {}) for mode in ("1", "L", "P", "RGBA", "CMYK", "I;16", "F")),
    ("gif", "P", {}),
]
_EXTREMES = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\xff\xff", b"\x80\0\0\0", b"\0\x01\0\0"]


def sound_files() -> list[tuple[str, bytes]]:
    """Return (suffix, content) of valid images in every format."""
    draws = np.random.default_rng(0)
    smooth = draws.integers(0, 256, (4, 5, 3), dtype=np.uint8).repeat(6, axis=0).repeat(6, axis=1)
    files = []
    for kind, mode, options in _SAVED:
        buffer = io.BytesIO()
        picture = Image.fromarray(smooth)
        deep = Image.fromarray(smooth[..., 0].astype(np.uint16) * 257)
        (deep if mode == "I;16" else picture.convert(mode)).save(buffer, kind, **options)
        files.append((f".{kind}", buffer.getvalue()))
    with tempfile.TemporaryDirectory() as folder:
        write_png(Path(folder) / "deep.png", smooth.astype(np.uint16) * 257)
        files.append((".png", (Path(folder) / "deep.png").read_bytes()))
    return files


def mutate(data: bytes, draws: np.random.Generator, other: bytes) -> bytes:
    """Damage a file one to four times, like transfers, disks and attackers."""
    damaged = bytearray(data)
    for _ in range(int(draws.integers(1, 5))):
        at = int(draws.integers(len(damaged) + 1))
        match draws.choice(["flip", "cut", "extreme", "repeat", "splice", "insert"]):
            case "flip":
                for place in draws.integers(0, max(len(damaged), 1), 3)[: len(damaged)]:
                    damaged[place] ^= 1 << int(draws.integers(8))
            case "cut":
                del damaged[at : at + int(draws.integers(1, len(data)))]
            case "extreme":
                damaged[at : at + 4] = _EXTREMES[draws.integers(len(_EXTREMES))]
            case "repeat":
                damaged[at:at] = damaged[at : at + 64] * int(draws.integers(1, 20))
            case "splice":
                damaged[at:] = other[int(draws.integers(len(other))) :]
            case "insert":
                damaged[at:at] = draws.bytes(8)
    return _with_valid_checksums(bytes(damaged)) if draws.random() < 0.5 else bytes(damaged)


def _with_valid_checksums(data: bytes) -> bytes:
    """Fix the checksums of PNG chunks; otherwise the decoder would stop at the first damaged chunk."""
    out, at = bytearray(data), 8
    while data[:4] == b"\x89PNG" and at + 12 <= len(data):
        end = at + 8 + struct.unpack(">I", data[at : at + 4])[0]
        out[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end])) if end + 4 <= len(data) else b""
        at = end + 4
    return bytes(out)


class Target:
    """Reading and upscaling of mutated files."""

    def __init__(self, folder: Path):
        self.folder, self.files = folder, sound_files()
        upscaler = Upscaler(OneStepGenerator.tiny(), DegradationEstimator.random(0), scale=1.5)
        self.upscaling = FileUpscaling(upscaler, limit=MAX_BYTES // 2)

    def attack(self, case: int) -> str:
        """Run one case; return `picture`, `upscaled` or `refused`, and raise any unexpected error."""
        draws = rng(case, "fuzz")
        (ending, data), (_, other) = (self.files[draws.integers(len(self.files))] for _ in range(2))
        path = self.folder / f"case{ending}"
        path.write_bytes(mutate(data, draws, other))
        try:
            image = read_image(path)
            if max(image.shape) > _UPSCALED_SIDE or case % 4:
                return "picture"
            ((_, failure),) = self.upscaling.run([Job(path, self.folder / "out.png")])
            if failure is None:
                assert read_raster(self.folder / "out.png").size == tuple(round(side * 1.5) for side in image.shape[1:])
                return "upscaled"
        except UserError as error:
            failure = error
        assert str(failure).startswith("Expected ")
        assert "\n" not in str(failure)
        return "refused"


def _serve(pipe: Connection, folder: str) -> None:
    target = Target(Path(folder))
    pipe.send("ready")
    while True:
        case = pipe.recv()
        try:
            outcome = target.attack(case)
        except Exception as error:  # any unexpected error is a result
            outcome = f"{type(error).__name__}: {error}"
        pipe.send((outcome, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def outcomes(cases: range, folder: str) -> Iterator[tuple[int, str, float, int]]:
    """Yield (case, outcome, seconds, peak bytes so far); crashes and hangs of the process are outcomes too."""
    context = multiprocessing.get_context("spawn")
    server = None
    for case in cases:
        if server is None:
            ours, theirs = context.Pipe()
            server = context.Process(target=_serve, args=(theirs, folder), daemon=True)
            server.start()
            theirs.close()
            ours.recv()  # wait until it is ready
        started, peak = time.monotonic(), 0
        ours.send(case)
        try:
            outcome, peak = ours.recv() if ours.poll(MAX_SECONDS) else (f"over {MAX_SECONDS} s", 0)
            outcome = outcome if peak < MAX_BYTES else f"{peak / 1e9:.1f} GB"
        except EOFError:
            outcome = "crash"
        seconds = time.monotonic() - started
        if outcome not in EXPECTED:
            server.kill()
            server = None
        yield case, outcome, seconds, peak
    if server is not None:
        server.kill()


def main() -> None:
    """Run cases and print their outcomes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000, help="number of cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    arguments = parser.parse_args()
    cases = range(arguments.first, arguments.first + arguments.n)
    console = Console()
    counts: Counter[str] = Counter()
    longest, most = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        run = track(outcomes(cases, folder), "files", len(cases), console=Console(stderr=True))
        for case, outcome, seconds, peak in run:
            counts[outcome] += 1
            longest, most = max(longest, seconds), max(most, peak)
            if outcome not in EXPECTED:
                console.print(f"case {case}: {outcome} after {seconds:.1f} s")
    console.print(dict(counts), f"longest {longest:.1f} s, at most {most / 1e9:.2f} GB")
    raise SystemExit(bool(counts.keys() - EXPECTED))


if __name__ == "__main__":
    main()
