"""Your own classes are named on the command line; the package does not change. These are docs/extending.md's recipes.

They are in a module that Python can import: beside `train.py`, or in a folder on `PYTHONPATH`. A loss, a critic or a
metric is added under a new name. A discriminator replaces the configured one: `discriminator._target_=` keeps the
node's `seed`, which its constructor receives.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dgsr.checkpoints.trainer import read_checkpoint

ROOT = Path(__file__).parents[2]

MODULE = '''
"""A user's module."""
import torch
from dgsr.losses import Attempt
from dgsr.metrics import Metric
from dgsr.models.backbones.loading import load_backbone
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.training.critics import Critic
from dgsr.training.tasks.restoration import SuperResolution


class Loss(torch.nn.Module):
    """The latents' energy: a loss sees everything of an attempt."""

    def forward(self, attempt: Attempt) -> torch.Tensor:
        return attempt.latent.square().mean(dim=(1, 2, 3))


class Sharpness(Metric):
    name, direction, variant, needs_reference = "sharpness", "higher", "mean gradient", False

    def measure(self, sr: torch.Tensor, hq: torch.Tensor) -> torch.Tensor:
        return sr.diff(dim=-1).abs().mean(dim=(1, 2, 3))


class Discriminator(torch.nn.Module):
    def __init__(self, seed: int, width: int = 4) -> None:
        super().__init__()
        self.own = torch.nn.Conv2d(3, width, 8, 8)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [self.own(images)]


class Brightness(Critic):
    def judge(self, attempt: Attempt) -> dict[str, torch.Tensor]:
        return {"brightness": 0.1 * (attempt.sr.mean() - attempt.hq.mean()).square()}


class QueriesAlone(StableDiffusion):
    adapter_targets = {"queries": {"unet": ["to_q"], "vae": r"^encoder\\..*to_q$"}}


def load(folder: str) -> QueriesAlone:
    plain = load_backbone(folder)
    return QueriesAlone(plain.unet, plain.vae, plain.scheduler, plain.source)


class Mirrored(SuperResolution):
    def prepare(self, batch):
        flipped = {name: tensor.flip(-1) if name in ("hq", "lq") else tensor for name, tensor in batch.items()}
        return super().prepare(flipped)
'''

SMALL = (
    "debug=fdr",
    "trainer=cpu",
    "objective.losses.lpips.weight=0",
    "metrics.names=[psnr]",
    "callbacks.checkpoints.monitor=psnr",
    "run.log_every_steps=1",
    "data.val.limit=1",
)


def _train(folder: Path, *overrides: str) -> Path:
    """Train one step with a module in the folder, and return the run."""
    (folder / "mine.py").write_text(MODULE)
    variables = {"DGSR_LOGS": str(folder / "logs"), "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *overrides]
    done = subprocess.run(command, env=os.environ | variables, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    [run] = (folder / "logs" / "train" / "runs").iterdir()
    return run


QUERIES = (
    "generator=tiny_prior",
    "generator.path={_target_: mine.load, folder: 'bundled:tiny-prior'}",
    "generator.adapters.main.unet.targets=queries",
    "generator.adapters.main.vae.targets=queries",
)


def _logged(run: Path) -> dict[str, float]:
    with (run / "metrics.csv").open(newline="") as file:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(file)}


@pytest.mark.slow
def test_your_own_loss_is_minimized(tmp_path: Path) -> None:
    run = _train(tmp_path, "+objective.losses.mine._target_=mine.Loss", "+objective.losses.mine.weight=0.1")
    assert _logged(run)["train/mine"] > 0


@pytest.mark.slow
def test_your_own_metric_is_measured(tmp_path: Path) -> None:
    run = _train(tmp_path, "+metrics.sharpness._target_=mine.Sharpness", "callbacks.checkpoints.monitor=sharpness")
    assert 0 < _logged(run)["val/sharpness"] < 1
    assert "sharpness ↑" in (run / "report.md").read_text()


@pytest.mark.slow
def test_your_own_discriminator_is_trained(tmp_path: Path) -> None:
    run = _train(tmp_path, "discriminator._target_=mine.Discriminator", "+discriminator.width=6")
    state = read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]
    assert state["discriminator.own.weight"].shape == (6, 3, 8, 8)
    assert _logged(run)["train/discriminator"] > 0


@pytest.mark.slow
def test_your_own_critic_judges(tmp_path: Path) -> None:
    run = _train(tmp_path, "+critics.mine._target_=mine.Brightness")
    assert _logged(run)["train/mine/brightness"] >= 0


@pytest.mark.slow
def test_your_own_backbone_is_adapted(tmp_path: Path) -> None:
    run = _train(tmp_path, *QUERIES)
    state = read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"]
    adapted = {name.split(".lora_")[0].rpartition(".")[2] for name in state if ".lora_" in name}
    assert adapted == {"to_q"}


@pytest.mark.slow
def test_your_own_task_is_run(tmp_path: Path) -> None:
    run = _train(tmp_path, "task._target_=mine.Mirrored")
    assert (
        read_checkpoint(run / "checkpoints" / "last.ckpt")["dgsr"]["description"]["task"]["_target_"] == "mine.Mirrored"
    )
    assert _logged(run)["train/mse"] > 0
