"""Per-image validation results, averaged exactly over any number of ranks."""

from __future__ import annotations

import torch

ValidationRecords = dict[str, dict[str, float]]


def gather_records(records: ValidationRecords) -> ValidationRecords:
    """Bring the images of all ranks together, each image once, in the order of their names."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        shares: list[ValidationRecords] = [{} for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather_object(shares, records)
        records = {image: values for share in shares for image, values in share.items()}
    return {image: records[image] for image in sorted(records)}


def means(records: ValidationRecords) -> dict[str, float]:
    """Average every metric over the images.

    >>> means({"a": {"psnr": 20.0}, "b": {"psnr": 30.0}})
    {'psnr': 25.0}
    """
    names = list(next(iter(records.values()), {}))
    return {name: sum(values[name] for values in records.values()) / len(records) for name in names}
