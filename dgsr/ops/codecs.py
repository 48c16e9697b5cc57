"""Compress images with Pillow's encoders, for formats that cannot be written as tensor operations."""

from __future__ import annotations

import io
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as Pillow
from PIL import features
from torch import Tensor

from dgsr.checks import expect
from dgsr.types import Images

Format: TypeAlias = Literal["webp", "avif"]


def encode_decode(images: Images, file_format: Format, quality: float) -> Images:
    """Compress and decompress images in [0, 1] at a quality in [1, 100], on the CPU, one by one.

    Raises:
        UserError: Pillow was built without that format.
    """
    supported = features.check(file_format) is True
    expect(supported, f"Pillow with {file_format} support", "a build without it", "Upgrade Pillow.")
    return torch.stack([_encode_decode_one(image, file_format, round(quality)) for image in images])


def _encode_decode_one(image: Float[Tensor, "3 h w"], file_format: Format, quality: int) -> Float[Tensor, "3 h w"]:
    pixels = (image * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, file_format, quality=quality)
    decoded = np.array(Pillow.open(file).convert("RGB"))
    return torch.from_numpy(decoded).permute(2, 0, 1).to(image) / 255
