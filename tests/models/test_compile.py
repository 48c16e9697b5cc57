"""The UNet with a correction is one graph for torch.compile, and images of one size share it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: the type checks of the test run would be part of the graph.
PROGRAM = """
import torch
from torch._dynamo.testing import CompileCounter
from tests import tiny

generator = tiny.generator(tiny.backbone("epsilon", 2, 2)).requires_grad_(False)
counter = CompileCounter()
denoise = torch.compile(generator.denoise, fullgraph=True, backend=counter)
for seed in range(3):
    torch.manual_seed(seed)
    correction = generator.correction(torch.rand(2, 2))
    arguments = (torch.randn(2, 4, 8, 8), correction, generator.prompts.positive, generator.prompts.negative, 1.07)
    torch.testing.assert_close(denoise(*arguments), generator.denoise(*arguments))
assert counter.frame_count == 1, counter.frame_count
"""


@pytest.mark.slow
def test_one_graph_without_breaks_or_recompilation():
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
