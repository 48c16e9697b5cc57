"""Test the form of error messages."""

from __future__ import annotations

import pytest

from dgsr.checks import UserError, expect, refuse


def test_true_condition_raises_nothing() -> None:
    expect(True, "anything", "something")


def test_error_states_expectation_value_and_remedy() -> None:
    with pytest.raises(
        UserError, match=r"^Expected a rank above 0, but got -1\. Set generator\.adapters\.main\.unet\.rank=4\.$"
    ):
        expect(False, "a rank above 0", -1, "Set generator.adapters.main.unet.rank=4.")


def test_error_without_remedy_ends_with_one_full_stop() -> None:
    with pytest.raises(UserError, match=r"^Expected an image, but got a folder\.$"):
        refuse("an image", "a folder", "")


def test_user_error_is_a_value_error() -> None:
    assert issubclass(UserError, ValueError)
