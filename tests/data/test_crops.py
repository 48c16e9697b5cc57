"""Crops cover the whole image and follow from the seed."""

import numpy as np
import pytest
import torch

from dgsr.data.crops import center_crop, random_crop, random_flip

IMAGE = torch.rand(3, 11, 14)


def test_random_crops_are_cut_from_everywhere() -> None:
    places = {(top, left): IMAGE[:, top : top + 8, left : left + 8] for top in range(4) for left in range(7)}
    drawn = set()
    for seed in range(400):
        crop = random_crop(IMAGE, 8, seed)
        assert torch.equal(crop, random_crop(IMAGE, 8, seed))
        drawn |= {place for place, expected in places.items() if torch.equal(crop, expected)}
    assert drawn == set(places)


@pytest.mark.parametrize("size", [(3, 30), (1, 1), (2, 2)])
def test_small_images_are_padded_by_reflection(size: tuple[int, int]) -> None:
    image = torch.rand(3, *size)
    expected = np.pad(image.numpy(), ((0, 0), (0, max(20 - size[0], 0)), (0, max(20 - size[1], 0))), mode="reflect")
    crop = random_crop(image, 20, seed=0).numpy()
    assert any((crop == expected[:, :, left : left + 20]).all() for left in range(expected.shape[2] - 19))


def test_half_of_the_images_are_flipped() -> None:
    flipped = [torch.equal(random_flip(IMAGE, seed), IMAGE.flip(2)) for seed in range(400)]
    kept = [torch.equal(random_flip(IMAGE, seed), IMAGE) for seed in range(400)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 150 < sum(flipped) < 250


def test_center_crop() -> None:
    assert torch.equal(center_crop(IMAGE, 5, 8), IMAGE[:, 3:8, 3:11])
    assert center_crop(IMAGE, 16, 4).shape == (3, 16, 4)
