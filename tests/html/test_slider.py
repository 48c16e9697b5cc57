"""Test the slider."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from dgsr.html import slider


def test_embedded_pictures_are_nearly_lossless() -> None:
    smooth = torch.linspace(0, 1, 96).expand(3, 64, 96).contiguous()
    pictures = re.findall(r'src="data:image/webp;base64,([^"]+)"', slider({"a": smooth, "b": 1 - smooth}))
    pixels = np.array(PillowImage.open(BytesIO(b64decode(pictures[1]))))
    assert np.abs(pixels - 255 * (1 - smooth).permute(1, 2, 0).numpy()).max() < 4


def test_first_two_versions_are_shown_and_small_ones_enlarged() -> None:
    sizes = {"lq": 8, "sr": 32, "<hq>": 32}
    markup = slider({title: torch.rand(3, side, side) for title, side in sizes.items()}, "a.png")
    shown = re.findall(r'<img alt="([^"]+)" src="[^"]+" class="([^"]*)">', markup)
    assert shown == [("lq", "left small"), ("sr", "right"), ("&lt;hq&gt;", "")]
    assert re.findall(r"<option selected>([^<]+)<", markup) == ["lq", "sr"]
    assert "max-width:max(32px,24em)" in markup


def test_single_version_is_refused() -> None:
    with pytest.raises(AssertionError):
        slider({"sr": torch.rand(3, 8, 8)})


def test_pictures_beyond_the_limit_of_webp_are_reduced() -> None:
    pictures = re.findall(
        r'src="data:image/webp;base64,([^"]+)"', slider(dict.fromkeys("ab", torch.zeros(3, 2, 20000)))
    )
    assert [PillowImage.open(BytesIO(b64decode(picture))).size for picture in pictures] == [(16383, 2)] * 2
