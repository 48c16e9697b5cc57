"""The noise process of a diffusion model, and one step back to the clean latent."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor

from dgsr.models.backbones.interface import Latents
from dgsr.ops.precision import at_least_fp32

Prediction: TypeAlias = Literal["epsilon", "v_prediction", "sample"]

#: ᾱ, the share of signal in noisy latents: one for all samples, or one each.
AlphaBar: TypeAlias = float | Float[Tensor, "b 1 1 1"]


def clean_latent(latent: Latents, predicted: Latents, alpha_bar: AlphaBar, prediction: Prediction) -> Latents:
    """Return ẑ, the latent z without the noise that the denoiser predicts.

    epsilon: ẑ = (z − √(1−ᾱ) ε) / √ᾱ; v_prediction: ẑ = √ᾱ z − √(1−ᾱ) v; sample: the prediction itself.

    Computed in fp32 at least: √ᾱ may be small, and rounding errors are divided by it.

    Source: S3Diff Sec. 3.1; Salimans and Ho, Progressive distillation, App. D.
    """
    z = at_least_fp32(latent)
    predicted = predicted.to(z.dtype)
    signal, noise = _shares(alpha_bar)
    match prediction:
        case "epsilon":
            clean = (z - noise * predicted) / signal
        case "v_prediction":
            clean = signal * z - noise * predicted
        case "sample":
            clean = predicted
    return clean.to(latent.dtype)


def noisy_latent(clean: Latents, noise: Latents, alpha_bar: AlphaBar) -> Latents:
    """Return √ᾱ z + √(1−ᾱ) ε."""
    signal, share = _shares(alpha_bar)
    return signal * clean + share * noise


def prediction_target(clean: Latents, noise: Latents, alpha_bar: AlphaBar, prediction: Prediction) -> Latents:
    """Return what a denoiser learns to predict: ε, z, or v = √ᾱ ε − √(1−ᾱ) z."""
    signal, share = _shares(alpha_bar)
    match prediction:
        case "epsilon":
            return noise
        case "sample":
            return clean
        case "v_prediction":
            return signal * noise - share * clean


def _shares(alpha_bar: AlphaBar) -> tuple[float | Tensor, float | Tensor]:
    """Return √ᾱ and √(1−ᾱ)."""
    if isinstance(alpha_bar, Tensor):
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    return math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
