"""Saving memory or time changes no number: checkpoints, slices, channels last, compiled blocks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny


def outcome(**options: Any) -> list[torch.Tensor]:
    """Return outputs and gradients of two forward passes before one backward pass."""
    generator = tiny.generator(**options)
    first = generator(tiny.images(), tiny.scores(), generator.prompts.positive)
    second = generator(tiny.images().flip(2), tiny.scores().flip(0), generator.prompts.negative)
    trained = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(first.square().mean() + second.abs().mean(), trained)
    return [first.detach(), second.detach(), *gradients]


@pytest.fixture(scope="module")
def plain() -> list[torch.Tensor]:
    return outcome()


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_checkpointing": True},
        {"gradient_checkpointing": ["unet"]},
        {"gradient_checkpointing": ["encoder"]},
        {"gradient_checkpointing": ["decoder"]},
        {"slice_decoder": True},
        {"slice_decoder": True, "gradient_checkpointing": ["decoder"]},
        {"channels_last": True},
        {"channels_last": True, "slice_decoder": True, "gradient_checkpointing": True},
    ],
    ids=str,
)
def test_equal_outputs_and_gradients(options: dict[str, Any], plain: list[torch.Tensor]) -> None:
    torch.testing.assert_close(outcome(**options), plain, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 3),
        ({"gradient_checkpointing": ["decoder"]}, 6),
        ({"slice_decoder": True}, 12),
        ({"slice_decoder": True, "gradient_checkpointing": True}, 12),
    ],
    ids=str,
)
def test_the_decoder_is_recomputed_at_most_once(options: dict[str, Any], count: int) -> None:
    generator = tiny.generator(**options)
    calls = []
    generator.vae.decoder.up_blocks[0].register_forward_pre_hook(lambda *_: calls.append(1))
    for _ in range(3):
        generator(tiny.images(), tiny.scores(), generator.prompts.positive).sum().backward()
    assert len(calls) == count


def test_channels_are_last() -> None:
    generator = tiny.generator(channels_last=True)
    assert generator.unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    assert generator.vae.decoder.conv_in.weight.is_contiguous(memory_format=torch.channels_last)


def test_compiled_blocks_keep_their_names() -> None:
    generator = tiny.generator(compile="blocks")
    assert list(generator.state_dict()) == list(tiny.generator().state_dict())
    compiled = [module for module in generator.modules() if module._compiled_call_impl is not None]
    assert {type(module).__name__ for module in compiled} == {"ResnetBlock2D", "BasicTransformerBlock"}


# In a process of its own: the type checks of the test run would be part of the graphs.
PROGRAM = """
import torch
from torch._dynamo.testing import CompileCounter
from dgsr.models.economy import compile_blocks
from tests import tiny

def outcome(compiled, **options):
    generator = tiny.generator(tiny.backbone("epsilon", 2, 2), **options)
    if compiled is not None:
        compile_blocks(generator, generator.backbone.block_types, backend=compiled, fullgraph=True)
    trained = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    results = []
    for seed in range(2):
        sr = generator(tiny.images().roll(seed), tiny.scores().roll(seed), generator.prompts.positive)
        results += [sr.detach(), *torch.autograd.grad(sr.square().mean(), trained)]
    return results

counter = CompileCounter()
compiled = outcome(counter, gradient_checkpointing=True)
torch.testing.assert_close(compiled, outcome(None), rtol=1e-4, atol=1e-6)
print(counter.frame_count)
"""


@pytest.mark.slow
def test_compiled_blocks_give_the_same() -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    networks = tiny.backbone("epsilon", 2, 2)
    modules = [*networks.unet.modules(), *networks.vae.modules()]
    blocks = sum(type(module).__name__ in ("ResnetBlock2D", "BasicTransformerBlock") for module in modules)
    assert 0 < int(done.stdout) <= blocks  # equal ones share their graph, and images of one size all graphs
