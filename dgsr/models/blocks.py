"""Which block of a network a layer belongs to: the id under which it looks up its correction matrix."""

from __future__ import annotations

import re

from dgsr.checks import expect

_BLOCK = re.compile(r"(?:^|\.)(down_blocks|mid_block|up_blocks)(?:\.(\d+))?(?:\.|$)")


def num_blocks(num_down: int, num_up: int = 0) -> int:
    """Count the ids: every down and up block, the middle, and one for all other layers.

    >>> num_blocks(4, 4), num_blocks(4)
    (10, 6)
    """
    return num_down + num_up + 2


def block_id(name: str, num_down: int, num_up: int = 0) -> int:
    """Return the id of the block that the layer of this name lies in.

    Ids count the down blocks, then the middle, then the up blocks; the last id is everything else.

    >>> [block_id(name, 4, 4) for name in ("down_blocks.2.resnets.0.conv1", "mid_block.x", "up_blocks.3.x", "conv_out")]
    [2, 4, 8, 9]
    >>> block_id("encoder.mid_block.resnets.0.conv1", 4), block_id("encoder.conv_in", 4)
    (4, 5)

    Source: S3Diff Sec. 3.2.
    """
    found = _BLOCK.search(name)
    if found is None:
        return num_down + num_up + 1
    kind, index = found.groups()
    if kind == "mid_block":
        return num_down
    limit, first = (num_down, 0) if kind == "down_blocks" else (num_up, num_down + 1)
    assert int(index) < limit, f"{name} lies outside {num_down} down and {num_up} up blocks"
    return first + int(index)


def unet_block_id(num_down: int, num_up: int, name: str) -> int:
    """Return the id of a layer of the UNet.

    Raises:
        UserError: The layer has no image to adapt to.
    """
    remedy = "That one sees the timestep alone."
    expect("time_emb" not in name, "generator.unet_targets among layers that images pass", name, remedy)
    return block_id(name, num_down, num_up)


def vae_block_id(num_down: int, num_up: int, name: str) -> int:
    """Return the id of a layer of the VAE.

    Raises:
        UserError: It decodes, when there are no scores any more.
    """
    encodes = name.startswith(("encoder.", "quant_conv"))
    remedy = "The decoder can be trained as it is: generator.trainable=with_decoder."
    expect(encodes, "generator.vae_targets in the encoder, as in '^encoder.*conv1$'", name, remedy)
    return block_id(name, num_down, num_up)
