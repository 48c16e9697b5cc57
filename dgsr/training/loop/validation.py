"""Per-image validation results, averaged exactly over any number of ranks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch

ValidationRecords = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Reported:
    """What one must know of a number that is no metric of images, as metrics tell it of theirs."""

    direction: Literal["higher", "lower"]
    variant: str


def gather_records(records: ValidationRecords) -> ValidationRecords:
    """Bring the images of all ranks together, each image once, in the order of their names."""
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
    found: dict[str, list[float]] = {}
    for values in records.values():
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def qualified(of: str, name: str) -> str:
    """Put the name of a set before the name of a metric or an image.

    >>> qualified("realsr", "lpips"), qualified("", "lpips")
    ('realsr/lpips', 'lpips')
    """
    return f"{of}/{name}" if of else name


def sets_of(found: Iterable[str]) -> list[str]:
    """Name the sets that were measured; the one without a name is empty.

    >>> sets_of(["step", "psnr", "realsr/psnr", "realsr/bicubic/psnr"])
    ['', 'realsr']
    """
    return list(dict.fromkeys(name.rpartition("/")[0] for name in found if name != "step" and "bicubic/" not in name))
