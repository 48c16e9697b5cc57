"""Measure restored images, beside bicubic resizing and beside those of another method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch

from dgsr.checks import UserError
from dgsr.metrics import Fid, Metric
from dgsr.ops.resizing import resize
from dgsr.types import Image

#: By metric; None where an image is too small for it.
Values = dict[str, float | None]

#: A name, the restored image `sr` in [0, 1], and what there is of the true image `hq`, the degraded `lq` and another
#: method's image `against`.
Sample = dict[str, Any]


@runtime_checkable
class Samples(Protocol):
    """Samples by name; one that cannot be had raises a `UserError`."""

    @property
    def names(self) -> Sequence[str]:
        """Name them all, in order."""
        ...

    def __getitem__(self, name: str) -> Sample: ...


@dataclass(frozen=True)
class Record:
    """The metrics of one image.

    Attributes:
        name: The image's, within its folder.
        values: Of the restored image ("sr"), and of others beside it ("bicubic", "against").
        notes: Why values are None, a sentence each.
    """

    name: str
    values: dict[str, Values]
    notes: tuple[str, ...] = ()


def measure_each(
    samples: Samples, names: Iterable[str], metrics: Mapping[str, Metric], device: torch.device | str = "cpu"
) -> Iterator[Record | UserError]:
    """Measure one sample after the other; one that cannot be had gives its error instead of a record.

    Each image is measured by itself, so that its numbers depend on nothing around it.
    """
    for name in names:
        try:
            yield measure(samples[name], metrics, device)
        except UserError as error:
            yield error


def measure(sample: Sample, metrics: Mapping[str, Metric], device: torch.device | str = "cpu") -> Record:
    """Measure the restored image of a sample, and what there is to compare it with.

    Args:
        sample: Metrics with reference need its `hq`.
        metrics: By name.
        device: Where the images are brought.
    """
    hq = sample["hq"].to(device) if "hq" in sample else None
    values: dict[str, Values] = {}
    notes: dict[str, None] = {}
    for series, image in candidates(sample).items():
        values[series] = {}
        for name, metric in metrics.items():
            try:
                found = float(metric(image.to(device)[None], None if hq is None else hq[None])[0])
            except UserError as error:
                found = notes.setdefault(str(error))
            values[series][name] = found
    return Record(sample["name"], values, tuple(notes))


def measure_sets(
    samples: Samples, names: Sequence[str], sets: Mapping[str, Fid], device: torch.device | str = "cpu"
) -> dict[str, Values]:
    """Measure all samples of these names as a set; by series and metric, None where the set is too small."""
    found: dict[str, Values] = {}
    for metric in sets.values():
        images = ((candidates(sample), sample["hq"]) for sample in map(samples.__getitem__, names))
        for series, value in metric.over(images, device).items():
            found.setdefault(series, {})[metric.name] = value
    return found


def candidates(sample: Sample) -> dict[str, Image]:
    """Return what is measured of a sample, the restored image first.

    >>> list(candidates({"sr": torch.rand(3, 8, 8), "lq": torch.rand(3, 2, 2)}))
    ['sr', 'bicubic']
    """
    sr, found = sample["sr"], {"sr": sample["sr"]}
    if "lq" in sample:
        found["bicubic"] = resize(sample["lq"][None], (sr.shape[1], sr.shape[2]), "bicubic")[0].clamp(0, 1)
    return found | ({"against": sample["against"]} if "against" in sample else {})


def pictures(sample: Sample) -> dict[str, Image]:
    """Return what there is to look at, in the order in which one compares."""
    found = candidates(sample) | sample
    return {title: found[title] for title in ("bicubic", "sr", "against", "hq") if title in found}
