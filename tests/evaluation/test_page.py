"""Test the HTML report of an evaluation."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch

from dgsr.evaluation import Record, Results, write_page
from dgsr.metrics import Suite
from dgsr.types import Image
from tests.browser import needs_browser, opened
from tests.evaluation.test_results import results
from tests.standard_metrics import build


def versions(_: str) -> Mapping[str, Image]:
    return {title: torch.rand(3, 8, 8) for title in ("bicubic", "sr", "hq")}


def captions(document: str) -> list[str]:
    return re.findall(r"<h2>(\w+) by|<span>(\w+):", document)  # pyright: ignore[reportReturnType]


def test_best_and_worst_images_follow_metric_direction(tmp_path: Path) -> None:
    records = [Record(f"i{n}", {"sr": {"psnr": 20.0 + n}}) for n in range(10)]
    write_page(Results({}, records, Suite(build(["psnr"]))), tmp_path / "p.html", "title", versions)
    shown = [a or b for a, b in captions((tmp_path / "p.html").read_text())]
    assert shown == ["Best", "i9", "i8", "i7", "i6", "Worst", "i0", "i1", "i2", "i3"]
    records = [Record(f"i{n}", {"sr": {"dists": 0.1 * n}}) for n in range(3)]
    write_page(Results({}, records, Suite(build(["dists"]))), tmp_path / "p.html", "title", versions)
    assert [a or b for a, b in captions((tmp_path / "p.html").read_text())] == ["Best", "i0", "i1", "Worst", "i2"]


def test_undecodable_names_are_shown_escaped(tmp_path: Path) -> None:
    odd = Results({}, [Record(os.fsdecode(b"a\xff.png"), {"sr": {"psnr": 20.0}})], Suite(build(["psnr"])))
    write_page(odd, tmp_path / "p.html", "title", versions)
    assert "a\\udcff.png" in (tmp_path / "p.html").read_text(encoding="utf-8")


@needs_browser
def test_page_opens_without_browser_errors(tmp_path: Path) -> None:
    write_page(results(), tmp_path / "p.html", "title", versions)
    dom, complaints = opened((tmp_path / "p.html").read_text(encoding="utf-8"), tmp_path)
    assert not complaints
    for text in ("d: broken", "too small", "sr: folder", "+1.5000"):
        assert text in dom
    assert dom.count('class="slider"') == 3


def test_single_version_has_no_slider(tmp_path: Path) -> None:
    write_page(results(), tmp_path / "p.html", "title", lambda name: {"sr": torch.rand(3, 8, 8)})
    assert "<figure" not in (tmp_path / "p.html").read_text(encoding="utf-8")
