"""Compute FID, the distance between two sets of images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from dgsr.checks import refuse
from dgsr.metrics.metric import Described
from dgsr.ops.precision import exactly
from dgsr.types import Image, Images

_REMEDY = "Run pip install torch-fidelity, and connect to the internet once; or set features to the weights' folder."


class Fid(Described):
    """Fréchet distance between the Inception features of restored images and of the ground truth.

    The value depends on the number of images: compare only values over the same images.

    Args:
        weights: Folder with torch-fidelity's file `pt_inception-….pth`; otherwise that package downloads it.
        extractor: Network from 8-bit images to features, instead of Inception.

    Raises:
        UserError: Inception is not available.

    Source: Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash equilibrium, Eq. 6.
    """

    name = "fid"
    direction: Literal["higher", "lower"] = "lower"
    variant = "torchmetrics, Inception-v3 of torch-fidelity"

    def __init__(self, weights: str = "auto", extractor: nn.Module | None = None) -> None:
        path = next((str(file) for file in sorted(Path(weights).glob("pt_inception*"))), None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torchmetrics warns about the size of its buffers
                distance = FrechetInceptionDistance(extractor or 2048, feature_extractor_weights_path=path)
        except (ImportError, OSError, RuntimeError) as error:
            refuse("Inception-v3 for FID", str(error).strip().splitlines()[0].rstrip("."), _REMEDY)
        self.extractor: Any = distance.inception
        self.extractor.num_features = len(distance.real_features_sum)  # or torchmetrics runs the network to get it

    @torch.no_grad()
    def over(
        self, images: Iterable[tuple[Mapping[str, Image], Image]], device: torch.device | str = "cpu"
    ) -> dict[str, float | None]:
        """Return the distance of each series of restored images to the ground truth; None for fewer than two images.

        Args:
            images: Pairs of (restored images by series, ground truth), all in [0, 1]; iterated once.
            device: Device on which features are computed, in full precision.
        """
        device = torch.device(device)
        self.extractor.to(device)
        distances: dict[str, FrechetInceptionDistance] = {}
        with exactly(device):
            for restored, hq in images:
                for series, sr in restored.items():
                    if series not in distances:
                        distances[series] = self._distance().to(device)
                    distances[series].update(_bytes(hq[None].to(device)), real=True)
                    distances[series].update(_bytes(sr[None].to(device)), real=False)
        counts = {series: int(distance.real_features_num_samples) for series, distance in distances.items()}
        return {name: float(each.compute()) if counts[name] > 1 else None for name, each in distances.items()}

    def _distance(self) -> FrechetInceptionDistance:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A single process measures a set; the others may have ended already.
            return FrechetInceptionDistance(self.extractor, sync_on_compute=False)


def _bytes(images: Images) -> UInt8[Tensor, "b 3 h w"]:
    return (images.clamp(0, 1) * 255).round().byte()
