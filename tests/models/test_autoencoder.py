"""An autoencoder starts as interpolation, is the same for the same seed, and is read again by diffusers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from dgsr.models.autoencoder import Autoencoder
from dgsr.ops.resizing import resize
from dgsr.seeds import torch_generator

SMALL = {"widths": (16, 24, 24, 32), "latent_channels": 12}


def _smooth() -> torch.Tensor:
    return resize(torch.rand(2, 3, 3, 3), (48, 48), "bicubic").clamp(0, 1) * 2 - 1


def test_it_starts_as_interpolation_also_from_samples() -> None:
    network, images = Autoencoder(**SMALL), _smooth()
    with torch.no_grad():
        sampled, divergence = network(images, torch_generator(0, "posterior"))
    assert (network.decode(network.encode(images)) - images).square().mean() < 0.02
    assert (sampled - images).square().mean() < 0.03
    assert divergence.shape == (2,)


def test_the_divergence_is_torchs() -> None:
    network, images = Autoencoder(**SMALL), _smooth()
    posterior = network.vae.encode(images).latent_dist  # pyright: ignore
    normal = torch.distributions.Normal(posterior.mean, posterior.std)
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(normal, standard).sum(dim=(1, 2, 3))
    torch.testing.assert_close(network(images, torch_generator(0, "posterior"))[1], expected)


def test_weights_follow_the_seed_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (Autoencoder(**SMALL, seed=seed).trainable_state() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in first.items())


def test_diffusers_reads_what_was_saved(tmp_path: Path) -> None:
    network, images = Autoencoder(**SMALL), _smooth()
    network.save(tmp_path / "vae", scaling_factor=0.5)
    again = AutoencoderKL.from_pretrained(tmp_path / "vae")
    assert again.config["scaling_factor"] == 0.5
    torch.testing.assert_close(again.encode(images).latent_dist.mode(), network.encode(images))  # pyright: ignore


def test_prints_tell_widths_apart() -> None:
    assert Autoencoder(**SMALL).fingerprint() != Autoencoder(**{**SMALL, "latent_channels": 16}).fingerprint()
    with pytest.raises(ValueError, match="at least 12 latent channels"):
        Autoencoder(**{**SMALL, "latent_channels": 8})
