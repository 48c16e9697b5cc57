"""The batch that a training step works on, and the random draws that belong to its samples."""

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
        """Return a generator per image for the noise of the VAE's posterior, where it is sampled."""
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
    """What the generator has to do with each image of a sample: which prompt to follow, which target to reach."""

    is_negative: Bool[Tensor, " b"]
    prompt: PromptEmbeddings
    target: Images


def flip(seeds: Seeds, purpose: str, *probabilities: float) -> tuple[Bool[Tensor, " b"], ...]:
    """Toss a coin of each probability for every sample, as a function of its seed and the purpose."""
    tossed = [(rng(int(seed), purpose).random(len(probabilities)) < probabilities).tolist() for seed in seeds]
    return torch.tensor(tossed, device=seeds.device).unbind(dim=1)
