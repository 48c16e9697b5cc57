"""Every pair is measured, in order, beside bicubic resizing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.evaluation.runner import evaluate, means
from dgsr.metrics import build
from dgsr.ops.resizing import upsample


def test_a_perfect_and_a_bicubic_upscaler(tmp_path: Path) -> None:
    hq = torch.rand(2, 3, 64, 64)
    pairs = [{"lq": image[:, ::4, ::4], "hq": image, "name": f"{i}.jpg"} for i, image in enumerate(hq)]
    metrics = build(["psnr", "ssim"])
    answers = iter(hq)
    perfect = list(evaluate(pairs, lambda lq: next(answers), metrics, save_to=tmp_path))
    assert [record.name for record in perfect] == ["0.jpg", "1.jpg"]
    assert all(record.sr["ssim"] == pytest.approx(1.0) for record in perfect)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png"]
    plain = list(evaluate(pairs, lambda lq: upsample(lq[None], 4)[0], metrics))
    assert all(record.sr == record.bicubic for record in plain)
    assert perfect[0].bicubic == plain[0].bicubic


def test_means_are_over_images() -> None:
    assert means([{"a": 1.0, "b": 4.0}, {"a": 3.0, "b": 0.0}]) == {"a": 2.0, "b": 2.0}
