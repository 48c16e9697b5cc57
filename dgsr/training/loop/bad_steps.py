"""Steps with a loss or a gradient that is no finite number: skipped, counted, and not put up with for ever."""

from __future__ import annotations

import logging

from dgsr.checks import expect

_logger = logging.getLogger(__name__)


class BadSteps:
    """Count the steps that were skipped, and stop a run that only skips.

    Args:
        limit: Bad steps in a row after which the run stops.
    """

    def __init__(self, limit: int) -> None:
        expect(limit > 0, "run.max_bad_steps above 0", limit)
        self.limit = limit
        self.total, self.in_a_row = 0, 0
        self._parts: list[str] = []

    def add(self, parts: list[str]) -> None:
        """Note parts of the current step that are not finite."""
        self._parts += parts

    def close(self, step: int) -> None:
        """End a step, by its number, and judge it.

        Raises:
            UserError: It was bad, as were all the last ones up to the limit.
        """
        named, self._parts = ", ".join(dict.fromkeys(self._parts)), []
        self.total += bool(named)
        self.in_a_row = self.in_a_row + 1 if named else 0
        if named:
            _logger.warning("Step %d is skipped: NaN or Inf in %s.", step, named)
        got = f"NaN or Inf in {named} at step {step}, the last of {self.in_a_row} bad steps in a row"
        remedy = "The last checkpoint is whole. Lower optimizer.<network>.lr or run.clip_norm, or look at the data."
        expect(self.in_a_row < self.limit, "finite losses and gradients", got, remedy)

    def state_dict(self) -> dict[str, int]:
        """Return the counts."""
        return {"total": self.total, "in_a_row": self.in_a_row}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Take the counts back."""
        self.total, self.in_a_row = state["total"], state["in_a_row"]
