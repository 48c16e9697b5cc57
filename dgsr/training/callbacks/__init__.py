"""Callbacks of a run: checkpoints, interruptions, progress, pictures and the closing report."""

from dgsr.training.callbacks.checkpoints import Checkpoints
from dgsr.training.callbacks.export import Export
from dgsr.training.callbacks.guidances import Guidances
from dgsr.training.callbacks.interruption import Interruption
from dgsr.training.callbacks.panels import ImagePanels
from dgsr.training.callbacks.progress import Progress
from dgsr.training.callbacks.report import ClosingReport
from dgsr.training.callbacks.summary import Summary
from dgsr.training.callbacks.validation_files import ValidationFiles

__all__ = [
    "Checkpoints",
    "ClosingReport",
    "Export",
    "Guidances",
    "ImagePanels",
    "Interruption",
    "Progress",
    "Summary",
    "ValidationFiles",
]
