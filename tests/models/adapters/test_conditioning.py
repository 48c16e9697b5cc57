"""From scores to matrices: shapes, variants, precision."""

from __future__ import annotations

import math

import pytest
import torch

from dgsr.models.adapters.conditioning import Conditioning, Init, Kind, fourier_features

SCORES = torch.tensor([[0.1, 0.9], [0.1, 0.4], [0.8, 0.4]])


def conditioning(kind: Kind = "guided", init: Init = "identity"):
    return Conditioning(unet_blocks=10, unet_rank=8, vae_blocks=6, vae_rank=4, kind=kind, init=init)


def test_features_by_hand():
    features = fourier_features(torch.tensor([[0.25, 0.5]]), torch.tensor([1.0, 3.0]))
    expected = [function(2 * math.pi * d * w) for d in (0.25, 0.5) for function in (math.sin, math.cos) for w in (1, 3)]
    torch.testing.assert_close(features[0], torch.tensor(expected), atol=1e-5, rtol=0)


def test_shapes():
    correction = conditioning()(SCORES)
    assert correction.unet.shape == (3, 10, 8, 8)
    assert correction.vae.shape == (3, 6, 4, 4)


@torch.no_grad()
def test_both_scores_and_the_block_matter():
    matrices = conditioning()(SCORES).unet
    assert not torch.allclose(matrices[0], matrices[1])
    assert not torch.allclose(matrices[1], matrices[2])
    assert not torch.allclose(matrices[:, 0], matrices[:, 1])


@torch.no_grad()
def test_a_shared_block_depends_on_scores_alone():
    matrices = conditioning("shared_block")(SCORES).unet
    assert torch.equal(matrices[:, 0], matrices[:, 9])
    assert not torch.allclose(matrices[0], matrices[1])


def test_no_conditioning_is_the_identity_without_parameters():
    plain = conditioning("none")
    assert torch.equal(plain(SCORES).vae, torch.eye(4).expand(3, 6, 4, 4))
    assert not list(plain.parameters())


@torch.no_grad()
def test_initial_corrections():
    near = conditioning(init="identity")(SCORES).unet
    torch.testing.assert_close(near, torch.eye(8).expand_as(near), atol=0.2, rtol=0)
    zero = conditioning(init="paper")(SCORES).unet.abs()
    assert 0 < zero.max() < 1e-6


def test_frequencies_are_kept_but_not_trained():
    guided = conditioning()
    assert "frequencies" in guided.state_dict()
    assert "frequencies" not in dict(guided.named_parameters())


def test_stays_in_full_precision_under_autocast():
    guided = conditioning()
    with torch.autocast("cpu", torch.bfloat16):
        correction = guided(SCORES.bfloat16())
    assert correction.unet.dtype == torch.float32
    torch.testing.assert_close(correction.unet, guided(SCORES.bfloat16().float()).unet)


def test_keeps_its_precision_but_follows_to_another_device():
    guided = conditioning()
    expected = guided(SCORES).unet
    assert torch.equal(guided.to(torch.bfloat16).half()(SCORES).unet, expected)
    assert guided.to("meta").get_parameter("unet.fuse.weight").device.type == "meta"


@pytest.mark.parametrize("kind", ["guided", "shared_block"])
def test_every_parameter_learns(kind):
    guided = conditioning(kind)
    correction = guided(SCORES)
    loss = correction.unet.square().sum() + correction.vae.square().sum()
    assert all(gradient.abs().sum() > 0 for gradient in torch.autograd.grad(loss, list(guided.parameters())))
