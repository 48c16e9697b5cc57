"""The golden loss curve: a change that is meant to change nothing repeats these twenty steps.

After a change that is meant to change training, write the curve anew: `python -m tests.integration.test_loss_curve`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from dgsr.degradation import preset
from tests.small_run import make_data, make_module, make_trainer

FILE = Path(__file__).parents[1] / "golden" / "loss_curve.json"
STEPS = 20
#: On processors with the instructions of the one that wrote the curve. Samples and first weights are made in float32,
#: which others round otherwise: without AVX the losses came out 2e-5 apart, the norms of the gradients 2e-4.
WRITTEN_WITH = "AVX512"
TOLERANCE = 1e-5 if torch.backends.cpu.get_cpu_capability() == WRITTEN_WITH else 1e-3


class Curve(lightning.Callback):
    """Collect what is logged at every step."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any) -> None:
        for name, value in trainer.callback_metrics.items():
            if name.startswith("train/"):
                self.values.setdefault(name, []).append(float(value))


def loss_curve() -> dict[str, list[float]]:
    """Train twenty steps from fixed weights, on samples whose degradation rounds nothing."""
    module, curve = make_module(STEPS, lr=2e-4, micro_batch=1), Curve()
    make_trainer(callbacks=[curve], precision="64-true").fit(module, make_data(spec=preset("bicubic")))
    return curve.values


def test_twenty_steps_repeat_the_golden_curve() -> None:
    golden, found = json.loads(FILE.read_text()), loss_curve()
    assert found.keys() == golden.keys()
    for name, values in golden.items():
        assert len(values) == STEPS
        assert found[name] == pytest.approx(values, rel=TOLERANCE), name


if __name__ == "__main__":
    torch.set_num_threads(1)
    FILE.write_text(json.dumps(loss_curve(), indent=1) + "\n")
