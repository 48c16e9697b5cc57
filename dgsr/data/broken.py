"""Replace and count photographs that cannot be read, and stop when there are too many."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from dgsr.checks import UserError, expect
from dgsr.data.sources import UnfitError
from dgsr.seeds import rng

_logger = logging.getLogger(__name__)

_MAX_FAILURES = 20
_MAX_UNFIT = 1000

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Replaceable(Protocol[T_co]):
    """Items of which one can replace another: a source, or real pairs."""

    def __getitem__(self, index: int) -> T_co: ...

    def peers(self, index: int) -> range:
        """Return the indices from which a replacement is drawn."""
        ...


def read_or_replace(source: Replaceable[T], index: int, seed: int) -> tuple[T, int, list[str]]:
    """Read an item; replace broken and too small ones by others drawn from the sample's seed.

    Returns:
        The item, its index, and one sentence for each broken one; a small one is no failure.

    Raises:
        UserError: Too many in a row failed, so the disk or a limit is the likely cause.
    """
    draws, failures, unfit = rng(seed, "replace"), list[str](), list[str]()
    while True:
        try:
            return source[index], index, failures
        except UnfitError as error:
            unfit.append(str(error))
        except UserError as error:
            failures.append(str(error))
        got = f"{len(failures)} broken and {len(unfit)} too small ones. The last: {(failures or unfit)[-1]}"
        few = len(failures) < _MAX_FAILURES and len(unfit) < _MAX_UNFIT
        remedy = "Check the disk, data.train.root, data.train.min_side_px and data.train.min_bytes."
        expect(few, "a usable photograph", got, remedy)
        peers = source.peers(index)
        index = peers[int(draws.integers(len(peers)))]


class BrokenFiles:
    """Count the distinct photographs that failed, in the main process.

    Args:
        num_files: Number of photographs in the source.
        max_fraction: Share of broken photographs above which the run stops.
    """

    def __init__(self, num_files: int, max_fraction: float) -> None:
        expect(0 <= max_fraction <= 1, "data.max_broken_fraction within 0 and 1", max_fraction)
        self.num_files, self.max_fraction = num_files, max_fraction
        self.reported: set[str] = set()

    def report(self, failures: Sequence[str]) -> None:
        """Warn once about each failure.

        Raises:
            UserError: More than the allowed share failed.
        """
        for failure in failures:
            if failure not in self.reported:
                self.reported.add(failure)
                _logger.warning("Skipped (%d so far): %s", len(self.reported), failure)
        share = f"{len(self.reported)} of {self.num_files}, the last: {failure}" if failures else ""
        allowed = len(self.reported) <= self.max_fraction * self.num_files
        remedy = "Repair them, or raise data.max_broken_fraction."
        expect(allowed, f"at most {self.max_fraction:.2%} broken photographs", share, remedy)
