"""The adversarial term: when it counts, what the discriminator sees, and what each part weighs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dgsr.checks import UserError
from dgsr.losses.augmentation import augment
from dgsr.training.critics.gan import Adversary
from dgsr.training.loop.sample import Sample

HQ, SR = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SAMPLE = Sample(HQ, HQ, torch.rand(2, 2), torch.tensor([3, 4]))


class Brightness(nn.Module):
    """Take bright images for real, and remember what was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> list[Tensor]:
        self.seen.append(images)
        return [self.factor * images.mean(dim=(1, 2, 3))[:, None]]


def test_the_weight_starts_late_and_rises() -> None:
    adversary = Adversary(weight=0.5, start_step=10, ramp_steps=4)
    assert [adversary.weight_at(step) for step in (0, 9, 10, 11, 14, 1000)] == pytest.approx([0, 0, 0.1, 0.2, 0.5, 0.5])
    assert [Adversary(weight=0.5, start_step=2).weight_at(step) for step in (1, 2)] == [0, 0.5]
    assert [Adversary(weight=0.0).weight_at(step) for step in (0, 99)] == [0, 0]


def test_the_ramp_weighs_the_generators_term_alone() -> None:
    adversary, judge = Adversary("hinge", weight=0.5, ramp_steps=1), Brightness()
    first, later = (adversary.fool(judge, SAMPLE, SR, step)["gan"] for step in (0, 1))
    assert torch.isclose(later, -0.5 * 2 * SR.mean())
    assert torch.isclose(first, later / 2)
    losses, rates = adversary.discriminate(judge, SAMPLE, SR)
    hinges = (1 - 2 * HQ.mean(dim=(1, 2, 3))).relu() + (1 + 2 * SR.mean(dim=(1, 2, 3))).relu()
    assert losses.keys() == {"discriminator"}
    assert torch.isclose(losses["discriminator"], 0.5 * hinges.mean())
    assert {name: rate.item() for name, rate in rates.items()} == {"judged_real/real": 1, "judged_real/fake": 1}


def test_the_penalty_is_a_part_of_its_own() -> None:
    judge = Brightness()
    losses, _ = Adversary("hinge", r1_weight=10.0).discriminate(judge, SAMPLE, SR)
    assert losses.keys() == {"r1", "discriminator"}
    assert torch.isclose(losses["r1"], 10 * torch.tensor(2.0**2 / (3 * 16 * 16)) / 2)
    (slope,) = torch.autograd.grad(losses["r1"], judge.factor)
    assert torch.isclose(slope, torch.tensor(10 * 2.0 / (3 * 16 * 16)))


@pytest.mark.parametrize("loss", ["hinge", "relativistic"])
def test_an_image_and_its_restoration_are_augmented_alike(loss: Any) -> None:
    adversary, judge = Adversary(loss, augment=["translation", "cutout"]), Brightness()
    adversary.fool(judge, SAMPLE, SR, 0)
    adversary.discriminate(judge, SAMPLE, SR)
    shown = [augment(images, SAMPLE.seeds, ["translation", "cutout"]) for images in (HQ, SR)]
    wanted = [shown[1], *shown] if loss == "hinge" else [*shown, *shown]
    assert len(judge.seen) == len(wanted)
    assert all(torch.equal(seen, images) for seen, images in zip(judge.seen, wanted, strict=True))


def test_the_relativistic_generator_gets_no_gradient_from_the_real_image() -> None:
    hq, sr = HQ.clone().requires_grad_(), SR.clone().requires_grad_()
    sample = Sample(hq, HQ, SAMPLE.scores, SAMPLE.seeds)
    Adversary("relativistic").fool(Brightness(), sample, sr, 0)["gan"].backward()
    assert sr.grad is not None
    assert hq.grad is None


@pytest.mark.parametrize(
    "given", [{"weight": -1.0}, {"start_step": -1}, {"ramp_steps": -1}, {"r1_weight": -1.0}], ids=str
)
def test_negative_numbers_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"objective\.adversarial\.{next(iter(given))} of 0 or more, but got -1"):
        Adversary(**given)
