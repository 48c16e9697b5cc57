"""Apply operators with BasicSR 1.4.2, for comparison; the only module that uses that package."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import functional as transforms

from dgsr.checks import expect, refuse
from dgsr.degradation.extra import ExtraOperator
from dgsr.degradation.operators import (
    Blur,
    GaussianNoise,
    Jpeg,
    Operator,
    PoissonNoise,
    Rescale,
    Resize,
    Round,
    Sharpen,
    Sinc,
)
from dgsr.ops.resizing import Resized
from dgsr.types import Images


def apply(operator: Operator, images: Images) -> Resized:
    """Apply one operator with BasicSR; the seed gives other noise than `Operator.apply`, with equal statistics."""
    match operator:
        case Blur() | Sinc():
            return leaf("utils/img_process_util").filter2D(images, kernel(operator)[None].to(images))
        case Rescale(factor=factor, mode=mode):
            return functional.interpolate(images, scale_factor=factor, mode=mode)
        case Resize(height=height, width=width, mode="bicubic_antialiased"):
            return functional.interpolate(images, (height, width), mode="bicubic", antialias=True)
        case Resize(height=height, width=width, mode=mode):
            return functional.interpolate(images, (height, width), mode=mode)
        case GaussianNoise(sigma_255=sigma, grey=grey, seed=seed):
            with _seeded(seed, images.device):
                return degradations().add_gaussian_noise_pt(images, sigma, float(grey))
        case PoissonNoise(scale=scale, grey=grey, seed=seed):
            with _seeded(seed, images.device):
                return degradations().add_poisson_noise_pt(images, scale, gray_noise=float(grey))
        case Jpeg(quality=quality, chroma_step=2):
            return diff_jpeg(images.device)(images.clamp(0, 1), quality)
        case Sharpen():
            return leaf("utils/img_process_util").USMSharp().to(images.device)(images)
        case ExtraOperator():
            return operator.apply(images)
        case Round():
            return torch.clamp((images * 255.0).round(), 0, 255) / 255.0
        case _:
            return refuse("an operator that BasicSR has", operator, "Remove it, or set data.degradation_backend=dgsr.")


def kernel(operator: Blur | Sinc) -> Float[Tensor, "k k"]:
    """Compute the kernel of a filter with BasicSR."""
    theirs = degradations()
    match operator:
        case Sinc(size=size, cutoff=cutoff):
            with np.errstate(invalid="ignore"):  # 0 / 0 at the centre, which is then overwritten
                values = theirs.circular_lowpass_kernel(cutoff, size)
        case Blur(kind="gaussian", size=size, sigma_x=x, sigma_y=y, rotation=rotation):
            values = theirs.bivariate_Gaussian(size, x, y, rotation, isotropic=x == y)
        case Blur(kind="generalized", size=size, sigma_x=x, sigma_y=y, rotation=rotation, beta=beta):
            values = theirs.bivariate_generalized_Gaussian(size, x, y, rotation, beta, isotropic=x == y)
        case Blur(kind="plateau", size=size, sigma_x=x, sigma_y=y, rotation=rotation, beta=beta):
            values = theirs.bivariate_plateau(size, x, y, rotation, beta, isotropic=x == y)
    return torch.from_numpy(values).float()


@cache
def leaf(path: str) -> ModuleType:
    """Load one file of BasicSR; importing the whole package fails with current libraries."""
    package = importlib.util.find_spec("basicsr")
    remedy = "Install it as README.md says, or set data.degradation_backend=dgsr."
    expect(package is not None, "the package basicsr 1.4.2", "none", remedy)
    assert package is not None
    assert package.submodule_search_locations
    file = Path(package.submodule_search_locations[0], f"{path}.py")
    spec = importlib.util.spec_from_file_location(f"basicsr_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def degradations() -> ModuleType:
    """Load the module with BasicSR's kernels and noise."""
    # It imports a module that torchvision has removed, and changes NumPy's error state of the whole process.
    sys.modules.setdefault("torchvision.transforms.functional_tensor", transforms)
    with np.errstate():
        return leaf("data/degradations")


@cache
def diff_jpeg(device: torch.device) -> torch.nn.Module:
    """Build BasicSR's JPEG."""
    return leaf("utils/diffjpeg").DiffJPEG(differentiable=False).to(device)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators inside the block, and restore them after it."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
