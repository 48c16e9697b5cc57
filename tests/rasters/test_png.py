"""OpenCV reads PNG files exactly as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from dgsr.rasters import write_png

ORDER = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


@pytest.mark.parametrize("channels", ORDER)
@pytest.mark.parametrize("size", [(1, 1), (600, 7)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_another_reader_reads_every_bit(
    tmp_path: Path, channels: int, size: tuple[int, int], dtype: type[np.unsignedinteger[Any]]
) -> None:
    planes = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (channels, *size), dtype=dtype)
    pixels = planes.transpose(1, 2, 0)
    write_png(tmp_path / "a.png", pixels)
    read = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert (read.reshape(pixels.shape)[..., ORDER[channels]] == pixels).all()


def test_the_profile_is_embedded(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_png(tmp_path / "a.png", np.zeros((5, 6, 3), dtype=np.uint16), profile)
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.info["icc_profile"] == profile
        assert (image.mode, image.size) == ("RGB", (6, 5))
