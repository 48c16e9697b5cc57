"""Numbers that no run could use are refused."""

from __future__ import annotations

from typing import Any

import pytest

from dgsr.checks import UserError
from tests.small_run import make_settings


@pytest.mark.parametrize(("changes", "what"), [({"max_steps": 0}, "max_steps"), ({"micro_batch": 0}, "micro_batch")])
def test_there_are_steps_and_samples(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError, match=rf"run\.{what} above 0"):
        make_settings(**changes)
