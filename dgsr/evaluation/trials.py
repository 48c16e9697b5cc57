"""Group the runs of a sweep into variants, and compare these image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dgsr.evaluation.statistics import Interval, crossed_interval

_SEED = "seed"
_DEFAULT = "default"

#: Titles of the degraded and the high-quality version of a picture in reports.
DEGRADED, SHARP = "degraded", "sharp"


@dataclass(frozen=True)
class Trial:
    """The results of one run.

    Attributes:
        name: Name of the run's folder.
        settings: Overrides that the run was started with, by key.
        state: `done`, `failed`, `unfinished` or `damaged`.
        reason: Why it failed or cannot be read.
        config: The composed config, flattened.
        images: Values of the last validation, by image and metric.
        directions: `lower` or `higher`, by metric: which is better.
        seconds_per_step: Time of a step, validations included.
        peak_memory_bytes: Largest memory that was in use.
        series: Points (step, value) by name.
        pictures: Files of some validation images: `lq`, `sr` and `hq`, by image.
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
        """The run's seed, which distinguishes repetitions of a variant."""
        return self.settings.get(_SEED, "")

    def mean(self, metric: str) -> float | None:
        """Average a metric over the images that have it."""
        values = [scores[metric] for scores in self.images.values() if metric in scores]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True)
class Variant:
    """Trials that differ only in their seeds.

    Attributes:
        settings: The settings in which variants differ.
        trials: The variant's trials in any state.
    """

    settings: Mapping[str, str]
    trials: Sequence[Trial]

    @property
    def label(self) -> str:
        """The variant's settings; only the value if there is one setting and the value is not a reserved title."""
        if len(self.settings) == 1:
            ((key, value),) = self.settings.items()
            return f"{key}={value}" if value in (_DEFAULT, DEGRADED, SHARP) else value or _DEFAULT
        return " ".join(f"{key}={value}" for key, value in self.settings.items() if value) or "all"

    @property
    def done(self) -> list[Trial]:
        """The finished trials."""
        return [trial for trial in self.trials if trial.state == "done"]

    def mean(self, metric: str) -> float | None:
        """Average a metric over images and seeds."""
        means = [mean for trial in self.done if (mean := trial.mean(metric)) is not None]
        return float(np.mean(means)) if means else None


def varying(trials: Sequence[Trial]) -> list[str]:
    """Return the keys of settings that differ between trials.

    >>> varying([Trial("0", {"lr": "1", "seed": "0"}), Trial("1", {"lr": "2", "seed": "0"})])
    ['lr']
    """
    keys = dict.fromkeys(key for trial in trials for key in trial.settings)
    return [key for key in keys if len({trial.settings.get(key) for trial in trials}) > 1]


def variants(trials: Sequence[Trial]) -> list[Variant]:
    """Group trials that differ only in their seeds, in the order of their first trials."""
    keys = [key for key in varying(trials) if key != _SEED]
    groups: dict[tuple[str, ...], list[Trial]] = {}
    for trial in trials:
        groups.setdefault(tuple(trial.settings.get(key, "") for key in keys), []).append(trial)
    return [Variant(dict(zip(keys, values, strict=True)), group) for values, group in groups.items()]


def changes(variant: Variant, base: Variant) -> dict[str, tuple[str, str]]:
    """Return (value, base value) of every key in which two composed configs differ, except the seed."""
    ours, theirs = (side.trials[0].config for side in (variant, base))
    keys = [key for key in dict.fromkeys([*theirs, *ours]) if key != _SEED and ours.get(key) != theirs.get(key)]
    return {key: (ours.get(key, "-"), theirs.get(key, "-")) for key in keys}


def metrics_of(trials: Sequence[Trial]) -> list[str]:
    """Return the names of the metrics in the last validations."""
    return list(dict.fromkeys(metric for trial in trials for scores in trial.images.values() for metric in scores))


def compare(ours: Variant, base: Variant, metric: str) -> Interval | None:
    """Return the average difference of a metric between two variants, over the same images and seeds.

    The interval resamples both seeds and images. None if the variants share no seed or no image.
    """
    theirs = {trial.seed: trial for trial in base.done}
    pairs = [(trial.images, theirs[trial.seed].images) for trial in ours.done if trial.seed in theirs]
    sides = [side for pair in pairs for side in pair]
    common = [image for image in (sides[0] if sides else ()) if all(metric in side.get(image, {}) for side in sides)]
    if not common:
        return None
    return crossed_interval(np.array([[mine[i][metric] - their[i][metric] for i in common] for mine, their in pairs]))
