"""The same recipe gives the same image everywhere, of the right size and range."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from dgsr.checks import UserError
from dgsr.degradation import Recipe, degrade, degrade_steps, degraded_pair, draw, preset
from dgsr.degradation.operators import (
    Blur,
    Encode,
    GaussianNoise,
    Jpeg,
    PoissonNoise,
    Rescale,
    Resize,
    SaltPepper,
    Sharpen,
)
from dgsr.degradation.presets import PRESETS
from dgsr.ops.filtering import sharpen


def image(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


class Degraded(Dataset):
    """Eight degraded images, each a function of its index."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> torch.Tensor:
        return degrade(image(64, 48, place), draw(preset("s3diff"), place, (64, 48)))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.integers(0, 2**40),
    st.integers(32, 90),
    st.integers(32, 90),
    st.sampled_from(["noise", "black", "white", "grey", "point"]),
)
def test_lq_is_finite_in_range_and_of_its_size(name, seed, height, width, kind):
    hq = {
        "noise": image(height, width, seed % 1000),
        "black": torch.zeros(3, height, width),
        "white": torch.ones(3, height, width),
        "grey": torch.full((3, height, width), 0.5),
        "point": torch.zeros(3, height, width).index_fill_(2, torch.tensor([width // 2]), 1.0),
    }[kind]
    before = hq.clone()
    lq = degrade(hq, draw(preset(name), seed, (height, width)))
    assert lq.shape == (3, height // 4, width // 4)
    assert lq.isfinite().all()
    assert lq.min() >= 0
    assert lq.max() <= 1
    assert torch.equal(hq, before)


def test_optional_operators_change_the_image():
    operators = (Resize(16, 16, "area"), SaltPepper(0.05, 3), Jpeg(50.0, 1), Encode("webp", 50.0))
    images = [result for _, result in degrade_steps(image(64, 64), Recipe((64, 64), (16, 16), operators, 1.0, 1.0))]
    for before, after in pairwise(images):
        assert after.shape == (3, 16, 16)
        assert not torch.equal(before, after)


def test_lq_does_not_depend_on_workers_batches_or_order():
    alone = torch.stack([Degraded()[place] for place in range(8)])
    backwards = torch.stack([Degraded()[place] for place in reversed(range(8))]).flip(0)
    assert torch.equal(backwards, alone)
    for workers, batch in ((2, 3), (1, 8)):
        loaded = torch.cat(list(DataLoader(Degraded(), batch, num_workers=workers)))
        assert torch.equal(loaded, alone)


def test_lq_does_not_touch_the_global_generator():
    before = torch.random.get_rng_state()
    degrade(image(64, 64), draw(preset("real_esrgan"), 3, (64, 64)))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_steps_end_in_lq():
    hq, recipe = image(64, 48), draw(preset("s3diff"), 2, (64, 48))
    operators, images = zip(*degrade_steps(hq, recipe), strict=True)
    assert operators == recipe.operators
    assert torch.equal(images[-1], degrade(hq, recipe))


@pytest.mark.parametrize(
    "operator",
    [
        Rescale(1.0, "bicubic"),
        Resize(40, 32, "bilinear"),
        GaussianNoise(0.0, False, 1),
        PoissonNoise(0.0, True, 1),
        Blur("gaussian", 21, 0.05, 0.05),
    ],
    ids=str,
)
def test_neutral_parameters_change_nothing(operator):
    images = image(40, 32)[None]
    torch.testing.assert_close(operator.apply(images), images, atol=1e-6, rtol=0)


def test_lower_jpeg_quality_increases_the_error():
    hq = image(64, 64)
    clean = degrade(hq, Recipe((64, 64), (16, 16), (Resize(16, 16, "area"),), 1.0, 1.0))
    errors = []
    for quality in (10.0, 40.0, 70.0, 95.0):
        recipe = Recipe((64, 64), (16, 16), (Resize(16, 16, "area"), Jpeg(quality)), 1.0, 1.0)
        errors.append((degrade(hq, recipe) - clean).square().mean().item())
    assert errors == sorted(errors, reverse=True)


def test_real_esrgan_rounds_and_sharpens_its_target():
    hq, recipe = image(64, 64), draw(preset("real_esrgan"), 1, (64, 64))
    lq = degrade(hq, recipe)
    torch.testing.assert_close(lq * 255, (lq * 255).round(), atol=1e-4, rtol=0)
    first, sharpened = next(degrade_steps(hq, recipe))
    assert first == Sharpen()
    target, same_lq = degraded_pair(hq, recipe)
    assert torch.equal(target, sharpened)
    assert torch.equal(same_lq, lq)
    assert torch.equal(sharpened, sharpen(hq[None])[0])
    assert not torch.equal(sharpened, hq)


def test_the_target_of_other_presets_is_the_image_itself():
    hq = image(64, 64)
    assert degraded_pair(hq, draw(preset("s3diff"), 1, (64, 64)))[0] is hq


def test_recipes_for_another_size_are_refused():
    with pytest.raises(UserError, match=r"recipe's size \(64, 64\), but got \(64, 32\)"):
        degrade(image(64, 32), draw(preset("s3diff"), 0, (64, 64)))
