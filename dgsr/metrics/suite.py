"""Metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import torch

from dgsr.checks import UserError, refuse
from dgsr.features.weights import expect_source
from dgsr.metrics.fid import Fid
from dgsr.metrics.fidelity import Channel, Psnr, Ssim
from dgsr.metrics.metric import Metric
from dgsr.metrics.niqe import Niqe
from dgsr.metrics.opinion import OPINIONS, PYIQA, Opinion
from dgsr.metrics.perceptual import Dists, Lpips


@dataclass(frozen=True)
class _Options:
    weights: str
    channel: Channel
    crop_border_px: int


_EACH: dict[str, Callable[[_Options], Metric]] = {
    "psnr": lambda options: Psnr(options.channel, options.crop_border_px),
    "ssim": lambda options: Ssim(options.channel, options.crop_border_px),
    "lpips": lambda options: Lpips("alex", options.weights),
    "lpips_vgg": lambda options: Lpips("vgg", options.weights),
    "dists": lambda options: Dists(options.weights),
    "niqe": lambda options: Niqe(),
    **{name: lambda options, name=name: Opinion(name) for name in OPINIONS},
}
_SETS = {"fid": lambda options: Fid(options.weights)}

NAMES = (*_EACH, *_SETS)


@dataclass(frozen=True)
class Suite:
    """What could be built of the metrics that were asked for."""

    each: dict[str, Metric] = field(default_factory=dict)
    sets: dict[str, Fid] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # why, and how to get it, a sentence each

    def without_reference(self) -> Suite:
        """Keep what can be measured where there are no true images."""
        each = {name: metric for name, metric in self.each.items() if not metric.needs_reference}
        lacking = [name for name in (*self.each, *self.sets) if name not in each]
        sentences = {name: f"{name} compares with true images, and there are none." for name in lacking}
        return Suite(each, {}, self.missing | sentences)

    def without(self, missing: Mapping[str, str]) -> Suite:
        """Leave out what is missing elsewhere, with the reasons."""
        each = {name: metric for name, metric in self.each.items() if name not in missing}
        sets = {name: metric for name, metric in self.sets.items() if name not in missing}
        return Suite(each, sets, {**self.missing, **missing})

    def to(self, device: torch.device) -> Suite:
        """Bring the metrics to a device."""
        return Suite({name: metric.to(device) for name, metric in self.each.items()}, self.sets, self.missing)


def build(
    names: Iterable[str], weights: str = "auto", channel: Channel = "y", crop_border_px: int = 0
) -> dict[str, Metric]:
    """Build metrics of single images, in the order of their names.

    Args:
        names: Among psnr, ssim, lpips, lpips_vgg, dists, niqe and, where pyiqa is installed, musiq, maniqa, clipiqa,
            topiq and `pyiqa:<name of its own>`.
        weights: Where VGG-16 and AlexNet come from: auto, offline, torchvision, or a path.
        channel: Of PSNR and SSIM: y or rgb.
        crop_border_px: What PSNR and SSIM cut off all around.

    Raises:
        UserError: A name is not known, or a metric cannot be had.

    >>> build(["psnr"])["psnr"].direction
    'higher'
    """
    options, names = _Options(weights, channel, crop_border_px), list(names)
    _expect_known(names, tuple(_EACH))
    return {name: _built(name, options) for name in names}


def build_available(
    names: Iterable[str], weights: str = "auto", channel: Channel = "y", crop_border_px: int = 0
) -> Suite:
    """Build what can be had of the metrics of single images and of whole sets (fid); arguments as for `build`.

    Raises:
        UserError: A name is not known, or an option cannot have that value.
    """
    options, names, suite = _Options(weights, channel, crop_border_px), list(names), Suite()
    _expect_known(names, NAMES)
    Psnr(channel, crop_border_px)  # needs nothing: what it refuses is not to be passed over
    expect_source(weights)
    for name in names:
        try:
            if name in _SETS:
                suite.sets[name] = _SETS[name](options)
            else:
                suite.each[name] = _built(name, options)
        except UserError as error:
            suite.missing[name] = str(error)
    return suite


def _built(name: str, options: _Options) -> Metric:
    return Opinion(name) if name.startswith(PYIQA) else _EACH[name](options)


def _expect_known(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known and not name.startswith(PYIQA):
            similar = get_close_matches(name, known, n=1)
            remedy = f"Did you mean {similar[0]}?" if similar else "Mend --metrics or metrics.names."
            refuse(f"metrics among {', '.join(known)} and {PYIQA}NAME", name or "an empty name", remedy)
