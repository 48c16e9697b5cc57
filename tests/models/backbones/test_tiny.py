"""The built-in small generator: its size, its cost, its start."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dgsr.models.generator import OneStepGenerator
from tests import tiny


@pytest.fixture(scope="module")
def generator():
    return OneStepGenerator.tiny(trainable="all")


def test_size(generator):
    assert sum(parameter.numel() for parameter in generator.parameters()) < 3_000_000


def test_blocks_are_counted_as_in_the_paper(generator):
    correction = generator.correction(tiny.scores())
    assert (correction.unet.shape[1], correction.vae.shape[1]) == (10, 6)
    assert generator.multiple == 64


@torch.no_grad()
def test_cost(generator):
    with FlopCounterMode(display=False) as counter:
        generator(tiny.images(1, 128, 128), tiny.scores(1), generator.prompts.positive)
    assert counter.get_total_flops() / 2 < 1.2e9


@torch.no_grad()
@pytest.mark.parametrize("prediction", ["v_prediction", "epsilon"])
def test_starts_as_a_copy_of_smooth_images(prediction):
    generator = OneStepGenerator.tiny(prediction=prediction)
    ramp = torch.linspace(-0.7, 0.7, 128)
    smooth = torch.stack([ramp.expand(128, 128), ramp[:, None].expand(128, 128), ramp.outer(ramp)])[None]
    sr = generator(smooth, tiny.scores(1), generator.prompts.positive)
    inside = (..., slice(24, 104), slice(24, 104))  # zero padding bends the border
    assert (sr - smooth)[inside].abs().mean() < 0.05


def test_weights_depend_on_the_seed_alone():
    before = torch.get_rng_state()
    first, again, other = (OneStepGenerator.tiny(seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    ours, theirs = first.state_dict(), again.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_every_weight_can_learn(generator):
    generator.zero_grad()
    for _ in range(3):  # what starts at zero holds back the gradients of what comes before it
        sr = generator(tiny.images(), tiny.scores(), generator.prompts.positive)
        (sr - 0.1).square().mean().backward()
        with torch.no_grad():
            for parameter in generator.parameters():
                parameter += 1e-3 * torch.randn(parameter.shape)
    assert not [name for name, parameter in generator.named_parameters() if parameter.grad.abs().sum() == 0]
