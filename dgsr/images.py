"""Files to tensors and back, ranges, and padding."""

from __future__ import annotations

import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from PIL import ImageOps
from torch import Tensor

from dgsr.checks import expect, refuse
from dgsr.types import Image, Images

#: Endings of the files that are taken for images, in lower case.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

#: Nothing else is decoded, whatever a file is called: some of Pillow's formats start other programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")

_QUALITY = 95  # of jpg and webp

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


#: A batch whose size is not its input's.
Resized: TypeAlias = Float[Tensor, "b 3 new_h new_w"]


def read_image(path: str | Path) -> Image:
    """Read an image as RGB in [0, 1], upright by its EXIF orientation.

    Grey becomes three equal channels; transparent parts show what colour lies beneath; grey of 16 bits keeps its
    precision, while Pillow reads colour with 8.

    Raises:
        UserError: The file is missing, damaged, too large to be safe, or not an image.
    """
    return _decoded(path, path)


def decode_image(encoded: bytes, name: str) -> Image:
    """Do the same with the bytes of such a file; the name is for errors."""
    return _decoded(BytesIO(encoded), name)


def _decoded(source: str | Path | BytesIO, path: str | Path) -> Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", PillowImage.DecompressionBombWarning)
            with PillowImage.open(source, formats=_FORMATS) as file:
                return _to_tensor(ImageOps.exif_transpose(file))
    except (PillowImage.DecompressionBombWarning, PillowImage.DecompressionBombError) as error:
        refuse("an image of a safe size", f"{path} ({error})", "Resize it first.")
    except FileNotFoundError:
        refuse("an image", f"{path}, which does not exist", "Check the path.")
    except Exception as error:  # Pillow's decoders raise a dozen kinds for damaged files
        reason = " ".join(str(error).replace(repr(str(path)), "").split()) or type(error).__name__
        refuse("a readable image", f"{path} ({reason})", "Repair or remove it.")


def _to_tensor(image: PillowImage.Image) -> Image:
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if image.mode in _SIXTEEN_BIT:
        grey = torch.from_numpy(np.array(image, dtype=np.float32) / 65535).clamp(0, 1)
        return grey.expand(3, -1, -1).contiguous()
    rgb = np.array(image.convert("RGBA").convert("RGB") if image.mode == "P" else image.convert("RGB"))
    return torch.from_numpy(rgb).permute(2, 0, 1).contiguous().float() / 255


def write_image(path: str | Path, image: Image) -> None:
    """Write an image in [0, 1] with 8 bits a channel; the file appears whole or not at all.

    Raises:
        UserError: The path's ending is none of an image.
    """
    path = Path(path)
    expect(path.suffix.lower() in SUFFIXES, f"an ending among {', '.join(SUFFIXES)}", path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (image.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        PillowImage.fromarray(pixels).save(temporary, quality=_QUALITY)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def to_signed(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Bring [0, 1] to the networks' [-1, 1]."""
    return images * 2 - 1


def to_unit(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Bring the networks' [-1, 1] to [0, 1]."""
    return (images + 1) / 2


def pad_to_multiple(images: Images, multiple: int) -> tuple[Resized, tuple[int, int]]:
    """Reflect on the right and at the bottom up to a multiple; also return the size before.

    >>> padded, size = pad_to_multiple(torch.zeros(1, 3, 5, 8), 8)
    >>> padded.shape[-2:], size
    (torch.Size([8, 8]), (5, 8))
    """
    expect(multiple > 0, "a multiple above 0", multiple)
    height, width = images.shape[-2:]
    return reflect_to(images, -(-height // multiple) * multiple, -(-width // multiple) * multiple), (height, width)


def reflect_to(images: Images, height: int, width: int) -> Resized:
    """Reflect on the right and at the bottom, back and forth as often as it takes, up to at least the given size.

    >>> reflect_to(torch.arange(3.0).expand(1, 3, 1, 3), 1, 8)[0, 0, 0].tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0]
    """
    for axis, wanted in ((-2, height), (-1, width)):
        present = images.shape[axis]
        if wanted > present:
            period = max(1, 2 * (present - 1))
            phase = torch.arange(wanted, device=images.device) % period
            images = images.index_select(axis, torch.minimum(phase, period - phase))
    return images


def crop_to(images: Images, size: tuple[int, int]) -> Resized:
    """Undo `pad_to_multiple`."""
    return images[..., : size[0], : size[1]]
