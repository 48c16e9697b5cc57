"""The sum of weighted losses that the generator minimizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.losses import Attempt
from dgsr.losses.augmentation import Augmentation


class Objective(nn.Module):
    """Weight named losses of an attempt.

    Args:
        losses: Callables by name, from an attempt to one value per image or to a scalar, which is averaged.
        weights: The weight of each loss; 0 leaves it out.
        negative_prob: Probability that a sample is negative: negative prompt, degraded target.
        augment: The loss nodes of a config refer to it (`${objective.augment}`); it has no effect of its own.

    Source: S3Diff Sec. 3.4 (losses) and 3.3 (negative samples).
    """

    def __init__(
        self,
        losses: Mapping[str, Callable[[Attempt], Tensor]],
        weights: Mapping[str, float],
        negative_prob: float = 0.05,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        super().__init__()
        unmatched = ", ".join(sorted(losses.keys() ^ weights.keys()))
        expect(not unmatched, "a weight for each loss", f"losses or weights without the other: {unmatched}")
        expect(0 <= negative_prob <= 1, "objective.negative_prob within 0 and 1", negative_prob)
        self.weights = {name: float(weight) for name, weight in weights.items() if weight}
        remedy = "Set objective.losses.<name>.weight."
        expect(bool(self.weights), "a loss with a weight above 0", dict(weights), remedy)
        self.losses = {name: losses[name] for name in self.weights}
        self.networks = nn.ModuleList(loss for loss in self.losses.values() if isinstance(loss, nn.Module))
        self.negative_prob = negative_prob

    def forward(self, attempt: Attempt) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted terms by name."""
        return {name: weight * self.losses[name](attempt).mean() for name, weight in self.weights.items()}
