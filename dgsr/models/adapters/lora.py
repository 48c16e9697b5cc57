"""LoRA layers with correction matrices in the middle: y = W x + Σ s·B Cᵀ A x, with C of the sample and the block."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Conv2d, Linear
from torch import Tensor, nn

from dgsr.models.adapters.bank import CorrectionBank
from dgsr.ops.precision import in_full


class _Guided:
    """What both kinds of layer share: the bank, the block id, and s·B Cᵀ of each adapter."""

    bank: CorrectionBank
    block_id: int
    base_layer: Any
    lora_A: Any  # noqa: N815 (peft's name)
    lora_B: Any  # noqa: N815 (peft's name)
    scaling: dict[str, float]

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return W x + Σ s·B Cᵀ A x."""
        y = self.base_layer(x)
        if self.bank.baked:
            return y
        for adapter, layer in self.lora_A.items():
            down = layer(x)
            y = self._added(y, self._corrected_b(adapter).to(down.dtype), down)
        return y

    def _added(self, y: Tensor, up: Tensor, down: Tensor) -> Tensor:
        """Add one adapter's contribution, s·B Cᵀ times A x, to the output."""
        raise NotImplementedError

    def merge(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the correction differs between samples, so no single weight equals this layer."""
        raise NotImplementedError("A guided adapter cannot be merged; fix its correction with generator.baked().")

    def _corrected_b(self, adapter: str) -> Tensor:
        """Return s·B Cᵀ of every sample, at least in fp32: C may be far below what half precision resolves."""
        assert adapter in self.bank.matrices, f"no correction of adapter {adapter} is set for this forward pass"
        b = self.lora_B[adapter].weight.flatten(1)
        with in_full(b.device):
            matrices = self.bank.matrices[adapter][:, self.block_id]
            exact = torch.promote_types(b.dtype, matrices.dtype)
            return self.scaling[adapter] * (b.to(exact) @ matrices.mT.to(exact))

    @torch.no_grad()
    def folded_weight(self) -> Tensor:
        """Return W + Σ s·B Cᵀ A, for a bank that holds the matrices of one sample."""
        weight = self.base_layer.weight
        for adapter, layer in self.lora_A.items():
            up, a = self._corrected_b(adapter)[0], layer.weight.flatten(1)
            weight = weight + (up @ a.to(up.dtype)).view_as(weight).to(weight.dtype)
        return weight


class GuidedLinear(_Guided, Linear):
    """A linear layer with guided adapters."""

    def _added(self, y: Tensor, up: Tensor, down: Tensor) -> Tensor:
        return torch.baddbmm(y, down, up.mT.expand(len(y), -1, -1))


class GuidedConv2d(_Guided, Conv2d):
    """A convolution with guided adapters: A carries the kernel, C and B mix channels."""

    def _added(self, y: Tensor, up: Tensor, down: Tensor) -> Tensor:
        return torch.baddbmm(y.flatten(2), up.expand(len(y), -1, -1), down.flatten(2)).view_as(y)


def inject(
    network: nn.Module,
    bank: CorrectionBank,
    adapter: str,
    targets: str | Sequence[str],
    rank: int,
    alpha: float,
    block_id: Callable[[str], int],
) -> None:
    """Add a guided adapter to the layers of a network, in place, and freeze the rest of it.

    Args:
        network: The network to adapt; its layers may have other adapters.
        bank: Where its layers read the correction matrices from.
        adapter: Name of the adapter in the weights' names.
        targets: A regular expression for whole names, or ends of names.
        rank: Rank r of every layer's A and B.
        alpha: The scale s is alpha / r.
        block_id: From a layer's name to the index of its matrix.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # pyright: ignore[reportArgumentType]
        target_modules=targets if isinstance(targets, str) else list(targets),
        init_lora_weights="gaussian",
    )
    config._register_custom_module({nn.Linear: GuidedLinear, nn.Conv2d: GuidedConv2d})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # of another of our adapters
        inject_adapter_in_model(config, network, adapter_name=adapter)
    for name, layer in guided_layers(network):
        layer.bank, layer.block_id = bank, block_id(name)


@contextmanager
def bake(network: nn.Module, bank: CorrectionBank) -> Iterator[None]:
    """Fold the adapters into the weights inside the block, with the matrices of one sample that the bank holds."""
    plain = [(layer.base_layer.weight, layer.base_layer.weight.data) for _, layer in guided_layers(network)]
    try:
        for _, layer in guided_layers(network):
            layer.base_layer.weight.data = layer.folded_weight()
        bank.baked = True
        yield
    finally:
        bank.baked = False
        for weight, data in plain:
            weight.data = data


def guided_layers(network: nn.Module) -> Iterator[tuple[str, GuidedLinear | GuidedConv2d]]:
    """Walk over the adapted layers of a network, with their names."""
    for name, layer in network.named_modules():
        if isinstance(layer, GuidedLinear | GuidedConv2d):
            yield name, layer
