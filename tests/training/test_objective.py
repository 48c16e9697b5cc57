"""Negative samples are a function of the seeds; every loss has its weight."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.features import DistsDistance, LpipsDistance
from dgsr.losses.augmentation import augment
from dgsr.models.generator import OneStepGenerator
from dgsr.training.critics.gan import Adversary
from dgsr.training.loop.sample import Sample
from dgsr.training.objective import Objective

ADVERSARY = Adversary()


def _sample(count: int) -> Sample:
    images = torch.rand(2, count, 3, 16, 16) * 2 - 1
    return Sample(images[0], images[1], torch.rand(count, 2), torch.arange(count))


def test_negatives_are_as_frequent_as_asked() -> None:
    objective = Objective({"mse": 1.0}, ADVERSARY, negative_prob=0.05)
    drawn = objective.negatives(torch.arange(20_000))
    assert abs(drawn.float().mean() - 0.05) < 0.005
    assert torch.equal(drawn[7:9], objective.negatives(torch.tensor([7, 8])))


@pytest.mark.parametrize(("negative_prob", "all_or_none"), [(0.0, False), (1.0, True)])
def test_extremes(negative_prob: float, all_or_none: bool) -> None:
    objective, sample = Objective({"mse": 1.0}, ADVERSARY, negative_prob=negative_prob), _sample(4)
    prompts = OneStepGenerator.tiny().prompts
    negative, task = objective.task(sample, prompts)
    assert negative.tolist() == [all_or_none] * 4
    assert torch.equal(task.target, sample.lq_up if all_or_none else sample.hq)
    wanted = prompts.negative if all_or_none else prompts.positive
    assert torch.equal(task.prompt, wanted.expand(4, -1, -1))


def test_prompt_and_target_are_mixed_per_sample() -> None:
    objective, sample = Objective({"mse": 1.0}, ADVERSARY, negative_prob=0.5), _sample(16)
    prompts = OneStepGenerator.tiny().prompts
    negative, task = objective.task(sample, prompts)
    assert 0 < negative.sum() < 16
    for index, is_negative in enumerate(negative.tolist()):
        assert torch.equal(task.target[index], (sample.lq_up if is_negative else sample.hq)[index])
        assert torch.equal(task.prompt[index], (prompts.negative if is_negative else prompts.positive)[0])


def test_losses_are_weighted_and_named() -> None:
    objective = Objective({"mse": 2.0, "l1": 3.0, "charbonnier": 0.0}, ADVERSARY)
    sr, target = torch.rand(2, 2, 3, 8, 8)
    losses = objective.reconstruct(sr, target, torch.arange(2))
    assert losses.keys() == {"mse", "l1"}
    assert torch.isclose(losses["mse"], 2 * (sr - target).square().mean())
    assert torch.isclose(losses["l1"], 3 * (sr - target).abs().mean())


def test_perceptual_losses_are_weighted_distances() -> None:
    objective = Objective({"lpips": 5.0, "dists": 2.0}, ADVERSARY)
    sr, target = 2 * torch.rand(2, 1, 3, 64, 64) - 1
    losses = objective.reconstruct(sr, target, torch.arange(1))
    assert torch.isclose(losses["lpips"], 5 * LpipsDistance("vgg")(sr, target).mean())
    assert torch.isclose(losses["dists"], 2 * DistsDistance()((sr + 1) / 2, (target + 1) / 2).mean())


def test_perceptual_losses_compare_what_augmentation_leaves() -> None:
    objective = Objective({"l1": 1.0, "lpips": 1.0}, ADVERSARY, augment=["affine"])
    sr, target = 2 * torch.rand(2, 2, 3, 64, 64) - 1
    seeds = torch.tensor([3, 4])
    losses = objective.reconstruct(sr, target, seeds)
    assert torch.isclose(losses["l1"], (sr - target).abs().mean())
    seen = [augment(images, seeds, ["affine"]) for images in (sr, target)]
    assert torch.isclose(losses["lpips"], LpipsDistance("vgg")(*seen).mean())
    assert not torch.isclose(losses["lpips"], LpipsDistance("vgg")(sr, target).mean())


def test_unknown_losses_are_refused() -> None:
    with pytest.raises(UserError, match="but got huber"):
        Objective({"huber": 1.0}, ADVERSARY)
    with pytest.raises(UserError, match="a weight above 0"):
        Objective({"mse": 0.0}, ADVERSARY)
