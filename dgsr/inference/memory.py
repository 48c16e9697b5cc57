"""Estimate the memory that upscaling needs, and read how much is free."""

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

# In larger tiles, attention among all latent pixels takes longer than processing overlapping tiles.
_TILES = (1024, 896, 768, 640, 512, 384, 256)


def needed_bytes(generator: OneStepGenerator, height: int, width: int) -> int:
    """Estimate the bytes that upscaling to this size needs besides the weights."""
    sides = (math.ceil(side / generator.multiple) * generator.multiple for side in (height, width))
    return _FIXED_BYTES + _COPIES * generator.backbone.bytes_per_px * math.prod(sides)


def available_bytes(device: torch.device) -> int | None:
    """Return the bytes of free memory, or None where the system does not report them."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(
            device
        )  # reserved by PyTorch, but unused
        return torch.cuda.mem_get_info(device)[0] + kept
    free = [_meminfo(), _cgroup()]
    return min((size for size in free if size is not None), default=None)


def choose_tile(generator: OneStepGenerator, room: int | None) -> int:
    """Return the side in px of the largest tile that fits into memory, or else of the smallest.

    Args:
        generator: The generator that upscales.
        room: Bytes that may be used; None is unknown and counts as unlimited.
    """
    sides = [side for side in _TILES if side % generator.multiple == 0]
    fitting = (side for side in sides if room is None or needed_bytes(generator, side, side) <= room)
    return next(fitting, sides[-1])


@contextmanager
def expect_room(
    needed: int,
    room: int | None,
    name: str,
    remedy: str = "Use --tile auto or a smaller tile, or allow more with --memory.",
) -> Iterator[None]:
    """Refuse an image that does not fit into memory: by estimate, or when allocation fails.

    Args:
        needed: Estimated bytes.
        room: Bytes that may be used; None is unknown.
        name: The image's name and size, for the error.
        remedy: What the user can do.

    Raises:
        UserError: It does not fit.
    """
    expected = (
        f"an image that can be upscaled in {_gib(room)}" if room is not None else "an image that fits into memory"
    )
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
        UserError: It does not fit into memory, or the networks return NaN.
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
    """Return the bytes that the container may still allocate."""
    limit, current = folder / "memory.max", folder / "memory.current"
    if not (limit.is_file() and current.is_file()) or limit.read_text().strip() == "max":
        return None
    counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    cached = int(counts["inactive_file"])  # counted as used, but reclaimable
    return int(limit.read_text()) - int(current.read_text()) + cached
