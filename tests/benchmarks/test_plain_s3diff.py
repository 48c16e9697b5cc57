"""Test the plain implementation against the original program's values."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file

from benchmarks.plain_s3diff import PlainS3Diff
from dgsr.models.options import POSITIVE

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize(("guidance", "expected"), [(1.07, "out_cfg_1_07"), (1.0, "out_pos")])
def test_equals_original_program(guidance: float, expected: str) -> None:
    golden = load_file(GOLDEN / "forward.safetensors")
    encoded = []

    def encode(text: str) -> torch.Tensor:
        encoded.append(text)
        return golden["pos_embeds" if text == POSITIVE else "neg_embeds"]

    plain = PlainS3Diff(
        UNet2DConditionModel.from_pretrained(GOLDEN / "tiny-sd" / "unet"),
        AutoencoderKL.from_pretrained(GOLDEN / "tiny-sd" / "vae"),
        torch.load(GOLDEN / "s3diff.pkl", weights_only=True),
        encode,
    )
    torch.testing.assert_close(plain(golden["lq"], golden["scores"], guidance), golden[expected], rtol=0, atol=1e-4)
    assert len(encoded) == 2 * len(golden["lq"])
