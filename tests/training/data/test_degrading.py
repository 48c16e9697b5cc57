"""Test that samples do not depend on where they are degraded."""

from __future__ import annotations

import torch

from dgsr.degradation import degrade, draw, preset
from dgsr.ops.filtering import sharpen
from dgsr.training.data.degrading import Degrade


def test_sample_follows_the_recipe_of_its_seed() -> None:
    spec, hq = preset("real_esrgan"), torch.rand(3, 64, 48)
    recipe = draw(spec, 11, (64, 48))
    sharp, lq, truth = Degrade(spec)(hq, 11)
    assert torch.equal(lq, degrade(hq, recipe))
    assert torch.equal(sharp, sharpen(hq[None])[0])
    assert truth.tolist() == torch.tensor([recipe.blur, recipe.noise]).tolist()


def test_batch_equals_single_samples() -> None:
    make, crops, seeds = Degrade(preset("real_esrgan")), torch.rand(3, 3, 64, 64), [4, 2**63 - 1, 0]
    batch = make.batch({"hq": crops, "seed": torch.tensor(seeds), "name": list("abc"), "broken": []})
    assert batch["name"] == list("abc")
    for place, (crop, seed) in enumerate(zip(crops, seeds, strict=True)):
        for key, expected in zip(("hq", "lq", "truth"), make(crop, seed), strict=True):
            assert torch.equal(batch[key][place], expected)
