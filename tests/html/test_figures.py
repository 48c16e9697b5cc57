"""Test embedded figures."""

from __future__ import annotations

import re
from base64 import b64decode
from xml.etree import ElementTree

from dgsr.html import curves, histograms


def test_histograms_are_svg_with_one_panel_per_title() -> None:
    markup = histograms({"psnr": {"sr": [20.0, 25.0], "bicubic": [21.0]}, "ssim": {"sr": [0.5, 0.5]}})
    (encoded,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', markup)
    root = ElementTree.fromstring(b64decode(encoded))
    assert sum(group.get("id", "").startswith("axes_") for group in root.iter("{http://www.w3.org/2000/svg}g")) == 2
    assert "histograms of psnr, ssim" in markup


def test_dollar_signs_in_names_are_not_parsed_as_math() -> None:
    name = r"a=$\nowhere{$"
    assert "img" in curves({name: [(name, [(0, 1.0), (1, 2.0)])]})
    assert "img" in histograms({name: {name: [1.0, 2.0]}})


def test_curves_of_one_name_share_colour_and_legend_entry() -> None:
    points = [(0, 1.0), (1, 2.0)]
    markup = curves({"loss": [("a", points), ("a", points), ("b", points)], "psnr": [("b", points)]})
    (encoded,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', markup)
    drawing = b64decode(encoded).decode()
    lines = re.findall(r"<path d=[^>]*stroke: (#1f77b4|#ff7f0e)", drawing)
    assert (lines.count("#1f77b4"), lines.count("#ff7f0e")) == (2 + 1, 2 + 1)
