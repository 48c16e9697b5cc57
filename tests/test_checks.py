"""Checks: the one sentence that every refusal has."""

from __future__ import annotations

import pytest

from dgsr.checks import UserError, expect, refuse


def test_what_holds_passes_silently() -> None:
    expect(True, "anything", "something")


def test_a_refusal_says_what_was_expected_what_came_and_what_to_do() -> None:
    with pytest.raises(UserError, match=r"^Expected a rank above 0, but got -1\. Set generator\.unet_rank=4\.$"):
        expect(False, "a rank above 0", -1, "Set generator.unet_rank=4.")


def test_a_sentence_without_a_remedy_ends_cleanly() -> None:
    with pytest.raises(UserError, match=r"^Expected an image, but got a folder\.$"):
        refuse("an image", "a folder", "")


def test_callers_that_know_only_python_catch_a_value_error() -> None:
    assert issubclass(UserError, ValueError)
