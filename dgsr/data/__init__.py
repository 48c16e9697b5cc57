"""Where samples come from: sources of photographs, the stream of positions, crops and pairs."""

from dgsr.data.broken import BrokenFiles
from dgsr.data.pairs import FixedPairs, LqFolder, PairedFolders, SyntheticPairs, collate
from dgsr.data.sources import FolderSource, MixedSource, Source, bundled, open_source
from dgsr.data.stream import RankStream, SampleStream

__all__ = [
    "BrokenFiles",
    "FixedPairs",
    "FolderSource",
    "LqFolder",
    "MixedSource",
    "PairedFolders",
    "RankStream",
    "SampleStream",
    "Source",
    "SyntheticPairs",
    "bundled",
    "collate",
    "open_source",
]
