"""How far averages over images can be trusted: bootstrap intervals and paired tests."""

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
    """The average of differences, and how often chance alone would make it as large, either way."""

    p: float | None

    def __str__(self) -> str:
        sign = "" if self.mean < 0 else "+"
        return f"{sign}{super().__str__()}" + ("" if self.p is None else f", p = {self.p:.4f}")


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Average, and bootstrap the percentile interval of that average over images.

    Args:
        values: At least one.
        seed: Of the resampling: the same values always give the same interval.

    >>> interval([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None)
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=rng(seed, "bootstrap"),
    ).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def difference(ours: Sequence[float], theirs: Sequence[float], seed: int = 0) -> Difference:
    """Compare two methods on the same images, in the same order.

    The interval is that of the differences' average. The p value is a permutation test's: under the null hypothesis
    the two values of an image could be swapped. Up to 13 images it is exact, beyond that from 9999 random swaps.

    Args:
        ours: One value an image.
        theirs: The other method's.
        seed: Of resampling and swaps.
    """
    differences = np.subtract(ours, theirs)
    found = interval(differences.tolist(), seed)
    if len(ours) < 2:
        return Difference(found.mean, None, None, None)
    test = stats.permutation_test(
        (differences,),  # swapping two values turns the sign of their difference
        np.mean,
        permutation_type="samples",
        n_resamples=_RESAMPLES,
        batch=_BATCH,
        rng=rng(seed, "permutation"),
    )
    return Difference(found.mean, found.low, found.high, float(test.pvalue))


def crossed_interval(values: Float[np.ndarray, "seeds images"], seed: int = 0) -> Interval:
    """Average over repetitions and images, and bootstrap the interval by resampling both.

    A single repetition is not resampled, nor is a single image: the interval then holds for it alone.

    Args:
        values: One row a repetition, one column an image.
        seed: Of the resampling: the same values always give the same interval.
    """
    if values.size < 2:
        return Interval(float(values.mean()), None, None)
    generator = rng(seed, "bootstrap")
    of_seeds, of_images = (generator.multinomial(n, np.full(n, 1 / n), _RESAMPLES) / n for n in values.shape)
    means = ((of_images @ values.T) * of_seeds).sum(axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))
