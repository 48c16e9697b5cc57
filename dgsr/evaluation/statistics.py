"""Compute bootstrap intervals of averages, and paired permutation tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from dgsr.seeds import rng

CONFIDENCE = 0.95

_RESAMPLES = 9999
_BATCH = 100  # resamples held in memory at once


@dataclass(frozen=True)
class Interval:
    """An average with its 95 % interval; a single value has none."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.mean:.4f}" if self.low is None else f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Difference(Interval):
    """An average of paired differences, with the two-sided p value of a permutation test."""

    p: float | None

    def __str__(self) -> str:
        sign = "" if self.mean < 0 else "+"
        return f"{sign}{super().__str__()}" + ("" if self.p is None else f", p = {self.p:.4f}")


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Return the average with its percentile bootstrap interval over images.

    Args:
        values: At least one.
        seed: Seed of the resampling; the same values give the same interval.

    >>> interval([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None)
    limits = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng(seed, "bootstrap"),
    ).confidence_interval
    return Interval(mean, float(limits.low), float(limits.high))


def difference(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Difference:
    """Compare two methods on the same images, in the same order.

    The interval is that of the average difference. The p value is that of a two-sided permutation test, which swaps
    the two values of an image: exact for up to 13 images, from 9999 random swaps for more.

    Args:
        ours: One value per image.
        theirs: Values of the other method.
        seed: Seed of the resampling and the swaps.
    """
    differences = np.subtract(ours, theirs)
    average = interval(differences.tolist(), seed)
    if len(ours) < 2:
        return Difference(average.mean, None, None, None)
    test = stats.permutation_test(
        (differences,),  # swapping two values changes the sign of their difference
        np.mean,
        permutation_type="samples",
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        rng=rng(seed, "permutation"),
    )
    return Difference(average.mean, average.low, average.high, float(test.pvalue))


def crossed_interval(values: Float[np.ndarray, "seeds images"], seed: int = 0) -> Interval:
    """Return the average over repetitions and images, with a bootstrap interval that resamples both.

    With a single repetition or a single image, the interval covers only the other axis.

    Args:
        values: One row per repetition, one column per image.
        seed: Seed of the resampling; the same values give the same interval.
    """
    if values.size < 2:
        return Interval(float(values.mean()), None, None)
    generator = rng(seed, "bootstrap")
    seed_weights, image_weights = (generator.multinomial(n, np.full(n, 1 / n), _RESAMPLES) / n for n in values.shape)
    means = ((image_weights @ values.T) * seed_weights).sum(axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))
