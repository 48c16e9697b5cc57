"""LoRA layers whose middle is a correction matrix: y = W x + s·B Cᵀ A x, with C of the sample and the layer's block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Conv2d, Linear
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dgsr.ops.precision import in_full
from dgsr.types import BlockMatrices

ADAPTER = "default"

#: Layers of the UNet that get an adapter, by the end of their name.
UNET_TARGETS = {
    "paper": [
        *("to_k", "to_q", "to_v", "to_out.0", "conv", "conv1", "conv2", "conv_shortcut", "conv_out"),
        *("proj_in", "proj_out", "ff.net.2", "ff.net.0.proj"),
    ],
    "attention": ["to_k", "to_q", "to_v", "to_out.0"],
}

#: Layers of the VAE that get an adapter, as an expression for the whole name; the paper adapts the encoder alone.
VAE_TARGETS = {
    "paper": r"^encoder\..*(conv1|conv2|conv_in|conv_shortcut|conv|conv_out|to_k|to_q|to_v|to_out\.0)$",
    "attention": r"^encoder\..*(to_k|to_q|to_v|to_out\.0)$",
}


class CorrectionBank:
    """Hold the matrices that the layers of one network read during a forward pass."""

    def __init__(self) -> None:
        self.value: Tensor | None = None
        self.baked = False

    @contextmanager
    def using(self, matrices: BlockMatrices | None) -> Iterator[None]:
        """Let the layers read these matrices inside the block."""
        before, self.value = self.value, matrices
        try:
            yield
        finally:
            self.value = before

    def checkpoint(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run under gradient checkpointing, so that the recomputation reads the matrices of this forward pass.

        By the time of the backward pass the bank is empty or holds those of another forward pass.
        """
        matrices = self.value

        def replay(*args: Any) -> Any:
            with self.using(matrices):
                return function(*args)

        return checkpoint(replay, *args, use_reentrant=False)


class _Guided:
    """What both kinds of layer share: their place in the bank, and B Cᵀ."""

    bank: CorrectionBank
    block_id: int
    base_layer: Any
    lora_A: Any  # noqa: N815 (peft's name)
    lora_B: Any  # noqa: N815 (peft's name)
    scaling: dict[str, float]

    def merge(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the correction differs between samples, so no single weight equals this layer."""
        raise NotImplementedError("A guided adapter cannot be merged; fix its correction with generator.baked().")

    def _corrected_b(self, b: Tensor) -> Tensor:
        """Return s·B Cᵀ of every sample, at least in fp32: C may be far below what half precision resolves."""
        assert self.bank.value is not None, "no correction is set for this forward pass"
        with in_full(b.device):
            matrices = self.bank.value[:, self.block_id]
            exact = torch.promote_types(b.dtype, matrices.dtype)
            return self.scaling[ADAPTER] * (b.to(exact) @ matrices.mT.to(exact))

    @torch.no_grad()
    def folded_weight(self) -> Tensor:
        """Return W + s·B Cᵀ A, for a bank that holds the matrices of one sample."""
        weight, a = self.base_layer.weight, self.lora_A[ADAPTER].weight
        up = self._corrected_b(self.lora_B[ADAPTER].weight.flatten(1))[0]
        return weight + (up @ a.flatten(1).to(up.dtype)).view_as(weight).to(weight.dtype)


class GuidedLinear(_Guided, Linear):
    """A linear layer with a guided adapter."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return W x + s·B Cᵀ A x."""
        plain = self.base_layer(x)
        if self.bank.baked:
            return plain
        down = self.lora_A[ADAPTER](x)
        up = self._corrected_b(self.lora_B[ADAPTER].weight).to(down.dtype)
        return torch.baddbmm(plain, down, up.mT.expand(len(x), -1, -1))


class GuidedConv2d(_Guided, Conv2d):
    """A convolution with a guided adapter: A carries the kernel, C and B mix channels."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return W x + s·B Cᵀ A x."""
        plain = self.base_layer(x)
        if self.bank.baked:
            return plain
        down = self.lora_A[ADAPTER](x)
        up = self._corrected_b(self.lora_B[ADAPTER].weight.flatten(1)).to(down.dtype)
        return torch.baddbmm(plain.flatten(2), up.expand(len(x), -1, -1), down.flatten(2)).view_as(plain)


def inject(
    network: nn.Module, targets: str | Sequence[str], rank: int, alpha: float, block_id: Callable[[str], int]
) -> CorrectionBank:
    """Put guided adapters into a network, in place, and freeze the rest of it.

    Args:
        network: What to adapt.
        targets: An expression for whole names, or ends of names.
        rank: Rank r of every adapter.
        alpha: The scale is alpha / r.
        block_id: From a layer's name to the index of its matrix; asked once per layer, here.

    Returns:
        The bank that all adapters of the network read.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # pyright: ignore[reportArgumentType]
        target_modules=targets if isinstance(targets, str) else list(targets),
        init_lora_weights="gaussian",
    )
    config._register_custom_module({nn.Linear: GuidedLinear, nn.Conv2d: GuidedConv2d})
    inject_adapter_in_model(config, network, adapter_name=ADAPTER)
    bank = CorrectionBank()
    for name, layer in guided_layers(network):
        layer.bank, layer.block_id = bank, block_id(name)
    return bank


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
