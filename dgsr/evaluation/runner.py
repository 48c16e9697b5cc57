"""Upscale every pair and measure it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dgsr.images import write_image
from dgsr.metrics import Metric
from dgsr.ops.resizing import upsample
from dgsr.types import Image


@dataclass(frozen=True)
class Record:
    """The metrics of one image: of the model, and of bicubic resizing beside it."""

    name: str
    sr: dict[str, float]
    bicubic: dict[str, float]


@torch.no_grad()
def evaluate(
    pairs: Iterable[Mapping[str, Any]],
    upscaler: Callable[[Image], Image],
    metrics: Mapping[str, Metric],
    save_to: Path | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[Record]:
    """Yield one record a pair, in order, so that a caller can show progress and keep what is done.

    Args:
        pairs: Samples with `lq` (3, h, w) and `hq` (3, H, W) in [0, 1], and a `name`.
        upscaler: Degraded image to restored image, both in [0, 1].
        metrics: By name.
        save_to: Folder for the restored images; None saves none.
        device: Where the images are brought.
    """
    for pair in pairs:
        lq, hq, name = pair["lq"].to(device), pair["hq"].to(device), pair["name"]
        sr = upscaler(lq)
        bicubic = upsample(lq[None], hq.shape[-1] // lq.shape[-1])[0]
        if save_to is not None:
            write_image(save_to / f"{Path(name).stem}.png", sr)
        yield Record(name, _measure(metrics, sr, hq), _measure(metrics, bicubic, hq))


def _measure(metrics: Mapping[str, Metric], image: Image, hq: Image) -> dict[str, float]:
    return {name: float(metric(image[None], hq[None])[0]) for name, metric in metrics.items()}


def means(records: Iterable[dict[str, float]]) -> dict[str, float]:
    """Average each metric over the images.

    >>> means([{"psnr": 20.0}, {"psnr": 30.0}])
    {'psnr': 25.0}
    """
    rows = list(records)
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
