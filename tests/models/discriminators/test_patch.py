"""The patch discriminator: levels, sensitivity, seeds, gradients."""

from __future__ import annotations

import torch

from dgsr.models.discriminators import PatchDiscriminator

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_one_map_of_logits_per_scale():
    logits = PatchDiscriminator(num_scales=3, width=8)(IMAGES)
    assert [tuple(level.shape[:2]) for level in logits] == [(2, 1)] * 3
    assert logits[0].shape[-1] > logits[1].shape[-1] > logits[2].shape[-1]


def test_a_change_affects_only_overlapping_patches():
    discriminator = PatchDiscriminator(num_scales=1, width=8, num_layers=2).eval()
    changed = IMAGES.clone()
    changed[:, :, :8, :8] = 0
    difference = (discriminator(changed)[0] - discriminator(IMAGES)[0]).abs()
    assert difference[..., 0, 0].min() > 0
    assert difference[..., -1, -1].max() == 0


def test_weights_depend_on_the_seed_alone():
    before = torch.get_rng_state()
    first, again, other = (PatchDiscriminator(width=8, seed=seed).eval()(IMAGES)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_spectral_norm_bounds_every_layer():
    discriminator = PatchDiscriminator(num_scales=1, width=8)
    for _ in range(20):
        discriminator(IMAGES)
    for name, module in discriminator.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(module.weight.flatten(1), 2) < 1.1, name


def test_real_and_fake_before_one_backward():
    discriminator = PatchDiscriminator(width=8)
    real, fake = discriminator(IMAGES), discriminator(-IMAGES)
    loss = torch.stack([level.mean() for level in (*real, *fake)]).sum()
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(loss, list(discriminator.parameters())))
