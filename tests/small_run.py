"""A training run small enough for tests: random images, a tiny generator, a tiny discriminator."""

from __future__ import annotations

import dataclasses
from typing import Any

import lightning
import torch

from dgsr.data import FixedPairs
from dgsr.degradation import Spec, preset
from dgsr.inference import Upscaler
from dgsr.losses import Mse
from dgsr.metrics import Psnr
from dgsr.models.discriminators import PatchDiscriminator
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.seeds import torch_generator
from dgsr.training.critics import Gan
from dgsr.training.data.datamodule import SyntheticData
from dgsr.training.data.degrading import Degrade
from dgsr.training.loop.checkpoint_io import AtomicCheckpointIO
from dgsr.training.loop.schedules import cosine
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective
from dgsr.training.tasks.restoration import SuperResolution
from dgsr.types import Image


@dataclasses.dataclass
class RandomImages:
    """A source of random smooth images."""

    count: int = 7
    side_px: int = 80

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Image:
        coarse = torch.rand(1, 3, 8, 8, generator=torch_generator(index, "image"))
        return torch.nn.functional.interpolate(coarse, (self.side_px, self.side_px), mode="bilinear")[0]

    def peers(self, index: int) -> range:
        return range(self.count)

    def name(self, index: int) -> str:
        return f"image-{index}.png"

    def fingerprint(self) -> str:
        return "random"


def make_data(global_batch: int = 2, spec: Spec | None = None, **changes: Any) -> SyntheticData:
    spec = spec or preset("s3diff")
    val = FixedPairs(RandomImages(3), 64, Degrade(spec), seed=0, multiple=spec.scale)
    given: dict[str, Any] = {"crop_px": 64, "val": val, "seed": 0, "num_workers": 0} | changes
    return SyntheticData(RandomImages(), degradation=spec, global_batch=global_batch, **given)


def make_module(
    max_steps: int = 4,
    update: str = "joint",
    negative_prob: float = 0.5,
    adversarial: bool = True,
    micro_batch: int = 2,
    lr: float = 1e-3,
    ema_decay: float | None = None,
    max_bad_steps: int = 2,
    **generator: Any,
) -> SuperResolution:
    torch.manual_seed(0)
    options: Any = {"seed": 0, "trainable": "all", **generator}
    return SuperResolution(
        generator=OneStepGenerator.tiny(**options),
        estimator=DegradationEstimator.random(0),
        critics={"gan": Gan(PatchDiscriminator() if adversarial else None)},
        objective=Objective({"mse": Mse()}, {"mse": 2.0}, negative_prob),
        update=update,
        upscaler=lambda **networks: Upscaler(**networks, color_fix="none"),
        metrics={"psnr": Psnr()},
        settings=make_settings(max_steps, lr, micro_batch, max_bad_steps=max_bad_steps, ema_decay=ema_decay),
    )


def discriminator_of(module: SuperResolution) -> torch.nn.Module:
    network = module.critics["gan"].network
    assert network is not None
    return network


def make_settings(max_steps: int = 4, lr: float = 1e-3, micro_batch: int = 2, **changes: Any) -> Settings:
    return Settings(
        optimizers={name: lambda p: torch.optim.AdamW(p, lr) for name in ("generator", "discriminator")},
        schedule=lambda optimizer: cosine(optimizer, total_steps=max_steps),
        max_steps=max_steps,
        clip_norm={"generator": 1.0, "discriminator": 1.0},
        micro_batch=micro_batch,
        **changes,
    )


def make_trainer(validate_every_steps: int = 1000, **changes: Any) -> lightning.Trainer:
    given: dict[str, Any] = {
        "accelerator": "cpu",
        "max_steps": -1,
        "max_epochs": -1,
        "val_check_interval": validate_every_steps,
        "check_val_every_n_epoch": None,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "plugins": [AtomicCheckpointIO()],
    } | changes
    return lightning.Trainer(**given)
