"""Intervals cover as often as they say, and tests reject as seldom as they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from dgsr.evaluation.statistics import crossed_interval, difference, interval


def test_the_interval_is_close_to_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    found = interval(values.tolist())
    margin = norm.ppf(0.975) * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.02)


def test_the_seed_decides() -> None:
    values = [1.0, 5.0, 2.0, 8.0, 3.0]
    assert interval(values) == interval(values)
    assert interval(values) != interval(values, seed=1)


def test_a_single_value_has_no_interval() -> None:
    found = difference([2.0], [0.5])
    assert (found.mean, found.low, found.high, found.p) == (1.5, None, None, None)


def test_the_p_value_of_few_images_is_exact() -> None:
    # Of 2^5 ways to swap, only none and all are as extreme as five gains.
    assert difference([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.5, 1.0, 1.0, 1.0]).p == pytest.approx(2 / 32)


def test_pairing_sees_what_averages_hide() -> None:
    generator = np.random.default_rng(0)
    theirs = generator.normal(27, 4, 60)
    ours = theirs + generator.normal(0.1, 0.1, 60)
    found = difference(ours.tolist(), theirs.tolist())
    assert found.p is not None
    assert found.low is not None
    assert found.p < 0.001
    assert found.low > 0
    assert interval(ours.tolist()).low < theirs.mean()  # pyright: ignore[reportOptionalOperand]


def test_swapping_the_two_only_turns_the_sign() -> None:
    ours, theirs = [1.0, 3.0, 2.0, 5.0], [2.0, 2.5, 2.5, 3.0]
    there, back = difference(ours, theirs), difference(theirs, ours)
    assert (there.mean, there.p) == pytest.approx((-back.mean, back.p))


def test_repetitions_and_images_are_both_resampled() -> None:
    rng = np.random.default_rng(0)
    seeds, images = 40, 60
    values = rng.normal(0, 0.5, (seeds, 1)) + rng.normal(0, 0.8, (1, images)) + 1
    found = crossed_interval(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.low is not None
    assert found.high is not None
    expected = (0.5**2 / seeds + 0.8**2 / images) ** 0.5  # of the mean of two independent effects
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(expected, rel=0.25)
    assert crossed_interval(values) == found


def test_one_repetition_is_the_interval_over_images() -> None:
    values = np.random.default_rng(1).normal(size=50)
    ours, plain = crossed_interval(values[None]), interval(values.tolist())
    assert (ours.low, ours.high) == (pytest.approx(plain.low, abs=0.02), pytest.approx(plain.high, abs=0.02))
    assert crossed_interval(values[None, :1]).low is None
