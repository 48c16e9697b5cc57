"""Define the batch of a training step and the random draws of its samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from dgsr.seeds import rng, torch_generator
from dgsr.types import Images, PromptEmbeddings, Scores, Seeds


@dataclass(frozen=True)
class Sample:
    """A batch as the networks see it: images in [-1, 1], scores in [0, 1] or none, and a seed for all other draws."""

    hq: Images
    lq_up: Images
    scores: Scores | None
    seeds: Seeds

    def __len__(self) -> int:
        return len(self.hq)

    def noise(self) -> list[torch.Generator]:
        """Return a random generator per image for sampling the VAE's posterior."""
        return [torch_generator(int(seed), "posterior", self.hq.device) for seed in self.seeds]

    def rows(self, indices: Int[Tensor, " n"] | slice) -> Sample:
        """Select some of the images."""
        scores = None if self.scores is None else self.scores[indices]
        return Sample(self.hq[indices], self.lq_up[indices], scores, self.seeds[indices])

    def split(self, size: int) -> list[Sample]:
        """Cut the batch into pieces of the given size; the last may be smaller."""
        return [self.rows(slice(start, start + size)) for start in range(0, len(self), size)]


@dataclass(frozen=True)
class Request:
    """The prompt to follow and the target to reach for each image of a sample."""

    is_negative: Bool[Tensor, " b"]
    prompt: PromptEmbeddings
    target: Images


def flip(seeds: Seeds, purpose: str, *probabilities: float) -> tuple[Bool[Tensor, " b"], ...]:
    """Draw Bernoulli variables of the given probabilities for every sample, from its seed and the purpose."""
    tossed = [(rng(int(seed), purpose).random(len(probabilities)) < probabilities).tolist() for seed in seeds]
    return torch.tensor(tossed, device=seeds.device).unbind(dim=1)
