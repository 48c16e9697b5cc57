"""Networks are written in half precision, as readable as their config."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from dgsr.models import OneStepGenerator
from dgsr.models.backbones.saving import save_half


def test_networks_of_diffusers_are_written_in_half_and_readable(tmp_path: Path) -> None:
    vae = OneStepGenerator.tiny().vae
    before = next(vae.parameters()).dtype
    save_half(vae, tmp_path / "vae")
    (weights,) = tmp_path.glob("vae/*.safetensors")
    assert {tensor.dtype for tensor in load_file(weights).values()} == {torch.float16}
    assert weights.stat().st_mode == (tmp_path / "vae" / "config.json").stat().st_mode
    assert next(vae.parameters()).dtype == before
