"""Contestants of the training benchmark, one process each, with the same weights, batch and discriminator."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, Trainer
from torch import Tensor, nn
from torch.optim import AdamW

from benchmarks.memory import peak_mib, reset_peak
from benchmarks.networks import adapted, networks, text_encoder
from benchmarks.plain_s3diff import PlainS3Diff
from benchmarks.plain_training import PlainTraining
from dgsr.checkpoints import save_s3diff
from dgsr.inference import Upscaler
from dgsr.losses import Lpips, LpipsLoss, Mse
from dgsr.models.discriminators import DinoDiscriminator
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.options import NEGATIVE, POSITIVE
from dgsr.training.critics import Gan
from dgsr.training.loop.schedules import constant
from dgsr.training.loop.settings import Settings
from dgsr.training.objective import Objective
from dgsr.training.tasks.restoration import SuperResolution

_MANY = 10**9
_SILENT = ("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing")
_SETTINGS: dict[str, Any] = {"accelerator": "cpu", "max_epochs": 1, "limit_val_batches": 0} | dict.fromkeys(
    _SILENT, False
)


class FreeJudge(nn.Module):
    """A discriminator without cost, to measure the generator alone."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the weighted mean of each image."""
        return [self.weight * images.mean(dim=(1, 2, 3))]


def judge(name: str) -> nn.Module:
    """Build a discriminator with random weights: dino (a ViT-B/16, as in the paper), small, or none (`FreeJudge`)."""
    match name:
        case "dino":
            return DinoDiscriminator(weights="random")
        case "small":
            return DinoDiscriminator("test_vit", weights="random", blocks=(2, 4), input_px=64, width=8)
        case _:
            return FreeJudge()


def serve(connection: Connection, who: str, shapes: str, size: tuple[int, int], judged_by: str, adapter: Path) -> None:
    """Send a message when ready, then answer each way's name with the losses and the peak memory of a step.

    Args:
        connection: Connection to the benchmark.
        who: ours, which writes the adapter, or plain, which reads it.
        shapes: Shapes of the networks, full or tiny.
        size: Side of the crops and batch size.
        judged_by: Name of the discriminator.
        adapter: A file in the authors' format.
    """
    warnings.filterwarnings("ignore")  # Lightning warns about the missing validation
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    batch = _batch(*size)
    if who == "ours":
        module = _module(shapes, size[1], judge(judged_by))
        save_s3diff(module.generator, adapter)
        trainer = Trainer(callbacks=[_SendResults(connection)], **_SETTINGS)
        trainer.fit(module, _RequestedBatches(connection, module, batch))
        return
    backbone = networks(shapes)
    content = torch.load(adapter, weights_only=True)
    method = PlainS3Diff(backbone.unet, backbone.vae, content, text_encoder(shapes))
    plain = PlainTraining(method, DegradationEstimator.random(0), judge(judged_by), LpipsLoss("vgg"), negative_prob=0.0)
    for _ in _requests(connection):
        connection.send((plain.step(batch), peak_mib()))


def _requests(connection: Connection) -> Iterator[str]:
    """Yield the requested ways until the connection is closed."""
    connection.send(None)
    while True:
        try:
            way, _ = connection.recv()
        except EOFError:
            return
        reset_peak()
        yield way


class _RequestedBatches:
    """A loader that yields the batch for each requested step, and sets the update."""

    def __init__(self, connection: Connection, module: SuperResolution, batch: dict[str, Tensor]) -> None:
        self.connection, self.module, self.batch = connection, module, batch

    def __len__(self) -> int:
        return _MANY  # with a length, Lightning does not prefetch

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for way in _requests(self.connection):
            self.module.update = way
            yield self.batch


class _SendResults(Callback):
    """Send the losses and the peak memory after every step."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        losses = {name: trainer.callback_metrics[f"train/{name}"].item() for name in ("mse", "lpips", "gan")}
        self.connection.send((losses, peak_mib()))


def _module(shapes: str, micro_batch: int, discriminator: nn.Module) -> SuperResolution:
    """Build the module that `train.py` trains, with encoded prompts and the paper's optimizers."""
    encode = text_encoder(shapes)
    return SuperResolution(
        generator=adapted(shapes, encode(POSITIVE), encode(NEGATIVE)),
        estimator=DegradationEstimator.random(0),
        critics={"gan": Gan(discriminator, augment=("color", "translation", "cutout"))},
        objective=Objective({"mse": Mse(), "lpips": Lpips()}, {"mse": 2.0, "lpips": 5.0}, negative_prob=0.0),
        update="joint",
        upscaler=Upscaler,
        metrics={},
        settings=Settings(
            optimizers=dict.fromkeys(("generator", "discriminator"), partial(AdamW, lr=2e-5, weight_decay=1e-2)),
            schedule=constant,
            max_steps=_MANY,
            clip_norm={"generator": 1.0, "discriminator": 1.0},
            micro_batch=micro_batch,
        ),
    )


def _batch(side_px: int, count: int) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(3)
    hq = nn.functional.interpolate(torch.rand(count, 3, 8, 8, generator=draws), (side_px, side_px), mode="bilinear")
    return {"hq": hq, "lq": nn.functional.avg_pool2d(hq, 4), "seed": torch.arange(count)}
