"""Use metrics of the optional package pyiqa."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect, refuse
from dgsr.metrics.metric import Metric
from dgsr.types import Images

_LICENCE = "PolyForm Noncommercial, which forbids commercial use"


@dataclass(frozen=True)
class _Judge:
    model: str  # its name in pyiqa
    trained_on: str


_JUDGES = {
    "musiq": _Judge("musiq", "KonIQ-10k"),
    "maniqa": _Judge("maniqa-pipal", "PIPAL"),
    "clipiqa": _Judge("clipiqa", "pairs of images and texts"),
    "topiq": _Judge("topiq_nr", "KonIQ-10k"),
}

OPINIONS = tuple(_JUDGES)

#: Prefix that selects a metric by its name in pyiqa.
PYIQA = "pyiqa:"

_SET_METRICS = {"fid", "sfid", "fid_dinov2", "inception_score"}


class Opinion(Metric):
    """A metric computed by pyiqa, which also defines its direction and whether it needs a reference.

    pyiqa is not a dependency of this package, because its licence forbids commercial use.

    Args:
        name: musiq, maniqa, clipiqa or topiq; or `pyiqa:NAME` for any metric of pyiqa.

    Raises:
        UserError: pyiqa is not installed, does not have that metric, or cannot fetch the weights.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        model = _JUDGES[name].model if name in _JUDGES else name.removeprefix(PYIQA)
        expect(model not in _SET_METRICS, "a metric of single images", name, "Use fid for sets.")
        try:
            pyiqa = importlib.import_module("pyiqa")
        except ImportError:
            refuse(f"the package pyiqa for {name}", "none", f"Run pip install pyiqa (licence: {_LICENCE}).")
        known = pyiqa.list_models()
        similar = get_close_matches(model, known, n=1)
        remedy = f"Did you mean {PYIQA}{similar[0]}?" if similar else "pyiqa.list_models() lists them."
        expect(model in known, f"a metric of pyiqa {pyiqa.__version__}", name, remedy)
        trained_on = f", trained on {_JUDGES[name].trained_on}" if name in _JUDGES else ""
        self.variant = f"{model} of pyiqa {pyiqa.__version__}{trained_on}"
        try:
            self.network = pyiqa.create_metric(model, device="cpu")
        except Exception as error:  # any exception: pyiqa downloads weights from several hosts
            reason = " ".join(str(error).split()) or type(error).__name__
            refuse(f"the weights of pyiqa's {model}", reason, "Connect to the internet once; pyiqa caches them.")
        self.direction: Literal["higher", "lower"] = "lower" if self.network.lower_better else "higher"
        self.needs_reference = self.network.metric_mode == "FR"

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the score, in pyiqa's range."""
        # pyiqa moves inputs to the device of construction, even after the network has been moved.
        network, images = self.network.to(sr.device), (sr, hq) if self.needs_reference else (sr,)
        return network(*images).flatten().float()
