"""Count steps that were skipped because a loss or a gradient is not finite, and stop after too many."""

from __future__ import annotations

import logging

from dgsr.checks import expect

_logger = logging.getLogger(__name__)


class BadSteps:
    """Count skipped steps, and stop a run after too many in a row.

    Args:
        limit: Consecutive bad steps after which the run stops.
    """

    def __init__(self, limit: int) -> None:
        expect(limit > 0, "run.max_bad_steps above 0", limit)
        self.limit = limit
        self.total, self.in_a_row = 0, 0
        self._parts: list[str] = []

    def add(self, parts: list[str]) -> None:
        """Add parts of the current step that are not finite."""
        self._parts += parts

    def close(self, step: int) -> None:
        """End a step, and stop the run if too many in a row were bad.

        Raises:
            UserError: The limit of consecutive bad steps is reached.
        """
        named, self._parts = ", ".join(dict.fromkeys(self._parts)), []
        self.total += bool(named)
        self.in_a_row = self.in_a_row + 1 if named else 0
        if named:
            _logger.warning("Skipped step %d: NaN or Inf in %s.", step, named)
        got = f"NaN or Inf in {named} at step {step}, the last of {self.in_a_row} bad steps in a row"
        remedy = "The last checkpoint is whole. Lower optimizer.<network>.lr or run.clip_norm, or inspect the data."
        expect(self.in_a_row < self.limit, "finite losses and gradients", got, remedy)

    def state_dict(self) -> dict[str, int]:
        """Return the counts."""
        return {"total": self.total, "in_a_row": self.in_a_row}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore the counts."""
        self.total, self.in_a_row = state["total"], state["in_a_row"]
