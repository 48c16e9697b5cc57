"""Networks that were trained to judge as people do, out of the package pyiqa, where a user has it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from dgsr.checks import refuse
from dgsr.metrics.metric import Metric
from dgsr.types import Images

_LICENCE = "PolyForm Noncommercial, which forbids commercial use"


@dataclass(frozen=True)
class _Judge:
    model: str  # what pyiqa calls it
    trained_on: str


_JUDGES = {
    "musiq": _Judge("musiq", "KonIQ-10k"),
    "maniqa": _Judge("maniqa-pipal", "PIPAL"),
    "clipiqa": _Judge("clipiqa", "pairs of images and texts"),
    "topiq": _Judge("topiq_nr", "KonIQ-10k"),
}

OPINIONS = tuple(_JUDGES)


class Opinion(Metric):
    """A judgement without reference, computed by pyiqa.

    The package is no dependency of this one, since its licence forbids commercial use.

    Args:
        name: musiq, maniqa, clipiqa or topiq.

    Raises:
        UserError: pyiqa is not installed, or cannot fetch the weights.
    """

    direction: Literal["higher", "lower"] = "higher"
    needs_reference = False

    def __init__(self, name: str) -> None:
        super().__init__()
        judge = _JUDGES[name]
        self.name = name
        try:
            pyiqa = importlib.import_module("pyiqa")
        except ImportError:
            refuse(f"the package pyiqa for {name}", "none", f"Run pip install pyiqa (licence: {_LICENCE}).")
        self.variant = f"{judge.model} of pyiqa {pyiqa.__version__}, trained on {judge.trained_on}"
        try:
            self.network = pyiqa.create_metric(judge.model, device="cpu")
        except Exception as error:  # of any kind: pyiqa fetches weights from several hosts
            reason = " ".join(str(error).split()) or type(error).__name__
            refuse(f"the weights of pyiqa's {judge.model}", reason, "Connect to a network once; it keeps them.")

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the score, in pyiqa's range."""
        # It brings its inputs to the device it was told of, and does not see where its parent was moved.
        return self.network.to(sr.device)(sr).flatten().float()
