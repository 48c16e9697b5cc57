"""Recipes survive JSON and pickle, and print readable lines."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgsr.checks import UserError
from dgsr.degradation import Recipe, draw, preset
from dgsr.degradation.operators import GaussianNoise, Jpeg, Resize

NAMES = st.sampled_from(["s3diff", "real_esrgan", "bsrgan_like", "bicubic", "none"])


@given(NAMES, st.integers(0, 2**63 - 1))
def test_json_and_pickle_give_an_equal_recipe(name, seed):
    recipe = draw(preset(name), seed, (256, 192))
    for copy in (Recipe.from_json(recipe.to_json()), pickle.loads(pickle.dumps(recipe))):
        assert copy == recipe
        assert hash(copy) == hash(recipe)
        assert copy.to_json() == recipe.to_json()


@given(NAMES, st.integers(0, 2**63 - 1))
def test_strengths_lie_in_the_unit_interval(name, seed):
    recipe = draw(preset(name), seed, (256, 192))
    assert 0 <= recipe.blur <= 1
    assert 0 <= recipe.noise <= 1
    assert not recipe.clean or recipe.blur == recipe.noise == 0


def test_text_has_a_line_for_each_operator():
    operators = (GaussianNoise(12.34, True, 1), Resize(16, 12, "area"), Jpeg(71.6))
    recipe = Recipe((64, 48), (16, 12), operators, 4.0, 24.68)
    assert recipe.describe() == ["grey Gaussian noise 12.3", "resize to 12x16 area", "JPEG 72"]
    assert str(recipe).splitlines() == [
        "48x64 to 12x16, blur 0.00, noise 0.12",
        "  grey Gaussian noise 12.3",
        "  resize to 12x16 area",
        "  JPEG 72",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"size": [8, 8]}',
        '{"size": [8, 8], "lq_size": [2, 2], "operators": [{"do": "Jpeg", "qualty": 3}]}',
        '{"size": [8, 8], "lq_size": [2, 2], "operators": [{"do": "Melt"}], "full_blur_px": 1, "full_noise_255": 1}',
    ],
)
def test_invalid_recipes_are_refused(text):
    with pytest.raises(UserError, match="Expected"):
        Recipe.from_json(text)
