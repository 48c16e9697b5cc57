"""Build metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

import torch

from dgsr.checks import UserError, expect, refuse
from dgsr.features.weights import expect_source
from dgsr.metrics.fid import Fid
from dgsr.metrics.fidelity import Channel, Psnr
from dgsr.metrics.metric import Metric
from dgsr.metrics.opinion import PYIQA, Opinion

#: How metrics are built, by name; None stands for one that a config has switched off.
Constructors: TypeAlias = Mapping[str, Callable[[], Any] | None]


@dataclass(frozen=True)
class Suite:
    """The metrics that could be built, of those that were requested."""

    each: dict[str, Metric] = field(default_factory=dict)
    sets: dict[str, Fid] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # a sentence each: why, and how to get it

    def without_reference(self) -> Suite:
        """Keep the metrics that need no true images."""
        each = {name: metric for name, metric in self.each.items() if not metric.needs_reference}
        lacking = [name for name in (*self.each, *self.sets) if name not in each]
        sentences = {name: f"{name} compares with true images, which are missing." for name in lacking}
        return Suite(each, {}, self.missing | sentences)

    def without(self, missing: Mapping[str, str]) -> Suite:
        """Leave out the metrics that are missing elsewhere, with the reasons."""
        each = {name: metric for name, metric in self.each.items() if name not in missing}
        sets = {name: metric for name, metric in self.sets.items() if name not in missing}
        return Suite(each, sets, {**self.missing, **missing})

    def to(self, device: torch.device) -> Suite:
        """Move the metrics to a device."""
        return Suite({name: metric.to(device) for name, metric in self.each.items()}, self.sets, self.missing)


def build(names: Iterable[str], available: Constructors, **options: Any) -> dict[str, Metric]:
    """Build metrics of single images, all of them or none; arguments as for `build_available`.

    Raises:
        UserError: A name is not known, or a metric cannot be built.

    >>> from dgsr.metrics import Psnr
    >>> build(["psnr"], {"psnr": Psnr})["psnr"].arrow
    '↑'
    """
    suite = build_available(names, available, **options)
    for sentence in suite.missing.values():
        raise UserError(sentence)
    remedy = "Measure whole sets with evaluate.py."
    expect(not suite.sets, "metrics of single images in metrics.names", ", ".join(suite.sets), remedy)
    return suite.each


def build_available(
    names: Iterable[str],
    available: Constructors,
    channel: Channel = "y",
    crop_border_px: int = 0,
    weights: str = "auto",
    **own: Any,
) -> Suite:
    """Build the metrics of single images and of whole sets (fid) that this machine has, in the order of their names.

    Args:
        names: Which of the available metrics to build; also `pyiqa:NAME`, any of pyiqa's own names.
        available: Constructors by name; a null entry is not available.
        channel: The nodes of a config refer to this value and to the two below; here they are only checked.
        crop_border_px: See `Psnr`.
        weights: See `Lpips`.
        own: Further metrics by name, always measured, after the others; None leaves one out.

    Raises:
        UserError: A name is not known, or an option cannot have that value.
    """
    names, suite = list(names), Suite()
    _expect_known(names, available)
    Psnr(channel, crop_border_px)  # which every machine has: a wrong option is refused, not counted as missing
    expect_source(weights)
    for name in names:
        constructor = available.get(name)
        try:
            metric: Any = Opinion(name) if constructor is None else constructor()
        except UserError as error:
            suite.missing[name] = str(error)
        else:
            (suite.sets if isinstance(metric, Fid) else suite.each)[name] = metric
    for name, metric in own.items():
        if metric is not None:
            remedy = "Derive its class from dgsr.metrics.Metric."
            expect(isinstance(metric, Metric), f"a metric for metrics.{name}", repr(metric), remedy)
            suite.each[name] = metric
    return suite


def _expect_known(names: Iterable[str], available: Constructors) -> None:
    known = [name for name, constructor in available.items() if constructor is not None]
    for name in names:
        if name not in known and not name.startswith(PYIQA):
            similar = get_close_matches(name, known, n=1)
            remedy = f"Did you mean {similar[0]}?" if similar else "Correct --metrics or metrics.names."
            refuse(f"metrics among {', '.join(known)} and {PYIQA}NAME", name or "an empty name", remedy)
