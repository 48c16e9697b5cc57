"""Let the tiles of an image share what a network's layers gather from all of it: group statistics and attended tokens.

A group normalisation that looks at one tile makes that tile as bright and as contrasted as every other, so neighbours
differ. Here the layers read what a sample of tiles has in common, and so does attention.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from dgsr.ops.tiling import Tile

# Statistics of a layer follow those of the layers before it, so they settle over some rounds.
_ROUNDS, _SETTLED = 8, 0.001


class SharedLayers:
    """Statistics and tokens of a whole image, gathered from its tiles, for the layers of one network.

    Args:
        network: Its group normalisations and the attention among pixels are replaced inside `installed`.
    """

    def __init__(self, network: nn.Module):
        self._norms = [module for module in network.modules() if isinstance(module, nn.GroupNorm)]
        self._attentions = [
            module for module in network.modules() if isinstance(module, Attention) and module.group_norm is not None
        ]
        self._moments: dict[nn.Module, dict[Tile, Tensor]] = {norm: {} for norm in self._norms}
        self._tokens: dict[nn.Module, dict[Tile, tuple[Tensor, Tensor]]] = {layer: {} for layer in self._attentions}
        self._tile: Tile | None = None
        self._gathering = True

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the layers use the shared values inside the block."""
        processors = [layer.processor for layer in self._attentions]
        try:
            for norm in self._norms:
                norm.forward = partial(self._normalise, norm)  # pyright: ignore[reportAttributeAccessIssue]
            for layer in self._attentions:
                layer.set_processor(_Processor(self._attend))  # pyright: ignore[reportArgumentType]
            yield
        finally:
            for norm in self._norms:
                del norm.forward
            for layer, processor in zip(self._attentions, processors, strict=True):
                layer.set_processor(processor)  # pyright: ignore[reportArgumentType]

    def settle(self, tiles: Sequence[Tile], run: Callable[[Tile], object]) -> None:
        """Gather statistics from these tiles until they converge, then fix them.

        Args:
            tiles: A sample of the image's tiles, or all.
            run: Puts a tile through the network.
        """
        before = None
        for _ in range(_ROUNDS):
            for tile in tiles:
                self.run(tile, run)
            pools = [self._pooled(norm) for norm in self._norms if self._moments[norm]]
            if before is not None and max(map(_moved, before, pools)) < _SETTLED:
                break
            before = pools
        self._gathering = False

    def run(self, tile: Tile, run: Callable[[Tile], Any]) -> Any:
        """Put one tile through the network."""
        self._tile = tile
        return run(tile)

    def _normalise(self, norm: nn.GroupNorm, x: Tensor) -> Tensor:
        """Normalise by the pooled statistics, in which every pixel of the sampled tiles counts once."""
        if self._gathering:
            assert self._tile is not None
            core = self._core(x).reshape(len(x), norm.num_groups, -1)
            variance, mean = torch.var_mean(core.float(), dim=2, correction=0)
            powers = torch.stack([torch.ones_like(mean), mean, variance + mean**2]).double()
            self._moments[norm][self._tile] = core.shape[2] * powers
        mean, deviation = self._pooled(norm)
        width = norm.num_channels // norm.num_groups
        scale = norm.weight / deviation.repeat_interleave(width, dim=1)
        shift = norm.bias - mean.repeat_interleave(width, dim=1) * scale
        return (x * scale[..., None, None].to(x)).add_(shift[..., None, None].to(x))

    def _pooled(self, norm: nn.GroupNorm) -> tuple[Tensor, Tensor]:
        """Return mean and deviation of every sample and group."""
        count, first, second = torch.stack(list(self._moments[norm].values())).sum(dim=0)
        mean = first / count
        return mean.float(), (second / count - mean**2 + norm.eps).sqrt().float()

    def _attend(self, layer: Any, x: Tensor) -> Tensor:
        """Let the pixels of a tile attend to its core and to the cores of the sampled tiles."""
        assert self._tile is not None
        normed = layer.group_norm(x)
        tokens, core = normed.flatten(2).mT, self._core(normed).flatten(2).mT
        own = layer.to_k(core), layer.to_v(core)
        if self._gathering:
            self._tokens[layer][self._tile] = own
        others = self._tokens[layer] | {self._tile: own}
        keys, values = (torch.cat(parts, dim=1) for parts in zip(*others.values(), strict=True))
        query, key, value = (
            x.unflatten(2, (layer.heads, -1)).transpose(1, 2) for x in (layer.to_q(tokens), keys, values)
        )
        attended = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        return (layer.to_out[0](attended).mT.view_as(x) + x) / layer.rescale_output_factor

    def _core(self, x: Tensor) -> Tensor:
        assert self._tile is not None
        return x[..., self._tile.rows.core(x.shape[-2]), self._tile.columns.core(x.shape[-1])]


class _Processor:
    """Adapt a function to diffusers' attention processor interface."""

    def __init__(self, attend: Callable[[Any, Tensor], Tensor]):
        self.attend = attend

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: None = None,
        attention_mask: None = None,
        temb: None = None,
    ) -> Tensor:
        return self.attend(attn, hidden_states)


def _moved(before: tuple[Tensor, Tensor], after: tuple[Tensor, Tensor]) -> float:
    """Return by how much of its deviation a group's mean or deviation has changed, at most."""
    change = torch.stack([(new - old).abs() for new, old in zip(after, before, strict=True)])
    return float((change / after[1]).max())
