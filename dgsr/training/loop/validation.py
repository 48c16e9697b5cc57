"""Per-image validation results, averaged exactly over any number of ranks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch

from dgsr.metrics.metric import Described

ValidationRecords = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Reported(Described):
    """A reported number that is not a metric of single images."""

    direction: Literal["higher", "lower"]
    variant: str


def gather_records(records: ValidationRecords) -> ValidationRecords:
    """Collect the images of all ranks, each image once, in the order of their names."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        shares: list[ValidationRecords] = [{} for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather_object(shares, records)
        records = {image: values for share in shares for image, values in share.items()}
    return {image: records[image] for image in sorted(records)}


def means(records: ValidationRecords) -> dict[str, float]:
    """Average every metric over the images that have it.

    >>> means({"a": {"psnr": 20.0}, "b": {"psnr": 30.0}, "realsr/a": {"realsr/psnr": 25.0}})
    {'psnr': 25.0, 'realsr/psnr': 25.0}
    """
    by_metric: dict[str, list[float]] = {}
    for values in records.values():
        for name, value in values.items():
            by_metric.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in by_metric.items()}


def qualified(set_name: str, name: str) -> str:
    """Prefix the name of a metric or an image with the name of its set.

    >>> qualified("realsr", "lpips"), qualified("", "lpips")
    ('realsr/lpips', 'lpips')
    """
    return f"{set_name}/{name}" if set_name else name


def sets_of(names: Iterable[str]) -> list[str]:
    """Return the sets that metrics belong to; the set without a name is the empty string.

    >>> sets_of(["step", "psnr", "realsr/psnr", "realsr/bicubic/psnr"])
    ['', 'realsr']
    """
    return list(dict.fromkeys(name.rpartition("/")[0] for name in names if name != "step" and "bicubic/" not in name))
