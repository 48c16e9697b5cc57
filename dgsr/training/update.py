"""How the networks are stepped: the paper's alternation, or one joint step from one forward.

Both work on the micro batches of one global batch, so accumulation has no state of its own: a phase runs over all
micro batches, then its optimizer steps once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from dgsr.models.generator import OneStepGenerator
from dgsr.training.loop.sample import Sample, Task
from dgsr.training.objective import Objective
from dgsr.types import Images, PromptEmbeddings

Backward = Callable[[dict[str, Tensor]], None]


@runtime_checkable
class Judged(Protocol):
    """What the discriminator's part of an update needs of the module it steps."""

    discriminator: nn.Module | None
    objective: Objective
    step: int

    def record(self, values: dict[str, Tensor]) -> None:
        """Log values that are no losses."""
        ...

    def optimizing(
        self, network: Literal["generator", "discriminator"], num_backwards: int
    ) -> AbstractContextManager[Backward]:
        """Collect gradients of one network from that many backwards, then step it."""
        ...


@runtime_checkable
class Networks(Judged, Protocol):
    """What an update needs of the module it steps."""

    generator: OneStepGenerator


def _restore(nets: Networks, sample: Sample, prompt: PromptEmbeddings) -> Images:
    return nets.generator(sample.lq_up, sample.scores, prompt, noise=sample.noise())


def _positive(nets: Networks, sample: Sample) -> Images:
    return _restore(nets, sample, nets.generator.prompts.positive)


def judge_of(nets: Judged) -> nn.Module | None:
    """Return the discriminator, if its judgement counts in this step."""
    return nets.discriminator if nets.objective.adversarial.weight_at(nets.step) else None


def discriminate(nets: Judged, judge: nn.Module, samples: Sequence[Sample], fakes: Sequence[Images]) -> None:
    """Step the discriminator on real and generated images together."""
    with nets.optimizing("discriminator", len(samples)) as backward:
        for sample, fake in zip(samples, fakes, strict=True):
            losses, rates = nets.objective.adversarial.discriminate(judge, sample, fake)
            backward(losses)
            nets.record(rates)


class AlternatingUpdate:
    """Reconstruction step, adversarial step, discriminator step, each on clean gradients.

    Source: S3Diff's training loop. Differs from its program: no gradient leaks from one step into another.
    """

    def __call__(self, nets: Networks, samples: Sequence[Sample]) -> None:
        """Step the generator twice and the discriminator once."""
        with nets.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                _, task = nets.objective.task(sample, nets.generator.prompts)
                sr = _restore(nets, sample, task.prompt)
                backward(nets.objective.reconstruct(sr, task.target, sample.seeds))
        judge = judge_of(nets)
        if judge is None:
            return
        fakes = []
        with nets.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                sr = _positive(nets, sample)
                backward(nets.objective.adversarial.fool(judge, sample, sr, nets.step))
                fakes.append(sr.detach())
        discriminate(nets, judge, samples, fakes)


class JointUpdate:
    """One generator forward on the positive prompt serves both terms; only negative samples take a second pass.

    Differs from the paper: reconstruction and realism share one step, which halves the cost.
    """

    def __call__(self, nets: Networks, samples: Sequence[Sample]) -> None:
        """Step the generator once and the discriminator once."""
        judge, fakes = judge_of(nets), []
        with nets.optimizing("generator", len(samples)) as backward:
            for sample in samples:
                negative, task = nets.objective.task(sample, nets.generator.prompts)
                if judge is None:
                    sr = _restore(nets, sample, task.prompt)
                    backward(nets.objective.reconstruct(sr, task.target, sample.seeds))
                    continue
                sr = _positive(nets, sample)
                mixed = self._replace_negatives(nets, sample, task, negative, sr)
                losses = nets.objective.reconstruct(mixed, task.target, sample.seeds)
                backward(losses | nets.objective.adversarial.fool(judge, sample, sr, nets.step))
                fakes.append(sr.detach())
        if judge is not None:
            discriminate(nets, judge, samples, fakes)

    @staticmethod
    def _replace_negatives(
        nets: Networks, sample: Sample, task: Task, negative: Bool[Tensor, " b"], sr: Images
    ) -> Images:
        if not negative.any():
            return sr
        rows = negative.nonzero()[:, 0]
        prompt = task.prompt[rows] if len(task.prompt) > 1 else task.prompt
        seconds = _restore(nets, sample.rows(rows), prompt)
        return torch.index_copy(sr, 0, rows, seconds.to(sr.dtype))
