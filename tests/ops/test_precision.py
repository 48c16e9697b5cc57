"""Test the control of precision, and the parts that must stay in full precision."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.models.backbones.denoising import clean_latent
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.precision import computing_in, exactly, expect_computable, in_full, never_fp16

CPU = torch.device("cpu")


def _dtype_of_a_product() -> torch.dtype:
    return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


def test_blocks_disable_autocast() -> None:
    for half, inside in [(torch.float16, torch.float32), (torch.bfloat16, torch.bfloat16)]:
        with torch.autocast("cpu", half):
            with in_full(CPU):
                assert _dtype_of_a_product() == torch.float32
            with never_fp16(CPU):
                assert _dtype_of_a_product() == inside
            assert _dtype_of_a_product() == half
    with never_fp16(CPU):
        assert _dtype_of_a_product() == torch.float32


def test_computing_in_overrides_surrounding_autocast() -> None:
    with torch.autocast("cpu", torch.float16):
        with computing_in("fp32", CPU):
            assert _dtype_of_a_product() == torch.float32
        with computing_in("bf16", CPU):
            assert _dtype_of_a_product() == torch.bfloat16


def test_fp16_is_refused_on_cpu() -> None:
    expect_computable("fp16", torch.device("cuda"))
    with pytest.raises(UserError, match=r"among fp32, bf16 on cpu, but got fp16\. Use bf16"):
        expect_computable("fp16", CPU)


def test_exactly_also_disables_tf32() -> None:
    before = torch.backends.cudnn.allow_tf32
    with torch.autocast("cpu", torch.bfloat16), exactly(CPU):
        assert not torch.backends.cudnn.allow_tf32
        assert _dtype_of_a_product() == torch.float32
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_scores_and_correction_do_not_depend_on_autocast(half: torch.dtype) -> None:
    estimator, generator, lq = DegradationEstimator.random(0), OneStepGenerator.tiny(), torch.rand(2, 3, 16, 16)
    scores = estimator(lq)
    correction = generator.correction(scores)
    with torch.autocast("cpu", half):
        assert torch.equal(estimator(lq), scores)
        ours = generator.correction(estimator(lq))
    assert torch.equal(ours.unet, correction.unet)
    assert torch.equal(ours.vae, correction.vae)


def test_autoencoder_activations_beyond_the_range_of_fp16_stay_finite() -> None:
    generator = OneStepGenerator.tiny(trainable="all")
    generator.vae.decoder.conv_in.weight.data.mul_(1e6)  # the following normalisation reverts it
    lq_up, scores = torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 2)
    with torch.autocast("cpu", torch.float16):
        sr = generator(lq_up, scores, generator.prompts.positive)
        sr.square().mean().backward()
    assert sr.isfinite().all()
    assert all(p.grad.isfinite().all() for p in generator.vae.parameters() if p.grad is not None)


def test_clean_latent_is_computed_in_full_precision() -> None:
    latent, predicted = torch.randn(2, 1, 4, 8, 8).to(torch.bfloat16)
    exact = clean_latent(latent.double(), predicted.double(), 0.0047, "epsilon")
    ours = clean_latent(latent, predicted, 0.0047, "epsilon")
    assert ours.dtype == torch.bfloat16
    assert torch.equal(ours, exact.to(torch.bfloat16))
