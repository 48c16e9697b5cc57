"""One denoising step: from what the UNet predicts to the clean latent."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor

from dgsr.ops.precision import at_least_fp32

Prediction: TypeAlias = Literal["epsilon", "v_prediction", "sample"]

#: Scaled latents of a batch of images.
Latents: TypeAlias = Float[Tensor, "b channels rows columns"]


def clean_latent(latent: Latents, predicted: Latents, alpha_bar: float, prediction: Prediction) -> Latents:
    """Return ẑ, the latent z without the noise that the UNet sees in it.

    epsilon: ẑ = (z − √(1−ᾱ) ε) / √ᾱ; v_prediction: ẑ = √ᾱ z − √(1−ᾱ) v; sample: the prediction itself.

    Computed in fp32 at least, for √ᾱ may be small, and rounding be divided by it.

    Source: S3Diff Sec. 3.1; Salimans and Ho, Progressive distillation, App. D.
    """
    z = at_least_fp32(latent)
    found = predicted.to(z.dtype)
    signal, noise = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar)
    match prediction:
        case "epsilon":
            clean = (z - noise * found) / signal
        case "v_prediction":
            clean = signal * z - noise * found
        case "sample":
            clean = found
    return clean.to(latent.dtype)
