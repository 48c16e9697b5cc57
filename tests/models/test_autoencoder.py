"""An autoencoder starts as interpolation, is the same for the same seed, and is read again by diffusers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from dgsr.checks import UserError
from dgsr.models.autoencoder import Autoencoder
from dgsr.ops.resizing import resize
from dgsr.seeds import torch_generator

SMALL = {"widths": (16, 24, 24, 32), "latent_channels": 12}


def _smooth() -> torch.Tensor:
    return resize(torch.rand(2, 3, 3, 3), (48, 48), "bicubic").clamp(0, 1) * 2 - 1


def _noise() -> list[torch.Generator]:
    return [torch_generator(seed, "posterior") for seed in (0, 1)]


def test_it_starts_as_interpolation_also_from_samples() -> None:
    network, images = Autoencoder(**SMALL), _smooth()
    with torch.no_grad():
        sampled, divergence = network(images, _noise())
    assert (network.decode(network.encode(images)) - images).square().mean() < 0.02
    assert (sampled - images).square().mean() < 0.03
    assert divergence.shape == (2,)


def test_the_divergence_is_torchs() -> None:
    network, images = Autoencoder(**SMALL), _smooth()
    posterior = network.vae.encode(images).latent_dist  # pyright: ignore
    normal = torch.distributions.Normal(posterior.mean, posterior.std)
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(normal, standard).sum(dim=(1, 2, 3))
    torch.testing.assert_close(network(images, _noise())[1], expected)


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
    latents = again.encode(images).latent_dist.mode()  # pyright: ignore
    torch.testing.assert_close(latents, network.encode(images), atol=5e-3, rtol=0)  # it is stored in half precision


def test_saving_changes_nothing(tmp_path: Path) -> None:
    network = Autoencoder(**SMALL)
    before = {name: tensor.clone() for name, tensor in network.trainable_state().items()}
    network.save(tmp_path / "vae", scaling_factor=0.5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.trainable_state().items())


def test_the_decoder_of_a_saved_autoencoder_is_trained_alone(tmp_path: Path) -> None:
    Autoencoder(**SMALL, seed=3).save(tmp_path / "vae", scaling_factor=0.5)
    network = Autoencoder(init_from=tmp_path, trained="decoder")
    assert network.architecture["latent_channels"] == SMALL["latent_channels"]
    names = {name for name, _ in network.trained_parameters()}
    assert names == {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[1] for name in names} == {"decoder", "post_quant_conv"}
    network.save(tmp_path / "again" / "vae", scaling_factor=2.0)
    assert AutoencoderKL.from_pretrained(tmp_path / "again" / "vae").config["scaling_factor"] == 0.5


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"with vae/ as task\.autoencoder\.init_from"):
        Autoencoder(init_from=tmp_path)


def test_fingerprints_differ_between_widths() -> None:
    assert Autoencoder(**SMALL).fingerprint() != Autoencoder(**{**SMALL, "latent_channels": 16}).fingerprint()
    with pytest.raises(ValueError, match="at least 12 latent channels"):
        Autoencoder(**{**SMALL, "latent_channels": 8})
