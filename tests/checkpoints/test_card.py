"""Model cards name the backbone on the hub, and no path of this machine; their examples run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checkpoints import save_pretrained
from dgsr.checkpoints.card import model_card
from dgsr.images import read_image, write_image
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import GeneratorOptions


def test_a_backbone_on_the_hub_is_linked():
    card = model_card(GeneratorOptions(), "stabilityai/sd-turbo", 4, 1.07, whole=True)
    assert "base_model: stabilityai/sd-turbo\n" in card
    assert "| adapter main | guided, rank 32 in the UNet, 16 in the VAE encoder |" in card


def test_a_folder_is_named_without_its_path():
    card = model_card(GeneratorOptions(), "/home/me/models/my-sd", 4, 1.07, whole=True)
    assert "base_model" not in card
    assert "| backbone | my-sd |" in card
    assert "/home" not in card


@pytest.mark.parametrize("whole", [True, False])
def test_its_example_upscales(whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = DegradationEstimator.random(0)
    save_pretrained(OneStepGenerator.tiny(), tmp_path / "model", estimator=estimator if whole else None, scale=2)
    estimator.save(tmp_path / "estimator.safetensors")
    write_image(tmp_path / "photo.jpg", torch.rand(3, 8, 12))
    monkeypatch.chdir(tmp_path)
    code = (tmp_path / "model" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    code = code.replace("path/to/this/folder", "model").replace("path/to/its/estimator", "estimator.safetensors")
    names: dict[str, object] = {}
    exec(code, names)
    if not whole:
        write_image("photo_sr.png", names["upscaler"](read_image("photo.jpg")))  # pyright: ignore[reportCallIssue]
    assert read_image("photo_sr.png").shape == (3, 16, 24)
