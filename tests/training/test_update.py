"""Both updates equal a plain loop, written out here from the equations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from dgsr.training.module import SuperResolution
from dgsr.training.update import AlternatingUpdate, JointUpdate
from tests.small_run import make_data, make_module, make_trainer

STEPS, LR = 3, 1e-2


def _level(logits: torch.Tensor, target: float) -> torch.Tensor:
    return bce(logits, torch.full_like(logits, target))


class PlainLoop:
    """The training loop without Lightning, strategies or shared code."""

    def __init__(self, module: SuperResolution, micro_batch: int) -> None:
        assert module.discriminator is not None
        self.g, self.d, self.micro_batch = module.generator, module.discriminator, micro_batch
        self.prepare, self.prob = module.prepare, module.objective.negative_prob
        self.negatives = module.objective.negatives
        self.g_parameters = [p for p in self.g.parameters() if p.requires_grad]
        self.opt_g = torch.optim.SGD(self.g_parameters, LR, momentum=0.9)
        self.opt_d = torch.optim.SGD(self.d.parameters(), LR, momentum=0.9)

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
        optimizer.step()

    def _mixed(self, s) -> tuple[torch.Tensor, torch.Tensor]:
        negative = self.negatives(s.seeds)
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

    def alternate(self, batch: dict) -> None:
        pieces = self.prepare(batch).split(self.micro_batch)
        self._step(self.opt_g, self.g_parameters, [lambda s=s: self._reconstruction(s) for s in pieces])
        with torch.no_grad():
            fakes = [self.g(s.lq_up, s.scores, self.g.prompts.positive) for s in pieces]
        self._step(self.opt_g, self.g_parameters, [lambda s=s: self._realism(s) for s in pieces])
        self._discriminate(pieces, fakes)

    def join(self, batch: dict) -> None:
        pieces = self.prepare(batch).split(self.micro_batch)
        with torch.no_grad():
            fakes = [self.g(s.lq_up, s.scores, self.g.prompts.positive) for s in pieces]
        both = [lambda s=s: self._reconstruction(s) + self._realism(s) for s in pieces]
        self._step(self.opt_g, self.g_parameters, both)
        self._discriminate(pieces, fakes)

    def _discriminate(self, pieces, fakes) -> None:
        losses = [lambda s=s, f=f: self._discrimination(s, f) for s, f in zip(pieces, fakes, strict=True)]
        self._step(self.opt_d, list(self.d.parameters()), losses)


@pytest.mark.parametrize("update", [AlternatingUpdate(), JointUpdate()])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_an_update_equals_the_plain_loop(update: AlternatingUpdate | JointUpdate, accumulation: int) -> None:
    modules = [make_module(STEPS, update, micro_batch=2) for _ in range(2)]
    for module in modules:
        sgd = partial(torch.optim.SGD, lr=LR, momentum=0.9)  # Adam's sign-like steps would magnify rounding
        module.optimizer_builders = {"generator": sgd, "discriminator": sgd}
        module.schedule = lambda optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
        assert module.discriminator is not None
        module.discriminator.eval()  # spectral norms stand still, so that an extra forward changes nothing
    data = make_data(global_batch=2 * accumulation)
    make_trainer().fit(modules[0], data)

    loop = PlainLoop(modules[1], micro_batch=2)
    advance = loop.alternate if isinstance(update, AlternatingUpdate) else loop.join
    batches = iter(data.train_dataloader_from(0))
    for _ in range(STEPS):
        advance(next(batches))

    for (name, ours), theirs in zip(
        modules[0].generator.named_parameters(), modules[1].generator.parameters(), strict=True
    ):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6), name
    assert modules[0].discriminator is not None
    assert modules[1].discriminator is not None
    for ours, theirs in zip(modules[0].discriminator.parameters(), modules[1].discriminator.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-6)


def test_without_a_discriminator_both_updates_are_the_same() -> None:
    modules = [make_module(2, update, adversarial=False) for update in (AlternatingUpdate(), JointUpdate())]
    for module in modules:
        make_trainer().fit(module, make_data())
    for ours, theirs in zip(modules[0].generator.parameters(), modules[1].generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_generator_steps_leave_no_gradient_in_the_discriminator() -> None:
    module = make_module(1, AlternatingUpdate())
    seen: list[bool] = []
    original = module.optimizing

    def watched(network, num_backwards):
        assert module.discriminator is not None
        seen.append(any(p.grad is not None and p.grad.any() for p in module.discriminator.parameters()))
        return original(network, num_backwards)

    module.optimizing = watched  # type: ignore[method-assign]
    make_trainer().fit(module, make_data())
    assert seen == [False, False, False]


@pytest.mark.parametrize("update", [AlternatingUpdate(), JointUpdate()])
def test_before_its_start_the_discriminator_is_neither_asked_nor_trained(
    update: AlternatingUpdate | JointUpdate,
) -> None:
    module, without = make_module(3, update), make_module(3, update, adversarial=False)
    module.max_steps = without.max_steps = 2
    module.objective.adversarial.start_step = 2
    assert module.discriminator is not None
    asked: list[int] = []
    module.discriminator.register_forward_hook(lambda *_: asked.append(module.step))
    for each in (module, without):
        make_trainer().fit(each, make_data())
    for ours, theirs in zip(module.generator.parameters(), without.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    module.max_steps = 3
    make_trainer().fit(module, make_data())
    assert asked == [2, 2, 2]
