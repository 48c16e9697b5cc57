"""Drawings are embedded whole."""

from __future__ import annotations

import re
from base64 import b64decode
from xml.etree import ElementTree

from dgsr.html import histograms


def test_histograms_are_vectors_with_a_panel_a_title() -> None:
    markup = histograms({"psnr": {"sr": [20.0, 25.0], "bicubic": [21.0]}, "ssim": {"sr": [0.5, 0.5]}})
    (encoded,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', markup)
    root = ElementTree.fromstring(b64decode(encoded))
    assert sum(group.get("id", "").startswith("axes_") for group in root.iter("{http://www.w3.org/2000/svg}g")) == 2
    assert "histograms of psnr, ssim" in markup
