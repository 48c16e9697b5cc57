"""The backbone and the estimator in the package: small, in half precision, and a generator stands on them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from safetensors import safe_open

import dgsr
from dgsr import DegradationEstimator, OneStepGenerator
from dgsr.checkpoints import load_pretrained, save_pretrained
from dgsr.data import bundled
from dgsr.degradation.operators import Blur
from tests import tiny

FOLDER = Path(dgsr.__file__).parent / "assets" / "tiny-prior"


def test_it_is_small_and_the_backbone_is_in_half_precision() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 24 * 2**20
    for part in ("unet", "vae"):
        with safe_open(FOLDER / part / "diffusion_pytorch_model.safetensors", framework="pt") as file:
            assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_an_adapter_over_it_is_exported_without_it(tmp_path: Path) -> None:
    generator = OneStepGenerator.from_backbone("bundled:tiny-prior", adapters={"main": tiny.ranks(4, 4)}, timestep=250)
    save_pretrained(generator, tmp_path)
    assert (tmp_path / "generator.safetensors").stat().st_size < 4 * 2**20
    assert load_pretrained(tmp_path).fingerprint() == generator.fingerprint()


@torch.no_grad()
def test_the_autoencoder_keeps_photographs() -> None:
    generator = OneStepGenerator.from_backbone("bundled:tiny-prior", adapters={"main": tiny.ranks(4, 4)}, timestep=250)
    images = torch.stack([bundled("val")[index][:, :256, :256] for index in range(3)]) * 2 - 1
    again = generator.decode(generator.encode(images, generator.correction(torch.zeros(3, 2))))
    assert 10 * torch.log10(4 / (again - images).square().mean()) > 24


@torch.no_grad()
def test_blurrier_images_have_higher_scores() -> None:
    estimator = DegradationEstimator.from_file("bundled:tiny-prior/estimator.safetensors")
    photographs = torch.stack([bundled("val")[index][:, :128, :128] for index in range(3)])
    blurred = [Blur("gaussian", 21, sigma, sigma).apply(photographs) for sigma in (0.6, 1.0, 1.6)]
    scores = [estimator(images)[:, 0].mean() for images in (photographs, *blurred)]
    assert all(less < more for less, more in pairwise(scores))
