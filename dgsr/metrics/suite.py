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

#: Constructors of metrics by name; None for a metric that a config has disabled.
Constructors: TypeAlias = Mapping[str, Callable[[], Any] | None]


@dataclass(frozen=True)
class Suite:
    """The requested metrics, and the reasons for those that could not be built."""

    each: dict[str, Metric] = field(default_factory=dict)
    sets: dict[str, Fid] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # a sentence per name: the reason and the remedy

    def without_reference(self) -> Suite:
        """Return the metrics that need no ground truth."""
        each = {name: metric for name, metric in self.each.items() if not metric.needs_reference}
        lacking = [name for name in (*self.each, *self.sets) if name not in each]
        sentences = {name: f"{name} needs ground truth images, which are missing." for name in lacking}
        return Suite(each, {}, self.missing | sentences)

    def without(self, missing: Mapping[str, str]) -> Suite:
        """Return the suite without metrics that another rank lacks, with the reasons."""
        each = {name: metric for name, metric in self.each.items() if name not in missing}
        sets = {name: metric for name, metric in self.sets.items() if name not in missing}
        return Suite(each, sets, {**self.missing, **missing})

    def to(self, device: torch.device) -> Suite:
        """Move the metrics to a device."""
        return Suite({name: metric.to(device) for name, metric in self.each.items()}, self.sets, self.missing)


def build(names: Iterable[str], available: Constructors, **options: Any) -> dict[str, Metric]:
    """Build metrics of single images; unlike `build_available`, refuse missing ones.

    Raises:
        UserError: A name is unknown, or a metric cannot be built.

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
    """Build the metrics of single images and of whole sets (fid) that are available on this machine.

    Args:
        names: Names of metrics in `available`, or `pyiqa:NAME` for any metric of pyiqa.
        available: Constructors by name; None disables a metric.
        channel: Config nodes refer to this value and the next two; this function only checks them.
        crop_border_px: See `Psnr`.
        weights: See `Lpips`.
        own: Further metrics by name, always measured after the others; None disables one.

    Raises:
        UserError: A name is unknown, or an option is invalid.
    """
    names, suite = list(names), Suite()
    _expect_known(names, available)
    Psnr(channel, crop_border_px)  # always available, so that a wrong option is refused instead of reported as missing
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
