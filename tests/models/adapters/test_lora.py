"""Guided adapters against peft, against the formula, and under gradient checkpointing."""

from __future__ import annotations

import copy

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from dgsr.models.adapters.bank import CorrectionBank
from dgsr.models.adapters.lora import GuidedConv2d, GuidedLinear, bake, guided_layers, inject

RANK, ALPHA = 4, 8.0
ADAPTER = "default"
TARGETS = ["conv", "linear"]


class Network(nn.Module):
    """A strided convolution, then a linear layer on tokens."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.linear = nn.Linear(6, 5)

    def forward(self, x):
        return self.linear(self.conv(x).flatten(2).mT.tanh())


@pytest.fixture
def adapted():
    network = Network()
    bank = CorrectionBank()
    inject(network, bank, ADAPTER, TARGETS, RANK, ALPHA, {"conv": 0, "linear": 1}.__getitem__)
    for _, layer in guided_layers(network):
        nn.init.normal_(layer.lora_B[ADAPTER].weight)
    return network, bank


def test_identity_is_plain_peft(adapted):
    network, bank = adapted
    plain = Network()
    config = LoraConfig(r=RANK, lora_alpha=int(ALPHA), target_modules=TARGETS)
    inject_adapter_in_model(config, plain)
    plain.load_state_dict(network.state_dict())
    x = torch.randn(3, 3, 8, 8)
    with bank.using({ADAPTER: torch.eye(RANK).expand(3, 2, RANK, RANK)}):
        torch.testing.assert_close(network(x), plain(x))


def test_formula_sample_by_sample(adapted):
    network, bank = adapted
    layer = network.linear
    x, matrices = torch.randn(3, 7, 6), torch.randn(3, 2, RANK, RANK)
    with bank.using({ADAPTER: matrices}):
        ours = layer(x)
    for sample in range(3):
        a, b, c = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight, matrices[sample, 1]
        weight = layer.base_layer.weight + ALPHA / RANK * b @ c.T @ a
        torch.testing.assert_close(ours[sample], x[sample] @ weight.T + layer.base_layer.bias)


def test_two_adapters_add_up_on_the_layers_that_have_both(adapted):
    network, bank = adapted
    inject(network, bank, "second", ["linear"], 2, 3.0, {"conv": 0, "linear": 1}.__getitem__)
    layer = network.linear
    nn.init.normal_(layer.lora_B["second"].weight)
    assert set(network.conv.lora_A) == {ADAPTER}
    x, first, second = torch.randn(3, 7, 6), torch.randn(3, 2, RANK, RANK), torch.randn(3, 2, 2, 2)
    with bank.using({ADAPTER: first, "second": second}):
        ours = layer(x)
    expected = layer.base_layer(x)
    for name, c, scale in ((ADAPTER, first, ALPHA / RANK), ("second", second, 1.5)):
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        expected = expected + scale * x @ a.T @ c[:, 1] @ b.T
    torch.testing.assert_close(ours, expected)
    with bank.using({ADAPTER: first[:1], "second": second[:1]}):
        plain = layer(x[:1])
        with bake(network, bank):
            torch.testing.assert_close(layer(x[:1]), plain)


def test_one_correction_serves_a_batch(adapted):
    network, bank = adapted
    x, matrices = torch.randn(3, 3, 8, 8), torch.randn(1, 2, RANK, RANK)
    with bank.using({ADAPTER: matrices}):
        shared = network(x)
    with bank.using({ADAPTER: matrices.expand(3, -1, -1, -1)}):
        torch.testing.assert_close(network(x), shared)


def test_layers_hold_bank_and_block_id(adapted):
    network, bank = adapted
    layers = dict(guided_layers(network))
    assert isinstance(layers["conv"], GuidedConv2d)
    assert isinstance(layers["linear"], GuidedLinear)
    assert [layer.block_id for layer in layers.values()] == [0, 1]
    assert all(layer.bank is bank for layer in layers.values())


def test_a_copy_has_its_own_bank(adapted):
    network, bank = adapted
    layers = [layer for _, layer in guided_layers(copy.deepcopy(network))]
    assert layers[0].bank is layers[1].bank
    assert layers[0].bank is not bank


def test_a_missing_correction_is_an_error(adapted):
    network, _ = adapted
    with pytest.raises(AssertionError, match="no correction of adapter default"):
        network(torch.randn(1, 3, 8, 8))


def test_merging_is_refused(adapted):
    network, _ = adapted
    with pytest.raises(NotImplementedError, match="baked"):
        network.conv.merge()


def test_two_forwards_before_one_backward_under_checkpointing(adapted):
    network, bank = adapted
    inputs, corrections = torch.randn(2, 3, 3, 8, 8), torch.randn(2, 3, 2, RANK, RANK, requires_grad=True)

    def gradients(run):
        network.zero_grad()
        losses = []
        for x, matrices in zip(inputs, corrections, strict=True):
            with bank.using({ADAPTER: matrices}):
                losses.append(run(x).square().mean())
        loss = torch.stack(losses).sum()
        (correction_gradients,) = torch.autograd.grad(loss, corrections, retain_graph=True)
        loss.backward(inputs=[p for p in network.parameters() if p.requires_grad])
        return [correction_gradients, *(p.grad.clone() for p in network.parameters() if p.requires_grad)]

    exact, recomputed = gradients(network), gradients(lambda x: bank.checkpoint(network, x))
    for ours, theirs in zip(recomputed, exact, strict=True):
        assert torch.equal(ours, theirs)


def test_a_tiny_correction_survives_half_precision(adapted):
    network, bank = adapted
    x, matrices = torch.randn(2, 6, 6), torch.full((2, 2, RANK, RANK), 1e-7)
    nn.init.constant_(network.linear.lora_B[ADAPTER].weight, 1e4)
    with bank.using({ADAPTER: matrices}), torch.autocast("cpu", torch.float16):
        corrected = network.linear(x)
    with bank.using({ADAPTER: matrices}):
        exact = network.linear(x)
    assert corrected.dtype == torch.float16
    torch.testing.assert_close(corrected.float(), exact, atol=1e-2, rtol=1e-2)


@torch.no_grad()
def test_baked_weights_give_the_same_and_are_restored(adapted):
    network, bank = adapted
    x, matrices = torch.randn(3, 3, 8, 8), torch.randn(1, 2, RANK, RANK)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with bank.using({ADAPTER: matrices}):
        expected = network(x)
        with bake(network, bank):
            assert not torch.equal(network.conv.base_layer.weight, before["conv.base_layer.weight"])
            torch.testing.assert_close(network(x), expected)
        assert torch.equal(network(x), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_baked_weights_are_restored_after_an_error(adapted):
    network, bank = adapted
    before = network.conv.base_layer.weight.clone()
    with pytest.raises(KeyError), bank.using({ADAPTER: torch.randn(1, 2, RANK, RANK)}), bake(network, bank):
        raise KeyError
    assert torch.equal(network.conv.base_layer.weight, before)
    assert not bank.baked
