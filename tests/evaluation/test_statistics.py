"""Test intervals and p values against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from dgsr.evaluation.statistics import crossed_interval, difference, interval


def test_bootstrap_interval_is_close_to_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    average = interval(values.tolist())
    margin = norm.ppf(0.975) * values.std() / 20
    assert average.mean == pytest.approx(values.mean())
    assert (average.low, average.high) == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.02)


def test_interval_is_a_function_of_the_seed() -> None:
    values = [1.0, 5.0, 2.0, 8.0, 3.0]
    assert interval(values) == interval(values)
    assert interval(values) != interval(values, seed=1)


def test_single_value_has_no_interval() -> None:
    average = difference([2.0], [0.5])
    assert (average.mean, average.low, average.high, average.p) == (1.5, None, None, None)


def test_p_value_of_few_images_is_exact() -> None:
    # Among the 2^5 ways to swap, only two are as extreme: swap none, swap all.
    assert difference([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.5, 1.0, 1.0, 1.0]).p == pytest.approx(2 / 32)


def test_paired_test_detects_a_gain_smaller_than_the_spread() -> None:
    generator = np.random.default_rng(0)
    theirs = generator.normal(27, 4, 60)
    ours = theirs + generator.normal(0.1, 0.1, 60)
    average = difference(ours.tolist(), theirs.tolist())
    assert average.p is not None
    assert average.low is not None
    assert average.p < 0.001
    assert average.low > 0
    assert interval(ours.tolist()).low < theirs.mean()  # pyright: ignore[reportOptionalOperand]


def test_swapping_the_methods_only_changes_the_sign() -> None:
    ours, theirs = [1.0, 3.0, 2.0, 5.0], [2.0, 2.5, 2.5, 3.0]
    forth, back = difference(ours, theirs), difference(theirs, ours)
    assert (forth.mean, forth.p) == pytest.approx((-back.mean, back.p))


def test_crossed_interval_resamples_repetitions_and_images() -> None:
    rng = np.random.default_rng(0)
    seeds, images = 40, 60
    values = rng.normal(0, 0.5, (seeds, 1)) + rng.normal(0, 0.8, (1, images)) + 1
    average = crossed_interval(values)
    assert average.mean == pytest.approx(values.mean())
    assert average.low is not None
    assert average.high is not None
    expected = (0.5**2 / seeds + 0.8**2 / images) ** 0.5  # standard error of the mean of two independent effects
    assert (average.high - average.low) / (2 * 1.96) == pytest.approx(expected, rel=0.25)
    assert crossed_interval(values) == average


def test_crossed_interval_of_one_repetition_is_the_plain_interval() -> None:
    values = np.random.default_rng(1).normal(size=50)
    ours, plain = crossed_interval(values[None]), interval(values.tolist())
    assert (ours.low, ours.high) == (pytest.approx(plain.low, abs=0.02), pytest.approx(plain.high, abs=0.02))
    assert crossed_interval(values[None, :1]).low is None
