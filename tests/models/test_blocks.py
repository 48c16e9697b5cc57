"""Names of layers and the blocks they lie in."""

from __future__ import annotations

import pytest

from dgsr.checks import UserError
from dgsr.models.blocks import block_id, num_blocks, unet_block_id, vae_block_id


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


def test_layers_that_scores_do_not_reach_are_refused():
    assert unet_block_id(4, 4, "up_blocks.3.x") == 8
    assert vae_block_id(4, 0, "encoder.mid_block.x") == 4
    assert vae_block_id(4, 0, "quant_conv") == 5
    for name in ("time_embedding.linear_1", "down_blocks.0.resnets.0.time_emb_proj"):
        with pytest.raises(UserError, match=f"unet_targets among .* but got {name}"):
            unet_block_id(4, 4, name)
    for name in ("decoder.up_blocks.0.resnets.0.conv1", "post_quant_conv"):
        with pytest.raises(UserError, match=f"vae_targets in the encoder.* but got {name}"):
            vae_block_id(4, 0, name)
