"""Load samples: sources of photographs, streams of positions, crops, and pairs of images."""

from dgsr.data.broken import BrokenFiles
from dgsr.data.matching import matched
from dgsr.data.mixture import MixedSource, MixedStream, stream_of
from dgsr.data.opening import bundled, open_source
from dgsr.data.pairs import FixedPairs, LqFolder, PairedFolders, SyntheticPairs, collate
from dgsr.data.real import RealPairs, WithRealPairs, open_real_pairs
from dgsr.data.sources import FolderSource, ListSource, Source
from dgsr.data.stream import RankStream, SampleStream
from dgsr.data.tables import TableSource

__all__ = [
    "BrokenFiles",
    "FixedPairs",
    "FolderSource",
    "ListSource",
    "LqFolder",
    "MixedSource",
    "MixedStream",
    "PairedFolders",
    "RankStream",
    "RealPairs",
    "SampleStream",
    "Source",
    "SyntheticPairs",
    "TableSource",
    "WithRealPairs",
    "bundled",
    "collate",
    "matched",
    "open_real_pairs",
    "open_source",
    "stream_of",
]
