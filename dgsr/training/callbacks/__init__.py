"""What accompanies a run: checkpoints, progress, pictures and the closing report."""

from dgsr.training.callbacks.checkpoints import Checkpoints
from dgsr.training.callbacks.panels import ImagePanels
from dgsr.training.callbacks.progress import Progress
from dgsr.training.callbacks.report import ClosingReport

__all__ = ["Checkpoints", "ClosingReport", "ImagePanels", "Progress"]
