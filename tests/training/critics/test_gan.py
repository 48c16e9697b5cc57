"""Test the start, inputs and weights of adversarial training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dgsr.checks import UserError
from dgsr.losses import Attempt
from dgsr.losses.augmentation import augment
from dgsr.training.critics import Gan
from dgsr.training.critics.interface import active_critics, trained_networks

HQ, SR = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SEEDS = torch.tensor([3, 4])


def attempt(sr: Tensor = SR, hq: Tensor = HQ, step: int = 0) -> Attempt:
    return Attempt(sr, hq, HQ, None, None, SEEDS, step, hq)


class Brightness(nn.Module):
    """Take bright images for real, and keep the images."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.images: list[Tensor] = []

    def forward(self, images: Tensor) -> list[Tensor]:
        self.images.append(images)
        return [self.factor * images.mean(dim=(1, 2, 3))[:, None]]


def test_weight_rises_after_the_start_step() -> None:
    gan = Gan(Brightness(), weight=0.5, start_step=10, ramp_steps=4)
    assert [gan.weight_at(step) for step in (0, 9, 10, 11, 14, 1000)] == pytest.approx([0, 0, 0.1, 0.2, 0.5, 0.5])
    assert [Gan(Brightness(), weight=0.5, start_step=2).weight_at(step) for step in (1, 2)] == [0, 0.5]


def test_critic_without_weight_or_discriminator_is_inactive() -> None:
    critics = {"weightless": Gan(Brightness(), weight=0.0), "empty": Gan(None)}
    assert [active_critics(critics, step) for step in (0, 99)] == [{}, {}]
    assert trained_networks(critics).keys() == {"critics.weightless"}


def test_ramp_applies_only_to_the_generators_term() -> None:
    gan = Gan(Brightness(), "hinge", weight=0.5, ramp_steps=1)
    first, later = (gan.judge(attempt(step=step))["gan"] for step in (0, 1))
    assert torch.isclose(later, -0.5 * 2 * SR.mean())
    assert torch.isclose(first, later / 2)
    losses, rates = gan.learn(attempt())
    hinges = (1 - 2 * HQ.mean(dim=(1, 2, 3))).relu() + (1 + 2 * SR.mean(dim=(1, 2, 3))).relu()
    assert losses.keys() == {"discriminator"}
    assert torch.isclose(losses["discriminator"], 0.5 * hinges.mean())
    assert {name: rate.item() for name, rate in rates.items()} == {"judged_real/real": 1, "judged_real/fake": 1}


def test_gradient_penalty_is_a_separate_loss() -> None:
    network = Brightness()
    losses, _ = Gan(network, "hinge", r1_weight=10.0).learn(attempt())
    assert losses.keys() == {"r1", "discriminator"}
    assert torch.isclose(losses["r1"], 10 * torch.tensor(2.0**2 / (3 * 16 * 16)) / 2)
    (slope,) = torch.autograd.grad(losses["r1"], network.factor)
    assert torch.isclose(slope, torch.tensor(10 * 2.0 / (3 * 16 * 16)))


@pytest.mark.parametrize("loss", ["hinge", "relativistic"])
def test_image_and_restoration_are_augmented_alike(loss: Any) -> None:
    network = Brightness()
    gan = Gan(network, loss, augment=["translation", "cutout"])
    gan.judge(attempt())
    gan.learn(attempt())
    hq, sr = (augment(images, SEEDS, ["translation", "cutout"]) for images in (HQ, SR))
    expected = [sr, hq, sr] if loss == "hinge" else [hq, sr, hq, sr]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(network.images, expected, strict=True))


def test_real_image_adds_no_gradient_to_the_relativistic_generator() -> None:
    hq, sr = HQ.clone().requires_grad_(), SR.clone().requires_grad_()
    Gan(Brightness(), "relativistic").judge(attempt(sr, hq))["gan"].backward()
    assert sr.grad is not None
    assert hq.grad is None


@pytest.mark.parametrize(
    "given", [{"weight": -1.0}, {"start_step": -1}, {"ramp_steps": -1}, {"r1_weight": -1.0}], ids=str
)
def test_negative_values_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"critics\.gan\.{next(iter(given))} of 0 or more, but got -1"):
        Gan(None, **given)
