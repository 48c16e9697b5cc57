"""Draw recipes: a pure function of the spec, a seed and the size of the image."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from dgsr.checks import expect
from dgsr.degradation.operators import (
    Blur,
    BlurKind,
    Encode,
    Filter,
    GaussianNoise,
    Jpeg,
    Operator,
    PoissonNoise,
    Rescale,
    Resize,
    Round,
    SaltPepper,
    Sharpen,
    Sinc,
)
from dgsr.degradation.recipe import Recipe
from dgsr.degradation.spec import KINDS, Numbers, Range, Spec, StageSpec
from dgsr.ops.resizing import MODES, Mode
from dgsr.seeds import rng

_FINAL_SIZES = (7, 21)
_LOWEST_CUTOFF, _LOWEST_CUTOFF_LARGE, _LARGE = math.pi / 3, math.pi / 5, 13


def draw(spec: Spec, seed: int, size: tuple[int, int]) -> Recipe:
    """Draw the degradation of one image; equal arguments give equal recipes.

    Every step draws from its own random stream, so that changing one range changes no other draw.

    Args:
        spec: The ranges and probabilities.
        seed: Seed of the sample.
        size: Height and width of the image.

    Raises:
        UserError: The image is too small for the degradation.
    """
    small = 8 * spec.scale
    expect(
        min(size) >= small, f"images of at least {small}x{small} pixels", f"{size[1]}x{size[0]}", "Use larger crops."
    )
    lq_size = (size[0] // spec.scale, size[1] // spec.scale)
    reduced_only = _happens(spec.clean_prob, rng(seed, "clean"))
    if reduced_only or not spec.stages:
        operators: list[Operator] = [Resize(*lq_size, spec.reduction)]
    else:
        operators = list(_degradation(spec, seed, size, lq_size))
    first, last = ([] if reduced_only else list(_extra(spec, seed, at)) for at in ("start", "end"))
    before = [Sharpen()] if spec.sharpen_target else []
    after = [Round()] if spec.round_8bit else []
    clean = reduced_only or not (spec.stages or first or last)
    steps = (*before, *first, *operators, *last, *after)
    return Recipe(size, lq_size, steps, spec.full_blur_px, spec.full_noise_255, clean)


def _extra(spec: Spec, seed: int, at: str) -> Iterator[Operator]:
    for name, operator in spec.extra.items():
        if operator.at == at:
            draws = rng(seed, f"extra {name}")
            if _happens(operator.prob, draws):
                yield operator.draw(draws)


def _degradation(spec: Spec, seed: int, size: tuple[int, int], lq_size: tuple[int, int]) -> Iterator[Operator]:
    steps: list[Operator] = []
    codec: list[Operator] = []
    for number, stage in enumerate(spec.stages):
        last = number == len(spec.stages) - 1
        name = f"stage {number}"
        steps += codec
        steps += _blur(stage, rng(seed, f"{name} blur"))
        factor, mode = _resize(stage, rng(seed, f"{name} resize"))
        if last:
            steps.append(Resize(int(size[0] / spec.scale * factor), int(size[1] / spec.scale * factor), mode))
        elif factor != 1:
            steps.append(Rescale(factor, mode))
        if _is_done(stage.noise_prob, seed, f"{name} has noise"):
            steps.append(_noise(stage, rng(seed, f"{name} noise")))
        steps += _salt_pepper(stage, rng(seed, f"{name} salt and pepper"))
        compressed = _is_done(stage.codec_prob, seed, f"{name} has codec")
        codec = [_codec(stage, rng(seed, f"{name} codec"))] if compressed else []
    yield from _shuffled(steps, rng(seed, "order")) if spec.shuffled else steps
    reduction = _reduction(spec, lq_size, rng(seed, "reduction"))
    codec_last = _happens(0.5, rng(seed, "codec last"))
    yield from (*reduction, *codec) if codec_last else (*codec, *reduction)


def _shuffled(steps: list[Operator], draws: np.random.Generator) -> list[Operator]:
    """Shuffle the steps but keep the order of the resizes, as the last one depends on the size of `lq`."""
    resizes = iter([step for step in steps if isinstance(step, Rescale | Resize)])
    order = [steps[place] for place in draws.permutation(len(steps))]
    return [next(resizes) if isinstance(step, Rescale | Resize) else step for step in order]


def _blur(stage: StageSpec, draws: np.random.Generator) -> Iterator[Filter]:
    if not _happens(stage.blur_prob, draws):
        return
    kernel_size = _odd(draws, stage.kernel_size_range)
    if _happens(stage.sinc_prob, draws):
        lowest = _LOWEST_CUTOFF if kernel_size < _LARGE else _LOWEST_CUTOFF_LARGE
        yield Sinc(kernel_size, _uniform(draws, (lowest, math.pi)))
        return
    kind = KINDS[_pick(draws, stage.kind_probs)]
    sigma_x = sigma_y = _uniform(draws, stage.sigma_range)
    rotation, beta = 0.0, 1.0
    if kind.endswith("aniso"):
        sigma_y = _uniform(draws, stage.sigma_range)
        rotation = _uniform(draws, (-math.pi, math.pi))
    family: BlurKind = "gaussian"
    if kind.startswith("generalized"):
        family, beta = "generalized", _beta(draws, stage.generalized_beta_range)
    elif kind.startswith("plateau"):
        family, beta = "plateau", _beta(draws, stage.plateau_beta_range)
    yield Blur(family, kernel_size, sigma_x, sigma_y, rotation, beta)


def _resize(stage: StageSpec, draws: np.random.Generator) -> tuple[float, Mode]:
    low, high = stage.resize_range
    bounds: Range = ((1.0, high), (low, 1.0), (1.0, 1.0))[_pick(draws, stage.resize_probs)]
    return _uniform(draws, bounds), _mode(draws)


def _noise(stage: StageSpec, draws: np.random.Generator) -> GaussianNoise | PoissonNoise:
    gaussian = _happens(stage.gaussian_prob, draws)
    grey = _happens(stage.grey_prob, draws)
    seed = int(draws.integers(2**48))
    if gaussian:
        return GaussianNoise(_uniform(draws, stage.gaussian_range_255), grey, seed)
    return PoissonNoise(_uniform(draws, stage.poisson_range), grey, seed)


def _salt_pepper(stage: StageSpec, draws: np.random.Generator) -> Iterator[SaltPepper]:
    if _happens(stage.salt_pepper_prob, draws):
        yield SaltPepper(_uniform(draws, stage.salt_pepper_range), int(draws.integers(2**48)))


def _codec(stage: StageSpec, draws: np.random.Generator) -> Jpeg | Encode:
    quality = _uniform(draws, stage.jpeg_range)
    full_chroma = _happens(stage.full_chroma_prob, draws)
    match _pick(draws, stage.codec_probs):
        case 0:
            return Jpeg(quality, 1 if full_chroma else 2)
        case 1:
            return Encode("webp", quality)
        case _:
            return Encode("avif", quality)


def _reduction(spec: Spec, lq_size: tuple[int, int], draws: np.random.Generator) -> Iterator[Resize | Sinc]:
    yield Resize(*lq_size, _mode(draws))
    if _happens(spec.final_sinc_prob, draws):
        yield Sinc(_odd(draws, _FINAL_SIZES), _uniform(draws, (_LOWEST_CUTOFF, math.pi)))


def _is_done(prob: float, seed: int, purpose: str) -> bool:
    return prob == 1 or _happens(prob, rng(seed, purpose))  # creating a stream costs more than a draw


def _happens(prob: float, draws: np.random.Generator) -> bool:
    return bool(draws.random() < prob)


def _uniform(draws: np.random.Generator, bounds: Range) -> float:
    return float(draws.uniform(bounds[0], bounds[1]))


def _pick(draws: np.random.Generator, probs: Numbers) -> int:
    # Without the last sum, which rounding may put below 1.
    return bisect(list(accumulate(probs[:-1])), draws.random())


def _beta(draws: np.random.Generator, bounds: Range) -> float:
    return _uniform(draws, (bounds[0], 1.0) if draws.random() < 0.5 else (1.0, bounds[1]))


def _odd(draws: np.random.Generator, bounds: Sequence[int]) -> int:
    low, high = bounds
    return low + 2 * int(draws.integers((high - low) // 2 + 1))


def _mode(draws: np.random.Generator) -> Mode:
    return MODES[draws.integers(len(MODES))]
