"""What is trained, saved, loaded and printed of a generator."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from tests import tiny


def trained(generator):
    return {name for name, parameter in generator.named_parameters() if parameter.requires_grad}


def test_the_adapter_is_lora_conditioning_and_conv_in():
    names = trained(tiny.generator())
    assert {"unet.conv_in.weight", "unet.conv_in.bias"} <= names
    rest = names - {"unet.conv_in.weight", "unet.conv_in.bias"}
    assert all(".lora_" in name or name.startswith("conditioning.") for name in rest)


def test_conv_in_can_stay_frozen():
    assert trained(tiny.generator()) - trained(tiny.generator(train_conv_in=False)) == {
        "unet.conv_in.weight",
        "unet.conv_in.bias",
    }


def test_all_is_every_parameter():
    generator = tiny.generator(trainable="all")
    assert trained(generator) == set(dict(generator.named_parameters()))
    generator.set_trainable("adapter")
    assert trained(generator) == trained(tiny.generator())


def test_with_decoder_is_the_adapter_and_the_decoder():
    added = trained(tiny.generator(trainable="with_decoder")) - trained(tiny.generator())
    vae = dict(tiny.generator().vae.named_parameters())
    assert added == {f"vae.{name}" for name in vae if name.startswith(("decoder.", "post_quant_conv."))}
    assert len(added) > 50


def test_with_decoder_the_fingerprint_covers_the_frozen_weights():
    generator = tiny.generator(trainable="with_decoder")
    before = generator.fingerprint()
    with torch.no_grad():
        generator.vae.decoder.conv_out.weight += 1
    assert generator.fingerprint() == before
    with torch.no_grad():
        generator.get_parameter("unet.conv_out.base_layer.weight").add_(1)
    assert generator.fingerprint() != before


@torch.no_grad()
@pytest.mark.parametrize("trainable", ["adapter", "with_decoder", "all"])
def test_state_transfers_trained_weights(trainable):
    source = tiny.generator(trainable=trainable)
    for parameter in source.parameters():
        if parameter.requires_grad:
            parameter += 0.1 * torch.randn(parameter.shape)
    target = tiny.generator(trainable=trainable, seed=5)
    arguments = (tiny.images(), tiny.scores(), source.prompts.positive)
    assert not torch.equal(target(*arguments), source(*arguments))
    target.load_trainable_state({name: tensor.clone() for name, tensor in source.trainable_state().items()})
    assert torch.equal(target(*arguments), source(*arguments))


def test_state_does_not_depend_on_switched_off_gradients():
    generator = tiny.generator()
    names, fingerprint = generator.trainable_state().keys(), generator.fingerprint()
    generator.requires_grad_(False)
    assert generator.trainable_state().keys() == names
    assert generator.fingerprint() == fingerprint


@torch.no_grad()
def test_two_generators_are_interpolated():
    mine, other = tiny.generator(trainable="with_decoder"), tiny.generator()
    for parameter in (*mine.parameters(), *other.parameters()):
        if parameter.requires_grad:
            parameter += 0.1 * torch.randn(parameter.shape)
    before = {name: tensor.clone() for name, tensor in mine.every_weight().items()}
    theirs = other.every_weight()
    mine.move_toward(other, 0.25)
    for name, tensor in mine.every_weight().items():
        torch.testing.assert_close(tensor, 0.75 * before[name] + 0.25 * theirs[name])
    moved = [name for name, tensor in mine.every_weight().items() if not torch.equal(tensor, before[name])]
    assert any(name.startswith("vae.decoder.") for name in moved)  # toward the one that the other left as it was
    mine.move_toward(other, 1.0)
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in mine.every_weight().items())


@torch.no_grad()
def test_different_networks_are_not_interpolated():
    mine, wider, elsewhere = tiny.generator(), tiny.generator(adapters=tiny.adapters(5, 4)), tiny.generator()
    elsewhere.get_parameter("unet.conv_out.base_layer.weight").add_(1)
    for other in (wider, elsewhere):
        with pytest.raises(UserError, match="two generators over the same frozen weights"):
            mine.move_toward(other, 0.5)


def test_refuses_state_of_another_generator():
    with pytest.raises(UserError, match=r"conditioning\.unet\.fuse\.bias"):
        tiny.generator().load_trainable_state(tiny.generator(adapters=tiny.adapters(4, 4)).trainable_state())


def test_the_fingerprint_depends_on_the_backbone_but_not_on_adapters():
    generator = tiny.generator()
    fingerprint = generator.fingerprint()
    assert tiny.generator(seed=5).fingerprint() == fingerprint
    assert tiny.generator(tiny.backbone("sample")).fingerprint() != fingerprint
    generator.get_parameter("vae.decoder.conv_out.bias").data += 1e-3
    assert generator.fingerprint() != fingerprint
