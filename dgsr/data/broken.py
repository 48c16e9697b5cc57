"""Photographs that cannot be read: replaced, counted, and no longer accepted when there are too many."""

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
    """What has others to take in place of one that cannot be used: a source, or real pairs."""

    def __getitem__(self, index: int) -> T_co: ...

    def peers(self, index: int) -> range:
        """Return out of which another one is taken."""
        ...


def read_or_replace(source: Replaceable[T], index: int, seed: int) -> tuple[T, int, list[str]]:
    """Read a photograph; in place of one that is broken or too small, take another drawn from the sample's seed.

    Returns:
        The image, its index, and one sentence per broken photograph; a small one is no failure.

    Raises:
        UserError: Many in a row failed, so the disk or the limit rather than a file is the trouble.
    """
    draws, failures, unfit = rng(seed, "replace"), list[str](), list[str]()
    while True:
        try:
            return source[index], index, failures
        except UnfitError as error:
            unfit.append(str(error))
        except UserError as error:
            failures.append(str(error))
        trouble = f"{len(failures)} broken and {len(unfit)} too small ones. The last: {(failures or unfit)[-1]}"
        hopeful = len(failures) < _MAX_FAILURES and len(unfit) < _MAX_UNFIT
        remedy = "Check the disk, data.train.root, data.train.min_side_px and data.train.min_bytes."
        expect(hopeful, "a usable photograph", trouble, remedy)
        peers = source.peers(index)
        index = peers[int(draws.integers(len(peers)))]


class BrokenFiles:
    """Count distinct photographs that failed, in the process that can stop the run.

    Args:
        num_files: Photographs of the source.
        max_fraction: Share of them above which the run stops.
    """

    def __init__(self, num_files: int, max_fraction: float) -> None:
        expect(0 <= max_fraction <= 1, "data.max_broken_fraction within 0 and 1", max_fraction)
        self.num_files, self.max_fraction = num_files, max_fraction
        self.known: set[str] = set()

    def report(self, failures: Sequence[str]) -> None:
        """Warn once about each failure.

        Raises:
            UserError: More than the allowed share has failed.
        """
        for failure in failures:
            if failure not in self.known:
                self.known.add(failure)
                _logger.warning("Skipped (%d so far): %s", len(self.known), failure)
        share = f"{len(self.known)} of {self.num_files}, the last: {failure}" if failures else ""
        allowed = len(self.known) <= self.max_fraction * self.num_files
        expect(allowed, f"at most {self.max_fraction:.2%} broken photographs", share, "See data.max_broken_fraction.")
