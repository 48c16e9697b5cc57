"""Test both updates against a plain loop, written from the equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from dgsr.training.critics import Gan
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import discriminator_of, make_data, make_module, make_trainer

LR = 1e-3


def _level(logits: torch.Tensor, target: float) -> torch.Tensor:
    return bce(logits, torch.full_like(logits, target))


class PlainLoop:
    """The training loop without Lightning, strategies or shared code."""

    def __init__(self, module: SuperResolution) -> None:
        self.g, self.d, self.steps, self.done = module.generator, discriminator_of(module), module.max_steps, 0
        self.prepare, self.draw_request = module.prepare, module.draw_request
        self.g_parameters = [p for p in self.g.parameters() if p.requires_grad]
        self.opt_g = torch.optim.AdamW(self.g_parameters, LR)
        self.opt_d = torch.optim.AdamW(self.d.parameters(), LR)

    def _step(
        self, optimizer: torch.optim.Optimizer, parameters: list, losses: list[Callable[[], torch.Tensor]]
    ) -> None:
        for p in parameters:
            p.grad = None
        for loss in losses:
            grads = torch.autograd.grad(loss() / len(losses), parameters, allow_unused=True)
            for p, grad in zip(parameters, grads, strict=True):
                if grad is not None:
                    p.grad = grad if p.grad is None else p.grad + grad
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.param_groups[0]["lr"] = LR * (1 + math.cos(math.pi * self.done / self.steps)) / 2
        optimizer.step()

    def _mixed(self, s) -> tuple[torch.Tensor, torch.Tensor]:
        negative = self.draw_request(s).is_negative
        prompt = torch.stack([(self.g.prompts.negative if n else self.g.prompts.positive)[0] for n in negative])
        target = torch.stack([s.lq_up[i] if n else s.hq[i] for i, n in enumerate(negative)])
        return prompt, target

    def _reconstruction(self, s) -> torch.Tensor:
        prompt, target = self._mixed(s)
        return 2 * (self.g(s.lq_up, s.scores, prompt) - target).square().mean()

    def _realism(self, s) -> torch.Tensor:
        levels = [_level(x, 0.8) for x in self.d(self.g(s.lq_up, s.scores, self.g.prompts.positive))]
        return 0.5 * torch.stack(levels).sum()

    def _discrimination(self, s, fake: torch.Tensor) -> torch.Tensor:
        real_logits, fake_logits = self.d(s.hq), self.d(fake)
        levels = [_level(r, 0.8) + _level(f, 0.0) for r, f in zip(real_logits, fake_logits, strict=True)]
        return 0.5 * torch.stack(levels).sum()

    def alternate(self, pieces) -> None:
        self._step(self.opt_g, self.g_parameters, [lambda s=s: self._reconstruction(s) for s in pieces])
        with torch.no_grad():
            fakes = [self.g(s.lq_up, s.scores, self.g.prompts.positive) for s in pieces]
        self._step(self.opt_g, self.g_parameters, [lambda s=s: self._realism(s) for s in pieces])
        self._discriminate(pieces, fakes)

    def join(self, pieces) -> None:
        with torch.no_grad():
            fakes = [self.g(s.lq_up, s.scores, self.g.prompts.positive) for s in pieces]
        both = [lambda s=s: self._reconstruction(s) + self._realism(s) for s in pieces]
        self._step(self.opt_g, self.g_parameters, both)
        self._discriminate(pieces, fakes)

    def _discriminate(self, pieces, fakes) -> None:
        losses = [lambda s=s, f=f: self._discrimination(s, f) for s, f in zip(pieces, fakes, strict=True)]
        self._step(self.opt_d, list(self.d.parameters()), losses)
        self.done += 1


def role(parameter: str) -> str:
    """Return the network that a parameter of the module belongs to."""
    return {"network": "generator", "critic_modules": "discriminator"}.get(parameter.split(".")[0], parameter)


def _doubled(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value.double() if name in ("lq", "hq") else value for name, value in batch.items()}


@pytest.mark.parametrize("update", ["alternating", "joint"])
@pytest.mark.parametrize(
    ("steps", "accumulation", "micro_batch", "negative_prob"),
    [(5, 1, 2, 0.5), (5, 3, 1, 0.5), (2, 1, 1, 0.0), (2, 1, 1, 1.0)],
)
def test_update_equals_the_plain_loop(
    update: str, steps: int, accumulation: int, micro_batch: int, negative_prob: float
) -> None:
    modules = [make_module(steps, update, negative_prob, micro_batch=micro_batch, lr=LR) for _ in range(2)]
    start = [p.detach().clone() for p in modules[0].parameters()]
    data = make_data(global_batch=micro_batch * accumulation)
    make_trainer(precision="64-true").fit(modules[0], data)

    loop = PlainLoop(modules[1].double())
    advance = loop.alternate if update == "alternating" else loop.join
    batches = iter(data.train_dataloader_from(0))
    for _ in range(steps):
        advance(loop.prepare(_doubled(next(batches))).split(micro_batch))

    named = zip(modules[0].named_parameters(), modules[1].parameters(), start, strict=True)
    moves = []
    for (name, ours), theirs, before in named:
        assert ours.dtype == torch.float64
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6), name
        moves.append(float((ours - before).detach().abs().max()))
    assert max(moves) > LR  # otherwise the tolerance of 1e-6 would be meaningless


def test_updates_are_equal_without_a_discriminator() -> None:
    modules = [make_module(2, update, adversarial=False) for update in ("alternating", "joint")]
    for module in modules:
        make_trainer().fit(module, make_data())
    for ours, theirs in zip(modules[0].generator.parameters(), modules[1].generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("update", "phases"), [("alternating", ["generator", "generator"]), ("joint", ["generator"])])
def test_each_phase_changes_only_its_network_and_leaves_no_gradient(update: str, phases: list[str]) -> None:
    module, moved = make_module(1, update), []
    original = module.loop.optimizing

    @contextmanager
    def watched(network: Any, num_backwards: int) -> Iterator[Any]:
        before = {name: p.detach().clone() for name, p in module.named_parameters()}
        with original(network, num_backwards) as backward:
            yield backward
        changed = {role(name) for name, p in module.named_parameters() if not torch.equal(p, before[name])}
        moved.append((network, changed))
        assert all(p.grad is None for p in module.parameters())

    module.loop.optimizing = watched  # type: ignore[method-assign]
    make_trainer().fit(module, make_data())
    assert moved == [(network, {network}) for network in [*phases, "discriminator"]]


@pytest.mark.parametrize("update", ["alternating", "joint"])
def test_discriminator_is_not_used_before_its_start(
    update: str,
) -> None:
    module, without = make_module(3, update), make_module(3, update, adversarial=False)
    module.max_steps = without.max_steps = 2
    gan = module.critics["gan"]
    assert isinstance(gan, Gan)
    gan.start_step = 2
    requests: list[int] = []
    discriminator_of(module).register_forward_hook(lambda *_: requests.append(module.step))
    for each in (module, without):
        make_trainer().fit(each, make_data())
    for ours, theirs in zip(module.generator.parameters(), without.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    module.max_steps = 3
    make_trainer().fit(module, make_data())
    assert requests == [2, 2, 2]
