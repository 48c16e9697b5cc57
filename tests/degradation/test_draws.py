"""Every choice is drawn with the frequency and range of the preset."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import stats

from dgsr.checks import UserError
from dgsr.degradation import Recipe, Spec, draw, preset
from dgsr.degradation.operators import (
    Blur,
    Encode,
    GaussianNoise,
    Jpeg,
    PoissonNoise,
    Rescale,
    Resize,
    Round,
    SaltPepper,
    Sharpen,
    Sinc,
)
from dgsr.degradation.spec import KINDS, StageSpec

SIZE = (65536, 32768)  # so large that rounding to whole pixels does not matter


def expect_share(count: int, total: int, prob: float) -> None:
    assert abs(count - total * prob) < 4.5 * math.sqrt(total * prob * (1 - prob)) + 1, (count / total, prob)


def expect_uniform(values: list[float], low: float, high: float) -> None:
    assert low <= min(values)
    assert max(values) <= high
    assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-5


def kind(blur: Blur) -> str:
    turned = "iso" if blur.sigma_x == blur.sigma_y else "aniso"
    return turned if blur.kind == "gaussian" else f"{blur.kind}_{turned}"


def split(recipe: Recipe) -> tuple[list, list, list]:
    """Cut the operators of a two-stage recipe into first stage, second stage and end."""
    operators = [o for o in recipe.operators if not isinstance(o, Sharpen | Round)]
    first = next(place for place, o in enumerate(operators) if isinstance(o, Jpeg)) + 1
    noises = [place for place, o in enumerate(operators) if isinstance(o, GaussianNoise | PoissonNoise)]
    return operators[:first], operators[first : noises[1] + 1], operators[noises[1] + 1 :]


def check_stage(stages: list[list], stage: StageSpec, factors: list[float]) -> None:
    total = len(stages)
    operators = [operator for operators in stages for operator in operators]
    blurs = [o for o in operators if isinstance(o, Blur)]
    sincs = [o for o in operators if isinstance(o, Sinc)]
    expect_share(len(blurs) + len(sincs), total, stage.blur_prob)
    expect_share(len(sincs), len(blurs) + len(sincs), stage.sinc_prob)
    for size, count in Counter(o.size for o in [*blurs, *sincs]).items():
        assert size in range(7, 22, 2)
        expect_share(count, len(blurs) + len(sincs), 1 / 8)
    kinds = Counter(map(kind, blurs))
    for name, prob in zip(KINDS, stage.kind_probs, strict=True):
        expect_share(kinds[name], len(blurs), prob)
    expect_uniform([o.sigma_x for o in blurs], *stage.sigma_range)
    turned = [o for o in blurs if o.sigma_y != o.sigma_x]
    expect_uniform([o.sigma_y for o in turned], *stage.sigma_range)
    expect_uniform([o.rotation for o in turned], -math.pi, math.pi)
    for name, (low, high) in (("generalized", stage.generalized_beta_range), ("plateau", stage.plateau_beta_range)):
        betas = [o.beta for o in blurs if o.kind == name]
        expect_share(sum(beta > 1 for beta in betas), len(betas), 0.5)
        expect_uniform([beta for beta in betas if beta > 1], 1, high)
        if low < 1:
            expect_uniform([beta for beta in betas if beta < 1], low, 1)
    expect_uniform([o.cutoff for o in sincs if o.size < 13], math.pi / 3, math.pi)
    expect_uniform([o.cutoff for o in sincs if o.size >= 13], math.pi / 5, math.pi)

    for prob, hits in zip(stage.resize_probs, (np.array(factors) > 1, np.array(factors) < 1), strict=False):
        expect_share(int(hits.sum()), total, prob)
    assert stage.resize_range[0] - 1e-4 <= min(factors)
    assert max(factors) <= stage.resize_range[1]

    gaussians = [o for o in operators if isinstance(o, GaussianNoise)]
    poissons = [o for o in operators if isinstance(o, PoissonNoise)]
    assert len(gaussians) + len(poissons) == total
    expect_share(len(gaussians), total, stage.gaussian_prob)
    expect_uniform([o.sigma_255 for o in gaussians], *stage.gaussian_range_255)
    expect_uniform([o.scale for o in poissons], *stage.poisson_range)
    expect_share(sum(o.grey for o in [*gaussians, *poissons]), total, stage.grey_prob)


def test_draws_follow_the_distribution_of_the_preset():
    spec = preset("s3diff")
    check_recipes([draw(spec, seed, SIZE) for seed in range(3000)], spec)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s3diff", "real_esrgan"])
def test_draws_follow_the_distribution_of_the_preset_to_three_digits(name):
    spec, num_draws = preset(name), 100_000
    # In processes without the type checks of this one, in which the draws would take minutes.
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        recipes = pool.map(draw, repeat(spec), range(num_draws), repeat(SIZE), chunksize=5000)
        check_recipes(list(recipes), spec)


def check_recipes(recipes: list[Recipe], spec: Spec) -> None:
    num_draws = len(recipes)
    expect_share(sum(recipe.clean for recipe in recipes), num_draws, spec.clean_prob)
    firsts, seconds, ends = map(list, zip(*(split(r) for r in recipes if not r.clean), strict=True))

    resized = [[o.factor for o in operators if isinstance(o, Rescale)] for operators in firsts]
    check_stage(firsts, spec.stages[0], [factors[0] if factors else 1.0 for factors in resized])
    resized = [next(o for o in operators if isinstance(o, Resize)).height for operators in seconds]
    check_stage(seconds, spec.stages[1], [height / 16384 for height in resized])

    expect_uniform([operators[-1].quality for operators in firsts], *spec.stages[0].jpeg_range)
    last = [operators for operators in ends if isinstance(operators[-1], Jpeg)]
    expect_share(len(last), len(ends), 0.5)
    expect_uniform([o.quality for end in ends for o in end if isinstance(o, Jpeg)], *spec.stages[1].jpeg_range)
    sincs = [o for end in ends for o in end if isinstance(o, Sinc)]
    expect_share(len(sincs), len(ends), spec.final_sinc_prob)
    expect_uniform([o.cutoff for o in sincs], math.pi / 3, math.pi)
    for operators in ends:
        order = [type(o).__name__ for o in operators if not isinstance(o, Sinc)]
        assert order in (["Resize", "Jpeg"], ["Jpeg", "Resize"])
    modes = Counter(o.mode for stage in (firsts, seconds, ends) for os in stage for o in os if hasattr(o, "mode"))
    for mode in ("area", "bilinear", "bicubic"):
        expect_share(modes[mode], modes.total(), 1 / 3)


def test_draws_are_a_pure_function_of_seed_and_size():
    spec = preset("real_esrgan")
    recipes = [draw(spec, seed, SIZE) for seed in (4, 5, 4)]
    assert recipes[0] == recipes[2] != recipes[1]
    operators = [operator for seed in range(50) for operator in draw(spec, seed, SIZE).operators]
    assert len({o.seed for o in operators if isinstance(o, GaussianNoise | PoissonNoise)}) == 100


def test_a_changed_range_changes_no_other_draw():
    spec = preset("s3diff")
    first = dataclasses.replace(spec.stages[0], jpeg_range=(30, 31), sinc_prob=0.9)
    changed = dataclasses.replace(spec, stages=(first, spec.stages[1]))
    for seed in range(30):
        befores, afters = (
            [
                o
                for o in draw(each, seed, SIZE).operators
                if isinstance(o, Rescale | Resize | GaussianNoise | PoissonNoise)
            ]
            for each in (spec, changed)
        )
        assert befores == afters


def test_clean_recipes_only_reduce():
    assert draw(preset("bicubic"), 0, (64, 48)).operators == (Resize(16, 12, "bicubic_antialiased"),)
    assert draw(preset("none"), 0, (66, 50)).operators == (Resize(16, 12, "area"),)
    assert draw(preset("s3diff", clean_prob=1.0), 0, (64, 48)).clean


def test_one_stage_and_other_scales():
    recipe = draw(Spec(scale=2, stages=preset("s3diff").stages[:1]), 1, (64, 48))
    assert recipe.lq_size == (32, 24)
    assert sum(isinstance(operator, Jpeg) for operator in recipe.operators) == 1


def test_optional_operators_are_drawn_with_their_probabilities():
    optional = {"salt_pepper_prob": 1.0, "codec_probs": (0.2, 0.5, 0.3), "full_chroma_prob": 0.5}
    stages = [dataclasses.replace(stage, **optional) for stage in preset("s3diff").stages]
    recipes = [draw(preset("s3diff", stages=stages, clean_prob=0.0), seed, SIZE) for seed in range(1000)]
    operators = [operator for recipe in recipes for operator in recipe.operators]
    expect_uniform([o.share for o in operators if isinstance(o, SaltPepper)], 0.001, 0.02)
    assert sum(isinstance(o, SaltPepper) for o in operators) == 2000
    jpegs = [o for o in operators if isinstance(o, Jpeg)]
    expect_share(len(jpegs), 2000, 0.2)
    expect_share(sum(o.chroma_step == 1 for o in jpegs), len(jpegs), 0.5)
    expect_share(sum(o.format == "webp" for o in operators if isinstance(o, Encode)), 2000, 0.5)


@pytest.mark.parametrize("name", ["s3diff", "bsrgan_like"])
def test_probabilities_of_noise_and_compression_change_nothing_else(name):
    changes = {"noise_prob": 0.3, "codec_prob": 0.6}
    spec = preset(name, clean_prob=0.0)
    sparing = preset(name, clean_prob=0.0, stages={0: changes, 1: changes})
    removable = (GaussianNoise, PoissonNoise, Jpeg)
    lost: Counter[type] = Counter()
    for seed in range(1000):
        full, left = draw(spec, seed, SIZE).operators, draw(sparing, seed, SIZE).operators
        gone = Counter(full) - Counter(left)
        assert not Counter(left) - Counter(full)
        assert all(isinstance(operator, removable) for operator in gone)
        lost += Counter(map(type, gone.elements()))
    expect_share(lost[Jpeg], 2000, 0.4)
    expect_share(lost[GaussianNoise] + lost[PoissonNoise], 2000, 0.7)


def test_recipes_without_noise_have_no_noise_strength():
    without = {number: {"noise_prob": 0.0, "codec_prob": 0.0} for number in (0, 1)}
    recipe = draw(preset("s3diff", clean_prob=0.0, stages=without), 0, SIZE)
    assert recipe.noise == 0
    assert recipe.blur > 0


def test_shuffled_stages_keep_resizes_in_order_and_end_in_the_reduction():
    spec, orders = preset("bsrgan_like"), set()
    for seed in range(60):
        operators = draw(spec, seed, SIZE).operators
        assert 16384 in [o.height for o in operators[-2:] if isinstance(o, Resize)]
        places = {type(o).__name__: place for place, o in enumerate(operators[:-2])}
        assert places.get("Rescale", -1) < places["Resize"]
        orders.add(tuple(type(o).__name__ for o in operators))
    assert len(orders) > 30


def test_tiny_images_are_refused():
    with pytest.raises(UserError, match="at least 32x32 pixels, but got 64x31"):
        draw(preset("s3diff"), 0, (31, 64))
