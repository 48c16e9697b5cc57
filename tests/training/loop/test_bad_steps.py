"""Test the count of bad steps and its limit."""

from __future__ import annotations

import logging

import pytest

from dgsr.checks import UserError
from dgsr.training.loop.bad_steps import BadSteps


def test_good_step_resets_the_count(caplog: pytest.LogCaptureFixture) -> None:
    bad_steps = BadSteps(limit=2)
    with caplog.at_level(logging.WARNING, "dgsr"):
        for step, parts in enumerate([["the loss mse", "the loss mse"], [], ["the loss gan"]], start=1):
            bad_steps.add(parts)
            bad_steps.close(step)
    assert bad_steps.state_dict() == {"total": 2, "in_a_row": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "Skipped step 1: NaN or Inf in the loss mse.",
        "Skipped step 3: NaN or Inf in the loss gan.",
    ]


def test_error_at_the_limit_names_the_part() -> None:
    resumed = BadSteps(limit=3)
    resumed.load_state_dict({"total": 5, "in_a_row": 2})
    resumed.add(["the gradient of the generator"])
    with pytest.raises(UserError, match=r"the gradient of the generator at step 9, the last of 3 bad steps in a row"):
        resumed.close(9)
    with pytest.raises(UserError, match=r"run\.max_bad_steps above 0"):
        BadSteps(0)
