"""What one training step works on, in the networks' range."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Int
from torch import Tensor

from dgsr.seeds import torch_generator
from dgsr.types import Images, PromptEmbeddings, Scores, Seeds


@dataclass(frozen=True)
class Sample:
    """A batch as the networks see it: images in [-1, 1], scores in [0, 1], and the seeds of all further choices."""

    hq: Images
    lq_up: Images
    scores: Scores
    seeds: Seeds

    def __len__(self) -> int:
        return len(self.hq)

    def noise(self) -> list[torch.Generator]:
        """Return each image's noise of the VAE's posterior, where it is sampled, whatever images it goes with."""
        return [torch_generator(int(seed), "posterior", self.hq.device) for seed in self.seeds]

    def rows(self, indices: Int[Tensor, " n"]) -> Sample:
        """Take some of the images."""
        return Sample(*(getattr(self, field.name)[indices] for field in fields(self)))

    def split(self, size: int) -> list[Sample]:
        """Cut the batch into pieces of the given size; the last may be smaller."""
        columns = [getattr(self, field.name).split(size) for field in fields(self)]
        return [Sample(*pieces) for pieces in zip(*columns, strict=True)]


@dataclass(frozen=True)
class Task:
    """What the generator is asked to make of a sample: per image a prompt and a target in [-1, 1]."""

    prompt: PromptEmbeddings
    target: Images
