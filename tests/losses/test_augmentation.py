"""Test that augmentations follow the seeds and stay within their ranges."""

from __future__ import annotations

import math

import pytest
import torch

from dgsr.losses.augmentation import Augmentation, augment

IMAGES = torch.rand(3, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
SEEDS = torch.tensor([5, 6, 7])
ALL: tuple[Augmentation, ...] = ("color", "translation", "cutout", "affine")


def test_augmentation_is_a_function_of_the_seed() -> None:
    together = augment(IMAGES, SEEDS, ALL)
    alone = augment(IMAGES[1:2], SEEDS[1:2], ALL)
    assert torch.equal(together[1:2], alone)
    assert not torch.equal(augment(IMAGES[1:2], SEEDS[2:], ALL), alone)
    assert torch.equal(augment(IMAGES, SEEDS, []), IMAGES)


def test_draws_of_a_kind_do_not_depend_on_other_kinds() -> None:
    one_by_one = IMAGES
    for kind in ALL:
        one_by_one = augment(one_by_one, SEEDS, [kind])
    assert torch.equal(augment(IMAGES, SEEDS, ALL), one_by_one)


def test_translation_moves_by_at_most_an_eighth() -> None:
    result = set()
    for seed in range(60):
        moved = augment(IMAGES[:1], torch.tensor([seed]), ["translation"])
        shifts = [
            (y, x)
            for y in range(-4, 5)
            for x in range(-6, 7)
            if torch.equal(
                moved[0, :, max(0, y) : 32 + min(0, y), max(0, x) : 48 + min(0, x)],
                IMAGES[0, :, max(0, -y) : 32 + min(0, -y), max(0, -x) : 48 + min(0, -x)],
            )
        ]
        assert len(shifts) == 1
        result.add(shifts[0])
        assert (moved == 0).sum() == 3 * (32 * 48 - (32 - abs(shifts[0][0])) * (48 - abs(shifts[0][1])))
    assert {-4, 4} <= {y for y, _ in result}
    assert {-6, 6} <= {x for _, x in result}


def test_cutout_clears_up_to_a_quarter_of_the_image() -> None:
    for seed in range(20):
        cleared = augment(IMAGES[:1], torch.tensor([seed]), ["cutout"])
        gone = (cleared == 0).all(dim=1)[0]
        assert 16 * 24 / 4 <= gone.sum() <= 16 * 24
        assert gone.any(dim=0).sum() * gone.any(dim=1).sum() == gone.sum()  # a rectangle
        assert torch.equal(cleared[0][:, ~gone], IMAGES[0][:, ~gone])


def test_color_is_an_affine_map_that_preserves_grey() -> None:
    grey = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    changed = augment(grey, SEEDS[:1], ["color"])
    assert torch.allclose(changed[:, :1].expand(-1, 3, -1, -1), changed, atol=1e-6)
    steps = changed[0, 0, 0].diff() / (2 / 31)
    assert torch.allclose(steps, steps[0].expand(31), atol=1e-4)
    assert 0.5 <= steps[0] <= 1.5
    assert changed.mean().abs() <= 0.5


def test_affine_is_a_similarity_within_its_ranges() -> None:
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(48.0), indexing="ij")
    places = torch.stack([columns - 23.5, rows - 15.5, torch.zeros(32, 48)])[None]  # bicubic: linear but for .06
    result = []
    for seed in range(200):
        moved = augment(places, torch.tensor([seed]), ["affine"])[0, :2, 12:20, 20:28].double()
        (right_x, right_y), (down_x, down_y) = moved.diff(dim=2).mean(dim=(1, 2)), moved.diff(dim=1).mean(dim=(1, 2))
        assert torch.allclose(torch.stack([down_x, down_y]), torch.stack([-right_y, right_x]), atol=0.02)
        assert moved.mean(dim=(1, 2)).abs().max() <= 0.56
        result.append((1 / math.hypot(right_x, right_y), math.degrees(math.atan2(right_y, right_x))))
    scales, turns = zip(*result, strict=True)
    assert 0.79 <= min(scales) < 0.82
    assert 1.22 < max(scales) <= 1.26
    assert -21 <= min(turns) < -18
    assert 18 < max(turns) <= 21


def test_affine_computes_its_grid_in_full_precision() -> None:
    exact = augment(IMAGES, SEEDS, ["affine"])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(IMAGES, SEEDS, ["affine"]), exact)


@pytest.mark.parametrize("kind", ALL)
def test_augmentations_are_differentiable(kind: Augmentation) -> None:
    images = IMAGES[:1, :, :8, :8].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: augment(x, SEEDS[:1], [kind]), images)
