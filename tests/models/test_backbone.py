"""Backbones from folders, and the refusals of what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.models.backbone import load_backbone, outline_backbone
from tests import tiny

FOLDER = Path(__file__).parents[1] / "golden" / "tiny-sd"


def test_a_diffusers_folder():
    backbone = load_backbone(FOLDER)
    assert backbone.prediction == "epsilon"
    assert backbone.source == str(FOLDER)
    assert sum(parameter.numel() for parameter in backbone.unet.parameters()) > 100_000


def test_an_outline_has_the_shapes_but_no_weights():
    outline, backbone = outline_backbone(FOLDER), load_backbone(FOLDER)
    assert outline.architecture() == backbone.architecture()
    for theirs, ours in ((backbone.unet, outline.unet), (backbone.vae, outline.vae)):
        shapes = [{name: p.shape for name, p in network.named_parameters()} for network in (theirs, ours)]
        assert shapes[0] == shapes[1]
        assert all(parameter.is_meta for parameter in ours.parameters())


def test_alpha_bar_by_hand():
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    expected = torch.prod(1 - betas).item()
    assert load_backbone(FOLDER).alpha_bar(999) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("timestep", [-1, 1000])
def test_refuses_a_timestep_outside_the_schedule(timestep):
    with pytest.raises(UserError, match=r"generator\.timestep"):
        tiny.backbone().alpha_bar(timestep)


def test_refuses_to_divide_by_no_signal():
    backbone = tiny.backbone("epsilon")
    backbone.scheduler.alphas_cumprod[999] = 0
    with pytest.raises(UserError, match="signal"):
        backbone.alpha_bar(999)


def test_refuses_a_missing_folder():
    with pytest.raises(UserError, match=r"generator\.path"):
        load_backbone("./no/such/folder")


def test_refuses_a_folder_without_networks(tmp_path):
    with pytest.raises(UserError, match="unet, vae and scheduler"):
        load_backbone(tmp_path)


def test_refuses_a_hub_that_cannot_be_reached():
    with pytest.raises(UserError, match=r"cache does not hold.*doctor --fetch .*=nobody/nothing.*path=FOLDER"):
        load_backbone("nobody/nothing")


def test_the_architecture_does_not_depend_on_where_it_came_from(tmp_path):
    backbone = load_backbone(FOLDER)
    backbone.unet.save_pretrained(tmp_path / "unet")
    backbone.vae.save_pretrained(tmp_path / "vae")
    backbone.scheduler.save_pretrained(tmp_path / "scheduler")
    assert load_backbone(tmp_path).architecture() == backbone.architecture()
