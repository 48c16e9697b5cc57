"""Degrade the samples of a run: one by one in loading workers, or batch by batch on the training device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.degradation import Backend, Spec, degraded_pair, draw
from dgsr.types import Image


class Degrade:
    """Draw a recipe for an image and apply it; a class, so that it can be sent to workers."""

    def __init__(self, spec: Spec, backend: Backend = "dgsr") -> None:
        self.spec = spec
        self.backend: Backend = backend

    def __call__(self, hq: Image, seed: int) -> tuple[Image, Float[Tensor, "3 lh lw"], Float[Tensor, "2"]]:
        """Return the target, the degraded image, and its true (blur, noise)."""
        recipe = draw(self.spec, seed, (hq.shape[1], hq.shape[2]))
        truth = torch.tensor([recipe.blur, recipe.noise], device=hq.device)
        return *degraded_pair(hq, recipe, self.backend), truth

    def batch(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Degrade a batch of crops and seeds on its own device; real pairs in it stay as they are."""
        none = [None] * len(batch["hq"])
        rows = zip(batch["hq"], batch.get("lq", none), batch.get("truth", none), batch["seed"].tolist(), strict=True)
        samples = [self(hq, seed) if lq is None else (hq, lq, truth) for hq, lq, truth, seed in rows]
        hq, lq, truth = (torch.stack(column) for column in zip(*samples, strict=True))
        return {**batch, "hq": hq, "lq": lq, "truth": truth}
