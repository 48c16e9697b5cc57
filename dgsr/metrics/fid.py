"""FID: the distance between two whole sets of images."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from dgsr.checks import refuse
from dgsr.types import Image, Images

_REMEDY = "Run pip install torch-fidelity, and connect to a network once; or set features to a folder with its weights."


class Fid:
    """Fréchet distance between the Inception features of the restored and of the true images.

    A set's estimate depends on its size: compare only values over the same images.

    Args:
        weights: A folder with torch-fidelity's file `pt_inception-….pth`; anything else lets that package fetch it.
        extractor: In place of Inception: 8-bit images to features.

    Raises:
        UserError: Inception is not to be had.

    Source: Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash equilibrium, Eq. 6.
    """

    name = "fid"
    direction: Literal["higher", "lower"] = "lower"
    variant = "torchmetrics, Inception-v3 of torch-fidelity"

    def __init__(self, weights: str = "auto", extractor: nn.Module | None = None) -> None:
        path = next((str(file) for file in sorted(Path(weights).glob("pt_inception*"))), None)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that its buffers are large, at every construction
                self.distance = FrechetInceptionDistance(extractor or 2048, feature_extractor_weights_path=path)
        except (ImportError, OSError, RuntimeError) as error:
            refuse("Inception-v3 for FID", str(error).strip().splitlines()[0].rstrip("."), _REMEDY)

    @torch.no_grad()
    def over(self, pairs: Iterable[tuple[Image, Image]], device: torch.device | str = "cpu") -> float | None:
        """Return the distance of all pairs of a restored and a true image, in [0, 1]; None for fewer than two."""
        distance = self.distance.to(device)
        distance.reset()
        num_pairs = 0
        for sr, hq in pairs:
            distance.update(_bytes(hq[None].to(device)), real=True)
            distance.update(_bytes(sr[None].to(device)), real=False)
            num_pairs += 1
        return float(distance.compute()) if num_pairs > 1 else None


def _bytes(images: Images) -> UInt8[Tensor, "b 3 h w"]:
    return (images.clamp(0, 1) * 255).round().byte()
