"""The base of discriminators over frozen pretrained networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from dgsr.types import Images


class FrozenFeatures(nn.Module, ABC):
    """Judge images by features of a frozen network; only the small heads are trained and saved.

    Source: Kumari et al., Ensembling off-the-shelf models for GAN training, Sec. 3.
    """

    heads: nn.ModuleList

    @abstractmethod
    def describe(self, images: Images) -> Sequence[Tensor]:
        """Return the input of each head; images in [-1, 1]."""

    def forward(self, images: Images) -> list[Tensor]:
        """Return the logits of each head; images in [-1, 1], high means real."""
        return [head(level) for head, level in zip(self.heads, self.describe(images), strict=True)]

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:  # type: ignore[override] (torch: overloads)
        """Return the heads' state alone."""
        return self.heads.state_dict(*args, **kwargs)

    def load_state_dict(self, state_dict: Mapping[str, Tensor], *args: Any, **kwargs: Any) -> Any:
        """Restore the heads."""
        return self.heads.load_state_dict(state_dict, *args, **kwargs)
