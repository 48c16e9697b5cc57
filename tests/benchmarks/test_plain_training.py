"""Test the plain training loop against the original program's gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file
from torch import nn

from benchmarks.plain_s3diff import PlainS3Diff
from benchmarks.plain_training import PlainTraining
from benchmarks.training_contestants import FreeJudge
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.options import NEGATIVE, POSITIVE

GOLDEN = Path(__file__).parents[1] / "golden"


def plain() -> tuple[PlainS3Diff, dict[str, torch.Tensor]]:
    golden = load_file(GOLDEN / "forward.safetensors")
    method = PlainS3Diff(
        UNet2DConditionModel.from_pretrained(GOLDEN / "tiny-sd" / "unet"),
        AutoencoderKL.from_pretrained(GOLDEN / "tiny-sd" / "vae"),
        torch.load(GOLDEN / "s3diff.pkl", weights_only=True),
        lambda text: golden["pos_embeds" if text == POSITIVE else "neg_embeds"],
    )
    return method, golden


def test_gradients_equal_original_program() -> None:
    method, golden = plain()
    expected = json.loads((GOLDEN / "gradients.json").read_text())
    trained = method.trained()

    sr = method.restore(golden["lq"], golden["scores"], [POSITIVE, NEGATIVE, POSITIVE])
    loss = 2 * (sr - load_file(GOLDEN / "target.safetensors")["gt"]).square().mean()
    gradients = torch.autograd.grad(loss, list(trained.values()))

    assert loss.item() == pytest.approx(expected["loss_l2_weighted_2"], abs=1e-5)
    assert sum(gradient.numel() for gradient in gradients) == expected["trainable"]
    norms = {name: gradient.norm().item() for name, gradient in zip(trained, gradients, strict=True)}
    # Sums that nearly cancel consist of rounding errors.
    assert norms == pytest.approx(expected["grad_norm_per_parameter"], rel=1e-3, abs=1e-9)


class Distance(nn.Module):
    def forward(self, sr: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (sr - target).abs().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("negative_prob", [0.0, 1.0])
def test_both_networks_are_stepped_twice(negative_prob: float, monkeypatch: pytest.MonkeyPatch) -> None:
    method, _ = plain()
    prompts: list[str] = []
    monkeypatch.setattr(method, "encode", _recording(prompts, method.encode))
    training = PlainTraining(method, DegradationEstimator.random(0), FreeJudge(), Distance(), negative_prob)
    losses = training.step({"hq": torch.rand(1, 3, 64, 64), "lq": torch.rand(1, 3, 16, 16), "seed": torch.arange(1)})
    assert prompts == [NEGATIVE if negative_prob else POSITIVE, POSITIVE]
    assert all(value > 0 for value in losses.values())
    for optimizer in (training.generators, training.judges):
        assert {int(state["step"]) for state in optimizer.state.values()} == {2}


def _recording(prompts: list[str], encode: Any) -> Any:
    return lambda text: (prompts.append(text), encode(text))[1]
