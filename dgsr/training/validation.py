"""Per-image validation results, averaged exactly over any number of ranks."""

from __future__ import annotations

import torch

ValidationRecords = dict[str, dict[str, float]]


def gather_records(records: ValidationRecords) -> dict[str, float]:
    """Average every metric over the images of all ranks, counting each image once."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        shares: list[ValidationRecords] = [{} for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather_object(shares, records)
        records = {image: values for share in shares for image, values in share.items()}
    images = [records[image] for image in sorted(records)]
    names = list(images[0]) if images else []
    return {name: sum(image[name] for image in images) / len(images) for name in names}
