"""Test adversarial losses against values computed by hand."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
from torch import Tensor

from dgsr.losses.adversarial import AdversarialLoss, Kind


def cross_entropy(logit: float, target: float) -> float:
    sure = 1 / (1 + math.exp(-logit))
    return -target * math.log(sure) - (1 - target) * math.log(1 - sure)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


KINDS: tuple[Kind, ...] = ("multilevel_sigmoid", "hinge", "relativistic")
REAL = [[2.0, -1.0, 0.5], [0.3]]
FAKE = [[-2.0, 1.0, 1.5], [-0.7]]


def logits(levels: list[list[float]]) -> list[Tensor]:
    return [torch.tensor(level)[:, None] for level in levels]


def test_multilevel_sigmoid_by_hand() -> None:
    loss = AdversarialLoss("multilevel_sigmoid")
    fooling = sum(mean([cross_entropy(logit, 0.8) for logit in level]) for level in FAKE)
    on_real = sum(mean([cross_entropy(logit, 0.8) for logit in level]) for level in REAL)
    on_fake = sum(mean([cross_entropy(logit, 0.0) for logit in level]) for level in FAKE)
    assert loss.generator(logits(FAKE)).item() == pytest.approx(fooling)
    assert loss.discriminator(logits(REAL), logits(FAKE)).item() == pytest.approx(on_real + on_fake)


def test_hinge_by_hand() -> None:
    loss = AdversarialLoss("hinge")
    assert loss.generator(logits(FAKE)).item() == pytest.approx(-(0.5 / 3) + 0.7)
    # Real: (0 + 2 + 0.5) / 3 + 0.7; fake: (0 + 2 + 2.5) / 3 + 0.3.
    assert loss.discriminator(logits(REAL), logits(FAKE)).item() == pytest.approx(2.5 / 3 + 0.7 + 4.5 / 3 + 0.3)


def test_relativistic_by_hand() -> None:
    loss = AdversarialLoss("relativistic")
    pairs = [list(zip(real, fake, strict=True)) for real, fake in zip(REAL, FAKE, strict=True)]
    fooling = sum(mean([math.log(1 + math.exp(real - fake)) for real, fake in level]) for level in pairs)
    telling = sum(mean([math.log(1 + math.exp(fake - real)) for real, fake in level]) for level in pairs)
    assert loss.generator(logits(FAKE), logits(REAL)).item() == pytest.approx(fooling)
    assert loss.discriminator(logits(REAL), logits(FAKE)).item() == pytest.approx(telling)


def test_shares_of_patches_judged_as_real() -> None:
    shares = AdversarialLoss("hinge").judged_real(logits(REAL), logits(FAKE))
    assert {name: share.item() for name, share in shares.items()} == pytest.approx({"real": 5 / 6, "fake": 1 / 3})
    shares = AdversarialLoss("relativistic").judged_real(logits(REAL), logits(FAKE))
    assert {name: share.item() for name, share in shares.items()} == pytest.approx({"real": 2 / 3, "fake": 1 / 3})


def test_levels_count_equally_at_any_size() -> None:
    loss = AdversarialLoss()
    small, large = torch.full((2, 1, 2, 2), 0.3), torch.full((2, 1, 8, 8), 0.3)
    assert torch.allclose(loss.generator([small, large]), 2 * loss.generator([small]))


@pytest.mark.parametrize("kind", KINDS)
def test_generator_and_discriminator_have_opposite_gradients(kind: Kind) -> None:
    loss = AdversarialLoss(kind)
    fake = torch.zeros(3, 1, requires_grad=True)
    (generator,) = torch.autograd.grad(loss.generator([fake], [torch.zeros(3, 1)]), fake)
    (discriminator,) = torch.autograd.grad(loss.discriminator([torch.zeros(3, 1)], [fake]), fake)
    assert (generator < 0).all()
    assert (discriminator > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_losses_can_be_pickled(kind: Kind) -> None:
    loss = AdversarialLoss(kind)
    assert torch.equal(pickle.loads(pickle.dumps(loss)).generator(logits(FAKE)), loss.generator(logits(FAKE)))


def test_half_precision_logits_give_a_full_precision_loss() -> None:
    assert AdversarialLoss().generator([torch.zeros(2, 1, dtype=torch.bfloat16)]).dtype == torch.float32
