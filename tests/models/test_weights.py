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


@torch.no_grad()
@pytest.mark.parametrize("trainable", ["adapter", "all"])
def test_state_carries_over_what_training_changed(trainable):
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


def test_refuses_state_of_another_generator():
    with pytest.raises(UserError, match=r"conditioning\.unet\.fuse\.bias"):
        tiny.generator().load_trainable_state(tiny.generator(unet_rank=4).trainable_state())


def test_fingerprint_tells_backbones_apart_but_not_adapters():
    generator = tiny.generator()
    fingerprint = generator.fingerprint()
    assert tiny.generator(seed=5).fingerprint() == fingerprint
    assert tiny.generator(tiny.backbone("sample")).fingerprint() != fingerprint
    generator.get_parameter("vae.decoder.conv_out.bias").data += 1e-3
    assert generator.fingerprint() != fingerprint
