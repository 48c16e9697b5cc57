"""A step's memory is foreseen: its parts by hand, and the whole as a process really grows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.training.footprint import Footprint, footprint
from tests import small_run

ROOT = Path(__file__).parents[2]

#: In a process of its own, since memory that was freed before is used again without being seen.
MEASURE = """
import sys, torch
from benchmarks.memory import forget_peak, peak_mib
from tests import small_run

def fit(px):
    module = small_run.make_module(max_steps=2, negative_prob=0.0, micro_batch=4)
    batch = {"hq": torch.rand(4, 3, px, px), "lq": torch.rand(4, 3, px // 4, px // 4), "seed": torch.arange(4)}
    small_run.make_trainer(limit_val_batches=0).fit(module, [batch, batch])

torch.set_num_threads(1)
fit(64)
forget_peak()
before = peak_mib()
fit(256)
sys.stdout.write(f"{(peak_mib() - before) * 2**20:.0f}")
"""


def trace(
    share: int = 2, crop_px: int = 64, all_negative: bool = False, half: bool = False, **changes: Any
) -> Footprint:
    given: dict[str, Any] = {"micro_batch": share} | changes
    made = small_run.make_module(**given)
    return footprint(made, crop_px, share, half=torch.bfloat16 if half else None, all_negative=all_negative)


def test_weights_gradients_and_optimizers() -> None:
    module = small_run.make_module()
    assert module.discriminator is not None
    generator, discriminator = (
        4 * sum(p.numel() for p in network.parameters()) for network in (module.generator, module.discriminator)
    )
    found = trace()
    assert found.trained == generator + discriminator
    assert found.optimizers == 2 * found.trained  # Adam's two moments
    assert found.gradients == generator
    others = sum(tensor.nbytes for tensor in (*module.estimator.parameters(), *module.buffers()))
    assert found.frozen == others
    assert found.average == 0
    assert found.allocator < found.activations
    assert found.total == sum(vars(found).values())


def test_half_precision_and_checkpoints_lower_it() -> None:
    plain, lowered = (trace(adversarial=False, **how) for how in ({}, {"half": True, "gradient_checkpointing": True}))
    assert lowered.activations < 0.6 * plain.activations
    assert lowered.trained == plain.trained


def test_negative_samples_take_a_second_pass_of_the_joint_update() -> None:
    none, all_of_them = (trace(all_negative=negative).activations for negative in (False, True))
    assert all_of_them > 1.5 * none


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak anew")
def test_a_process_grows_by_as_much() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", MEASURE], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert trace(share=4, crop_px=256).total == pytest.approx(int(done.stdout), rel=0.2)
