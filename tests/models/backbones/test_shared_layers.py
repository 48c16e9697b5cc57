"""Tiles that share statistics and tokens give what the whole image gives."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from dgsr.models.backbones.shared_layers import SharedLayers
from dgsr.ops.tiling import Grid, Tile


class _Network(nn.Module):
    """Two layers whose statistics follow each other, and attention among pixels, without neighbourhoods."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 1), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 1))
        self.attention = Attention(8, heads=2, dim_head=4, norm_num_groups=4, residual_connection=True, bias=True)
        self.last = nn.Sequential(nn.GroupNorm(2, 8), nn.Conv2d(8, 2, 1))
        for norm in (self.layers[1], self.last[0]):
            nn.init.normal_(norm.weight)  # pyright: ignore[reportArgumentType]
            nn.init.normal_(norm.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.attention(self.layers(x)))


@pytest.mark.parametrize("batch", [1, 2])
def test_tiles_that_cover_the_image_equal_the_whole(batch: int) -> None:
    with torch.no_grad():
        network = _Network()
        image = torch.rand(batch, 3, 24, 40) * torch.linspace(0, 3, 40)
        whole = network(image)
        grid = Grid.over((24, 40), 16, 8)
        out = torch.zeros_like(whole)

        def run(tile: Tile) -> Tensor:
            return network(image[..., tile.rows.window(), tile.columns.window()])

        layers = SharedLayers(network)
        with layers.installed():
            layers.settle(grid.sample(9), run)
            for tile in grid.sample(9):
                out[..., tile.rows.window(), tile.columns.window()] = layers.run(tile, run)
    torch.testing.assert_close(out, whole, atol=1e-4, rtol=0)
    torch.testing.assert_close(network(image), whole)


def test_shared_statistics_are_fixed_after_settling() -> None:
    with torch.no_grad():
        network = _Network()
        parts = dict(zip(Grid.over((16, 48), 16, 0).sample(3), torch.rand(3, 1, 3, 16, 16), strict=True))
        first, second, third = parts
        layers = SharedLayers(network)
        with layers.installed():
            layers.settle([first, second], lambda tile: network(parts[tile]))
            before = layers.run(first, lambda tile: network(parts[tile]))
            layers.run(third, lambda tile: network(9 * parts[tile]))
            torch.testing.assert_close(layers.run(first, lambda tile: network(parts[tile])), before)


def test_the_network_is_restored_after_an_error() -> None:
    network = _Network()
    image = torch.rand(1, 3, 8, 8)
    before = network(image)
    with pytest.raises(ZeroDivisionError), SharedLayers(network).installed():
        _ = 1 / 0
    assert torch.equal(network(image), before)
