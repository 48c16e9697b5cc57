"""Metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from dgsr.checks import refuse
from dgsr.metrics.fidelity import Psnr, Ssim
from dgsr.metrics.metric import Metric
from dgsr.metrics.perceptual import Dists, Lpips

_SUITE: dict[str, Callable[[str], Metric]] = {
    "psnr": lambda weights: Psnr(),
    "ssim": lambda weights: Ssim(),
    "lpips": lambda weights: Lpips("alex", weights),
    "lpips_vgg": lambda weights: Lpips("vgg", weights),
    "dists": Dists,
}


def build(names: Iterable[str], weights: str = "auto") -> dict[str, Metric]:
    """Build metrics, in the order of their names.

    Args:
        names: Among psnr, ssim, lpips, lpips_vgg and dists.
        weights: Where VGG-16 and AlexNet come from: auto, offline, torchvision, or a path.

    Raises:
        UserError: A name is not known.

    >>> build(["psnr"])["psnr"].direction
    'higher'
    """
    return {name: _build(name, weights) for name in names}


def _build(name: str, weights: str) -> Metric:
    if name not in _SUITE:
        similar = get_close_matches(name, _SUITE, n=1)
        remedy = f"Did you mean {similar[0]}?" if similar else "Mend metrics.names."
        refuse(f"metrics among {', '.join(_SUITE)}", name, remedy)
    return _SUITE[name](weights)
