"""A step's memory is foreseen: its parts by hand, and the whole as a process really grows."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.apps.doctor.footprint import Footprint, footprint
from dgsr.training.tasks.restoration import SuperResolution
from tests import small_run

ROOT = Path(__file__).parents[3]

#: Ways to train that lead to other peaks: name -> crop_px, share, and how the module is built.
WAYS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "joint": (128, 4, {}),
    "alternating, checkpointed": (128, 2, {"update": "alternating", "gradient_checkpointing": True}),
    "micro batches, sliced decoder": (128, 4, {"micro_batch": 2, "slice_decoder": True}),
}

#: In a process of its own, since memory that was freed before is used again unnoticed.
MEASURE = """
import gc, sys, torch
from torch.utils.data import DataLoader
from benchmarks.memory import reset_peak, peak_mib
from tests import small_run
from tests.apps.doctor.test_footprint import WAYS, build_training

def fit(px, share, changes):
    hq, lq = (torch.rand(share, 3, side, side) for side in (px, px // 4))
    batch = {"hq": hq, "lq": lq, "seed": torch.arange(share)}
    trainer = small_run.make_trainer(limit_val_batches=0)
    trainer.fit(build_training(share, **changes), DataLoader([batch] * 2, batch_size=None))

torch.set_num_threads(1)
fit(64, 1, {})
for px, share, changes in WAYS.values():
    gc.collect()  # the trainer before
    reset_peak()
    before = peak_mib()
    fit(px, share, changes)
    sys.stdout.write(f"grown {(peak_mib() - before) * 2**20:.0f}\\n")
"""


def build_training(share: int, **changes: Any) -> SuperResolution:
    given: dict[str, Any] = {"max_steps": 2, "negative_prob": 0.0, "micro_batch": share} | changes
    return small_run.make_module(**given)


@functools.cache
def trace(
    share: int = 2, crop_px: int = 64, all_negative: bool = False, half: bool = False, **changes: Any
) -> Footprint:
    half_dtype = torch.bfloat16 if half else None
    return footprint(build_training(share, **changes), crop_px, share, half=half_dtype, all_negative=all_negative)


def test_weights_gradients_and_optimizers() -> None:
    module = small_run.make_module()
    generator, discriminator = (
        4 * sum(p.numel() for p in network.parameters())
        for network in (module.generator, small_run.discriminator_of(module))
    )
    result = trace()
    assert result.trained == generator + discriminator
    assert result.optimizers == 2 * result.trained  # Adam's two moments
    assert result.gradients == generator
    assert footprint(build_training(2), 64, 2, distributed=True).gradients == 2 * generator + discriminator
    others = sum(tensor.nbytes for tensor in (*module.estimator.parameters(), *module.buffers()))
    assert result.frozen == others
    assert result.average == 0
    assert result.allocator < result.activations
    assert result.total == sum(vars(result).values())


def test_half_precision_and_checkpoints_lower_it() -> None:
    plain, lowered = (trace(adversarial=False, **how) for how in ({}, {"half": True, "gradient_checkpointing": True}))
    assert lowered.activations < 0.6 * plain.activations
    assert lowered.trained == plain.trained


def test_negative_samples_take_a_second_pass_of_the_joint_update() -> None:
    assert trace(all_negative=True).activations > 1.5 * trace().activations


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_a_process_grows_by_the_estimate() -> None:
    gives_back = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # an allocator that keeps nothing back for itself
    environment = os.environ | gives_back | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", MEASURE], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    grown = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("grown")]
    result = [trace(share, px, **changes) for px, share, changes in WAYS.values()]
    # By some 30 MB a process grows or shrinks for other reasons.
    assert [one.total - one.allocator for one in result] == pytest.approx(grown, rel=0.2, abs=4e7)
