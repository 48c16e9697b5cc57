"""Exported generators: what comes back is what went in, and nothing else is accepted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dgsr.checkpoints.pretrained import (
    CARD,
    DESCRIPTION,
    WEIGHTS,
    describe,
    load_estimator,
    load_pretrained,
    save_pretrained,
)
from dgsr.checkpoints.s3diff import load_s3diff
from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from tests import tiny

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def adapter():
    return load_s3diff(GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd")


@pytest.fixture
def folder(adapter, tmp_path):
    save_pretrained(adapter, tmp_path / "export", scale=4, guidance=1.2)
    return tmp_path / "export"


@torch.no_grad()
def restored(generator):
    prompts = generator.prompts
    return generator(tiny.images(), tiny.scores(), prompts.positive, prompts.negative, guidance=1.07)


def test_an_adapter_survives_export(adapter, folder):
    again = load_pretrained(folder)
    assert torch.equal(restored(again), restored(adapter))
    assert again.fingerprint() == adapter.fingerprint()
    assert again.prompts.texts == adapter.prompts.texts


def test_an_adapter_leaves_the_backbone_out(adapter, folder):
    assert load_file(folder / WEIGHTS).keys() == adapter.trainable_state().keys()


@torch.no_grad()
def test_only_a_trained_decoder_is_exported_with_the_adapter(tmp_path):
    generator = OneStepGenerator.from_backbone(
        GOLDEN / "tiny-sd", adapters=tiny.adapters(4, 4), trainable="with_decoder"
    )
    generator.get_parameter("vae.decoder.conv_out.bias").add_(0.1)
    save_pretrained(generator, tmp_path)
    again = load_pretrained(tmp_path)
    assert again.trainable == "with_decoder"
    assert torch.equal(restored(again), restored(generator))
    assert "unet.conv_out.base_layer.weight" not in load_file(tmp_path / WEIGHTS)
    assert "the adapter and the VAE's decoder" in (tmp_path / CARD).read_text()


def test_fully_trained_networks_load_without_a_backbone(tmp_path):
    generator = OneStepGenerator.tiny(trainable="all", seed=3)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter += 0.01 * torch.randn(parameter.shape)
    save_pretrained(generator, tmp_path)
    assert torch.equal(restored(load_pretrained(tmp_path)), restored(generator))


def test_an_adapter_over_networks_that_lie_nowhere_comes_back_with_them(tmp_path):
    generator = OneStepGenerator.tiny(trainable="adapter", seed=3)
    save_pretrained(generator, tmp_path)
    again = load_pretrained(tmp_path)
    assert again.trainable == "adapter"
    assert again.fingerprint() == generator.fingerprint()
    assert torch.equal(restored(again), restored(generator))


def test_frozen_weights_may_be_written_in_half(tmp_path):
    generator = OneStepGenerator.tiny(trainable="adapter", seed=3)
    save_pretrained(generator, tmp_path, half=True)
    torch.testing.assert_close(restored(load_pretrained(tmp_path)), restored(generator), atol=0.05, rtol=0)


def test_memory_saving_options_of_training_are_not_exported(tmp_path):
    economical = {"compile": "blocks", "gradient_checkpointing": True, "slice_decoder": True}
    save_pretrained(OneStepGenerator.tiny(**economical), tmp_path)
    options = load_pretrained(tmp_path).options
    assert (options.compile, options.gradient_checkpointing, options.slice_decoder) == ("none", False, False)


def test_the_estimator_goes_along(adapter, tmp_path):
    estimator = DegradationEstimator.random(5, channels=(8, 8, 8, 16), blocks=(2, 1, 1, 2))
    save_pretrained(adapter, tmp_path, estimator=estimator)
    again = load_estimator(tmp_path)
    assert again is not None
    image = torch.rand(1, 3, 24, 32)
    assert torch.equal(again(image), estimator(image))


def test_without_an_estimator_there_is_none(folder):
    assert load_estimator(folder) is None


def test_the_description_tells_how_to_use_it(folder):
    assert describe(folder)["inference"] == {"scale": 4, "guidance": 1.2}
    assert "guidance | 1.2" in (folder / "README.md").read_text()


def test_refuses_another_backbone(adapter, folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(GOLDEN / "tiny-sd", other)
    weights = other / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 1.1 for name, tensor in load_file(weights).items()}, weights)
    with pytest.raises(UserError, match="trained on"):
        load_pretrained(folder, backbone=other)


def test_a_backbone_that_moved_can_be_named(adapter, folder, tmp_path):
    shutil.copytree(GOLDEN / "tiny-sd", tmp_path / "moved")
    assert torch.equal(restored(load_pretrained(folder, backbone=tmp_path / "moved")), restored(adapter))


def test_refuses_what_is_not_safetensors(folder):
    torch.save({"weights": torch.zeros(1)}, folder / WEIGHTS)
    with pytest.raises(UserError, match="safetensors"):
        load_pretrained(folder)


def test_refuses_a_folder_without_an_export(tmp_path):
    with pytest.raises(UserError, match=DESCRIPTION):
        load_pretrained(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"format": 99}), json.dumps({"format": 1})])
def test_refuses_descriptions_it_cannot_read(folder, content):
    (folder / DESCRIPTION).write_text(content)
    with pytest.raises(UserError, match="again"):
        load_pretrained(folder)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("options", {"width": 3}),
        ("options", {"unet_rank": "x"}),
        ("estimator", {"width": 3}),
        ("backbone", {}),
        ("inference", 3),
        ("architecture", {"unet": {}}),
    ],
)
def test_refuses_descriptions_with_a_damaged_part(adapter, tmp_path, part, found):
    save_pretrained(adapter, tmp_path, estimator=DegradationEstimator.random(0, channels=(8, 8, 8, 8)))
    description = describe(tmp_path)
    (tmp_path / DESCRIPTION).write_text(json.dumps(description | {part: found}))
    load = load_estimator if part == "estimator" else load_pretrained
    with pytest.raises(UserError, match=r"^Expected .*\.$"):
        load(tmp_path)
