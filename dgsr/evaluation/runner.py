"""Measure restored images, with bicubic resizing and another method's results for comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch

from dgsr.checks import UserError
from dgsr.metrics import Fid, Metric
from dgsr.ops.resizing import resize
from dgsr.types import Image

#: Values by metric; None where an image is too small for it.
Values = dict[str, float | None]

#: `name` and the restored image `sr` in [0, 1]; optionally the ground truth `hq`, the degraded image `lq`, and
#: another method's result `against`.
Sample = dict[str, Any]


@runtime_checkable
class Samples(Protocol):
    """Samples by name; one that cannot be read or restored raises a `UserError`."""

    @property
    def names(self) -> Sequence[str]:
        """All names, in order."""
        ...

    def __getitem__(self, name: str) -> Sample: ...


@dataclass(frozen=True)
class Record:
    """The metrics of one image.

    Attributes:
        name: Path of the image within its folder, without suffix.
        values: Metrics of the restored image ("sr"), and of the images it is compared with ("bicubic", "against").
        notes: Sentences that explain why values are None.
    """

    name: str
    values: dict[str, Values]
    notes: tuple[str, ...] = ()


def measure_each(
    samples: Samples, names: Iterable[str], metrics: Mapping[str, Metric], device: torch.device | str = "cpu"
) -> Iterator[Record | UserError]:
    """Measure samples one by one; yield the error of a sample that cannot be read or restored.

    Images are not batched, so that the values of an image do not depend on the others.
    """
    for name in names:
        try:
            yield measure(samples[name], metrics, device)
        except UserError as error:
            yield error


def measure(sample: Sample, metrics: Mapping[str, Metric], device: torch.device | str = "cpu") -> Record:
    """Measure the restored image of a sample and the images it is compared with.

    Args:
        sample: Must have `hq` if a metric needs a reference.
        metrics: The metrics by name.
        device: Device on which to measure.
    """
    hq = sample["hq"].to(device) if "hq" in sample else None
    values: dict[str, Values] = {}
    notes: list[str] = []
    for series, image in candidates(sample).items():
        values[series] = {}
        for name, metric in metrics.items():
            try:
                value = float(metric(image.to(device)[None], None if hq is None else hq[None])[0])
            except UserError as error:
                value = None
                notes.append(str(error))
            values[series][name] = value
    return Record(sample["name"], values, tuple(dict.fromkeys(notes)))


def measure_sets(
    samples: Samples, names: Sequence[str], sets: Mapping[str, Fid], device: torch.device | str = "cpu"
) -> dict[str, Values]:
    """Measure the named samples as a set; return values by series and metric, None where the set is too small."""
    values: dict[str, Values] = {}
    for metric in sets.values():
        images = ((candidates(sample), sample["hq"]) for sample in map(samples.__getitem__, names))
        for series, value in metric.over(images, device).items():
            values.setdefault(series, {})[metric.name] = value
    return values


def candidates(sample: Sample) -> dict[str, Image]:
    """Return the images of a sample to measure, the restored one first.

    >>> list(candidates({"sr": torch.rand(3, 8, 8), "lq": torch.rand(3, 2, 2)}))
    ['sr', 'bicubic']
    """
    sr = sample["sr"]
    images = {"sr": sr}
    if "lq" in sample:
        images["bicubic"] = resize(sample["lq"][None], (sr.shape[1], sr.shape[2]), "bicubic")[0].clamp(0, 1)
    return images | ({"against": sample["against"]} if "against" in sample else {})


def pictures(sample: Sample) -> dict[str, Image]:
    """Return the images of a sample to show, in the order of a slider's menus."""
    images = candidates(sample) | sample
    return {title: images[title] for title in ("bicubic", "sr", "against", "hq") if title in images}
