"""Runs side by side: what sets them apart, and how far they differ from the first, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dgsr.evaluation.statistics import Interval, crossed_interval

_SEED = "seed"
_DEFAULT = "default"

#: What reports call the versions of a picture that are no variant's.
DEGRADED, SHARP = "degraded", "sharp"


@dataclass(frozen=True)
class Trial:
    """One run, as far as it can be compared with others.

    Attributes:
        name: Of its directory.
        settings: What it was started with, by key.
        state: `done`, `failed`, `unfinished` or `damaged`.
        reason: Why it failed, or cannot be read.
        config: The composed config, flat.
        images: The last validation: image to metric to value.
        directions: Of the metrics: `lower` or `higher` is better.
        seconds_per_step: Time of a step, validations included.
        peak_memory_bytes: The most that it took.
        series: Points (step, value) by name.
        pictures: Files of some validation images: image to `lq`, `sr` and `hq`.
    """

    name: str
    settings: Mapping[str, str]
    state: str = "done"
    reason: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    seconds_per_step: float | None = None
    peak_memory_bytes: int | None = None
    series: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    pictures: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    @property
    def seed(self) -> str:
        """The setting that repeats a run instead of changing it."""
        return self.settings.get(_SEED, "")

    def mean(self, metric: str) -> float | None:
        """Average a metric over the images that have it."""
        values = [found[metric] for found in self.images.values() if metric in found]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True)
class Variant:
    """Trials that differ in their seeds alone.

    Attributes:
        settings: What sets it apart from the other variants.
        trials: All of them, also those that are not done.
    """

    settings: Mapping[str, str]
    trials: Sequence[Trial]

    @property
    def label(self) -> str:
        """Its settings; of a single one the value is enough, unless reports call something else so."""
        if len(self.settings) == 1:
            ((key, value),) = self.settings.items()
            return f"{key}={value}" if value in (_DEFAULT, DEGRADED, SHARP) else value or _DEFAULT
        return " ".join(f"{key}={value}" for key, value in self.settings.items() if value) or "all"

    @property
    def done(self) -> list[Trial]:
        """The trials that have come to their end."""
        return [trial for trial in self.trials if trial.state == "done"]

    def mean(self, metric: str) -> float | None:
        """Average a metric over images and seeds."""
        means = [mean for trial in self.done if (mean := trial.mean(metric)) is not None]
        return float(np.mean(means)) if means else None


def varying(trials: Sequence[Trial]) -> list[str]:
    """Name the settings that are not the same in all trials.

    >>> varying([Trial("0", {"lr": "1", "seed": "0"}), Trial("1", {"lr": "2", "seed": "0"})])
    ['lr']
    """
    keys = dict.fromkeys(key for trial in trials for key in trial.settings)
    return [key for key in keys if len({trial.settings.get(key) for trial in trials}) > 1]


def variants(trials: Sequence[Trial]) -> list[Variant]:
    """Put trials together that differ in nothing but their seeds, in the order in which they come."""
    keys = [key for key in varying(trials) if key != _SEED]
    groups: dict[tuple[str, ...], list[Trial]] = {}
    for trial in trials:
        groups.setdefault(tuple(trial.settings.get(key, "") for key in keys), []).append(trial)
    return [Variant(dict(zip(keys, values, strict=True)), group) for values, group in groups.items()]


def changes(variant: Variant, base: Variant) -> dict[str, tuple[str, str]]:
    """List what a variant's composed config says, and in its place the base's, apart from the seed."""
    ours, theirs = (side.trials[0].config for side in (variant, base))
    keys = [key for key in dict.fromkeys([*theirs, *ours]) if key != _SEED and ours.get(key) != theirs.get(key)]
    return {key: (ours.get(key, "-"), theirs.get(key, "-")) for key in keys}


def metrics_of(trials: Sequence[Trial]) -> list[str]:
    """Name the metrics of the last validations."""
    return list(dict.fromkeys(metric for trial in trials for found in trial.images.values() for metric in found))


def compare(ours: Variant, base: Variant, metric: str) -> Interval | None:
    """Average how much more of a metric one variant has than the other, with its interval.

    Compared are the same images after training with the same seeds; seeds and images are both resampled. None if the
    two have nothing in common.
    """
    theirs = {trial.seed: trial for trial in base.done}
    pairs = [(trial.images, theirs[trial.seed].images) for trial in ours.done if trial.seed in theirs]
    common = [
        image
        for image in (pairs[0][0] if pairs else ())
        if all(metric in side.get(image, {}) for pair in pairs for side in pair)
    ]
    if not common:
        return None
    return crossed_interval(np.array([[mine[i][metric] - their[i][metric] for i in common] for mine, their in pairs]))
