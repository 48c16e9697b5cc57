"""Names of layers and the blocks they lie in."""

from __future__ import annotations

import pytest

from dgsr.models.blocks import block_id, num_blocks


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("down_blocks.0.resnets.0.conv1", 0),
        ("down_blocks.3.resnets.1.conv2", 3),
        ("mid_block.attentions.0.proj_in", 4),
        ("up_blocks.0.upsamplers.0.conv", 5),
        ("up_blocks.3.attentions.2.transformer_blocks.0.ff.net.2", 8),
        ("conv_out", 9),
    ],
)
def test_unet_of_the_paper(name, expected):
    assert block_id(name, 4, 4) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("encoder.down_blocks.2.downsamplers.0.conv", 2),
        ("encoder.mid_block.attentions.0.to_q", 4),
        ("encoder.conv_in", 5),
        ("encoder.conv_out", 5),
    ],
)
def test_vae_encoder_of_the_paper(name, expected):
    assert block_id(name, 4) == expected


def test_any_number_of_blocks_has_ids_without_gaps():
    names = ["down_blocks.0.x", "down_blocks.1.x", "mid_block.x", "up_blocks.0.x", "up_blocks.1.x", "conv_out"]
    assert [block_id(name, 2, 2) for name in names] == list(range(num_blocks(2, 2)))


def test_a_block_outside_the_network_is_an_error():
    with pytest.raises(AssertionError, match="outside"):
        block_id("up_blocks.0.x", 4)
