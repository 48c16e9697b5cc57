"""Test the page's script in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from dgsr.html import histograms, page, slider, table
from tests.browser import needs_browser, opened

USE = """
const divider = document.querySelector("input");
divider.value = 20;
divider.dispatchEvent(new Event("input"));
const menu = document.querySelector("select.right");
menu.selectedIndex = 2;
menu.dispatchEvent(new Event("change"));
document.querySelectorAll("th")[1].click();
document.querySelectorAll("th")[1].click();
"""


@needs_browser
def test_slider_menu_and_sorting_work_without_errors(tmp_path: Path) -> None:
    parts = [
        table(["name", "psnr"], [["a", 9.5], ["b", 27.0], ["c", 12.25]]),
        slider({title: torch.rand(3, 16, 16) for title in ("bicubic", "sr", "hq")}),
        histograms({"psnr": {"sr": [9.5, 27.0, 12.25]}}),
    ]
    dom, complaints = opened(page("title", parts), tmp_path, USE)
    assert not complaints
    assert "--at: 20%" in dom
    assert re.findall(r'<img alt="(\w+)" src="[^"]+" class="(\w*)">', dom) == [
        ("bicubic", "left"),
        ("sr", ""),
        ("hq", "right"),
    ]
    assert re.findall(r"<tr><td>(\w)</td>", dom) == ["b", "c", "a"]  # the second click sorts in descending order


@needs_browser
def test_browser_blocks_external_resources(tmp_path: Path) -> None:
    document = page("title", []).replace("</html>", '<img src="http://127.0.0.1:9/a.png"></html>')
    assert any("Content Security Policy" in line for line in opened(document, tmp_path)[1])
