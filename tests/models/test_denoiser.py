"""A denoiser's prompts and trained part, and how generators and denoisers start from what it saves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.models.autoencoder import Autoencoder
from dgsr.models.denoiser import Denoiser
from dgsr.models.generator import OneStepGenerator
from tests import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_autoencoder(tmp_path_factory.mktemp("autoencoder"))


def test_each_image_has_its_own_prompt(folder: Path) -> None:
    network = Denoiser(folder, **tiny.DENOISER)
    negative, none = torch.tensor([False, True, True]), torch.tensor([False, False, True])
    prompt = network.prompt(negative, none)
    assert torch.equal(prompt[0], network.prompts.positive[0])
    assert torch.equal(prompt[1], network.prompts.negative[0])
    assert torch.equal(prompt[2], network.empty[0])


def test_only_the_unet_is_trained(folder: Path) -> None:
    network = Denoiser(folder, **tiny.DENOISER)
    assert {name.split(".")[0] for name in network.trainable_state()} == {"unet"}
    assert not any(p.requires_grad for p in network.vae.parameters())


def test_it_starts_from_a_backbone_with_its_shape(folder: Path, tmp_path: Path) -> None:
    network = Denoiser(folder, prediction="epsilon", **tiny.DENOISER)
    network.save(tmp_path)
    again = Denoiser(tmp_path, init_from=tmp_path, widths=(8, 8, 8, 8), heads=1, prediction="v_prediction")
    assert again.backbone.prediction == again.backbone.scheduler.config["prediction_type"] == "epsilon"
    for name in ("block_out_channels", "attention_head_dim", "norm_num_groups"):
        actual, expected = (json.dumps(one.unet.config[name]) for one in (again, network))
        assert actual == expected
    assert again.unet.dtype == torch.float32
    Autoencoder((16, 24, 24, 32), latent_channels=12).save(tmp_path / "other" / "vae", scaling_factor=1.0)
    with pytest.raises(UserError, match=r"a denoiser of 12 channels, but got 16\. Set task\.denoiser\.init_from"):
        Denoiser(tmp_path / "other", init_from=tmp_path)


def test_a_generator_and_another_denoiser_start_from_what_was_saved(folder: Path, tmp_path: Path) -> None:
    network = Denoiser(folder, **tiny.DENOISER)
    network.save(tmp_path)
    assert network.unet.dtype == torch.float32
    assert str(folder) not in (tmp_path / "vae" / "config.json").read_text()
    generator = OneStepGenerator.from_backbone(tmp_path, adapters=tiny.adapters(4, 4), timestep=250)
    again = Denoiser(tmp_path, init_from=tmp_path, seed=1, **tiny.DENOISER)
    assert generator.unet.dtype == torch.float32
    assert torch.equal(generator.prompts.negative, network.prompts.negative)
    latents, timesteps = torch.randn(1, 16, 8, 8), torch.tensor([250])
    with torch.no_grad():
        ours, theirs = (one(latents, timesteps, network.prompts.positive) for one in (network, again))
        image = generator(torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 2), generator.prompts.positive)
    torch.testing.assert_close(ours, theirs, atol=2e-2, rtol=0)  # half precision
    assert image.shape == (1, 3, 64, 64)


def test_a_missing_autoencoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"vae/ as task\.denoiser\.autoencoder"):
        Denoiser(tmp_path, **tiny.DENOISER)
