"""Mix several sources, each with its share of the samples."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from dgsr.checks import expect
from dgsr.data.sources import Source
from dgsr.data.stream import SampleStream, Stream, keys_of, mix, permuted
from dgsr.types import Image

#: Number of positions in which every source gets exactly its share.
_ROUND = 10_000


class MixedSource:
    """Concatenate several sources.

    Args:
        sources: Each source with its weight, which says how often its images are drawn relative to the other
            sources. Either all or none have a weight; without weights each image is drawn equally often.
    """

    def __init__(self, sources: Sequence[tuple[Source, float | None]]) -> None:
        expect(bool(sources), "at least one source", "an empty list", "Set data.train.root.")
        self.sources = [source for source, _ in sources]
        self.weights = [weight for _, weight in sources if weight is not None]
        some = len(self.weights) in (0, len(sources))
        expect(some, "a weight for every source or for none", [weight for _, weight in sources])
        expect(all(weight > 0 for weight in self.weights), "weights above 0", self.weights)
        self.starts = [0, *accumulate(len(source) for source in self.sources)]

    def _locate(self, index: int) -> tuple[int, int]:
        which = bisect_right(self.starts, index) - 1
        return which, index - self.starts[which]

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: int) -> Image:
        which, at = self._locate(index)
        return self.sources[which][at]

    def peers(self, index: int) -> range:
        """Return the indices of the same source, which keeps the shares."""
        which, _ = self._locate(index)
        return range(self.starts[which], self.starts[which + 1])

    def name(self, index: int) -> str:
        """Return the number of its source and its name there."""
        which, at = self._locate(index)
        return f"{which}/{self.sources[which].name(at)}"

    def fingerprint(self) -> str:
        """Return a hash of the sources and their weights."""
        parts = [source.fingerprint() for source in self.sources] + [str(weight) for weight in self.weights]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class MixedStream:
    """A stream over several sources, each drawn as often as its weight says.

    Positions come in rounds of 10,000. In each round every source has exactly its share of the positions, in random
    order. The positions of one source, counted over all rounds, visit its images epoch by epoch.

    Args:
        sizes: Number of images in each source.
        weights: Relative frequencies of the sources.
        seed: Seed of the order and of all samples.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int) -> None:
        self.seed = seed
        self.streams = [SampleStream(size, mix(seed, which)) for which, size in enumerate(sizes)]
        self.starts = [0, *accumulate(sizes)]
        ends = [round(_ROUND * end / sum(weights)) for end in accumulate(weights)]
        self.places = [0, *ends]
        least = f"weights of at least 1/{_ROUND} of their sum"
        expect(all(a < b for a, b in zip(self.places, ends, strict=False)), least, list(weights))

    def __getitem__(self, position: int) -> tuple[int, int]:
        """Return (image index, sample seed)."""
        turn, place = divmod(position, _ROUND)
        place = permuted(place, _ROUND, keys_of(self.seed, turn))
        which = bisect_right(self.places, place) - 1
        first, end = self.places[which], self.places[which + 1]
        index, _ = self.streams[which][turn * (end - first) + place - first]
        return self.starts[which] + index, mix(self.seed, position)


def stream_of(source: Source, seed: int) -> Stream:
    """Return the stream of a source's samples, weighted if it has weights."""
    if isinstance(source, MixedSource) and source.weights:
        return MixedStream([len(part) for part in source.sources], source.weights, seed)
    return SampleStream(len(source), seed)
