"""Model cards name the backbone on the hub, and no path of this machine."""

from __future__ import annotations

from dgsr.checkpoints.card import model_card
from dgsr.models.options import GeneratorOptions


def test_a_backbone_on_the_hub_is_linked():
    card = model_card(GeneratorOptions(), "stabilityai/sd-turbo", 4, 1.07)
    assert "base_model: stabilityai/sd-turbo\n" in card
    assert "| ranks | UNet 32, VAE encoder 16 |" in card


def test_a_folder_is_named_without_its_path():
    card = model_card(GeneratorOptions(), "/home/me/models/my-sd", 4, 1.07)
    assert "base_model" not in card
    assert "| backbone | my-sd |" in card
    assert "/home" not in card
