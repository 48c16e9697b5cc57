"""Estimate the memory that upscaling an image takes, and the memory that is available."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect, refuse
from dgsr.inference.finite import expect_finite
from dgsr.inference.upscaler import Upscaler
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import enlarged
from dgsr.types import Image

# Measured on the tiny and on Stable Diffusion's VAE, whose decoder at full resolution is where most is needed at once:
# 4.1 to 5.7 copies of its widest activation there, and 0.13 GB whatever the size. In bf16 a processor took as
# much, give or take an eighth.
_COPIES = 6
_FIXED_BYTES = 2**28

# Beyond the first, attention among all pixels of the latent takes longer than tiles that overlap do.
_TILES = (1024, 896, 768, 640, 512, 384, 256)


def needed_bytes(generator: OneStepGenerator, height: int, width: int) -> int:
    """Estimate the bytes that upscaling to this size takes, without the weights."""
    sides = (math.ceil(side / generator.multiple) * generator.multiple for side in (height, width))
    return _FIXED_BYTES + _COPIES * generator.backbone.bytes_per_px * math.prod(sides)


def available_bytes(device: torch.device) -> int | None:
    """Return the free bytes of a device, or None if the system does not report them."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by PyTorch, for reuse
        return torch.cuda.mem_get_info(device)[0] + kept
    free = [_meminfo(), _cgroup()]
    return min((size for size in free if size is not None), default=None)


def choose_tile(generator: OneStepGenerator, room: int | None) -> int:
    """Return the side in px of the largest tile that fits into memory, or else of the smallest.

    Args:
        generator: The generator that upscales.
        room: Bytes that may be used; None is unknown, which counts as enough.
    """
    sides = [side for side in _TILES if side % generator.multiple == 0]
    fitting = (side for side in sides if room is None or needed_bytes(generator, side, side) <= room)
    return next(fitting, sides[-1])


@contextmanager
def expect_room(
    needed: int,
    room: int | None,
    name: str,
    remedy: str = "Use --tile auto or a smaller one, or allow more with --memory.",
) -> Iterator[None]:
    """Refuse to upscale an image that does not fit, in advance or, where the estimate was too low, after the failure.

    Args:
        needed: Bytes.
        room: Bytes that may be taken; None is unknown.
        name: Name of the image, with its size.
        remedy: What the user can do.

    Raises:
        UserError: It does not fit.
    """
    expected = "an image that fits into memory" if room is None else f"an image that can be upscaled in {_gib(room)}"
    got = f"{name} take about {_gib(needed)}"
    expect(room is None or needed <= room, expected, got, remedy)
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "not enough memory" not in str(error):
            raise
        refuse(expected, got, remedy)


def upscale_with_room(upscaler: Upscaler, lq: Image) -> Float[Tensor, "3 H W"]:
    """Upscale an image as the upscaler's tile says.

    Raises:
        UserError: It does not fit into memory, or the networks give NaN.
    """
    height, width = enlarged((lq.shape[-2], lq.shape[-1]), upscaler.scale)
    sides = (min(side, upscaler.tile or side) for side in (height, width))
    needed, room = needed_bytes(upscaler.generator, *sides), available_bytes(upscaler.device)
    with expect_room(needed, room, f"{width}x{height} px", "Set inference.tile, to 512 for instance."):
        return expect_finite(upscaler(lq))


def _gib(size: int | None) -> str:
    return f"{(size or 0) / 2**30:.1f} GiB"


def _meminfo(file: Path = Path("/proc/meminfo")) -> int | None:
    if not file.is_file():
        return None
    lines = dict(line.split(":") for line in file.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _cgroup(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that a container may still allocate."""
    limit, current = folder / "memory.max", folder / "memory.current"
    if not (limit.is_file() and current.is_file()) or limit.read_text().strip() == "max":
        return None
    counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    cached = int(counts["inactive_file"])  # counted as taken, but given up at once
    return int(limit.read_text()) - int(current.read_text()) + cached
