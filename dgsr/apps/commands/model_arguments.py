"""Arguments that select a model, its parts and its device."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.checks import expect

if TYPE_CHECKING:
    import torch

    from dgsr.checkpoints.loading import Model


def add_source(parser: ArgumentParser) -> None:
    """Add `--model`, which defaults to the bundled model."""
    parser.add_argument(
        "--model",
        help="exported folder, hub id, training checkpoint or s3diff.pkl; last: the newest training run's "
        "(default: bundled:tiny-upscaler, the small one in the package)",
    )


def add_parts(parser: ArgumentParser) -> None:
    """Add the arguments for a model's backbone, estimator and weights."""
    parser.add_argument("--backbone", metavar="PATH", help="diffusion model, where the recorded one is not here")
    parser.add_argument("--estimator", metavar="FILE", help="weights of the degradation estimator, if not in the model")
    parser.add_argument(
        "--weights",
        choices=("auto", "raw", "ema"),
        default="auto",
        help="of a training checkpoint: the last step's or their average (default: the average, if there is one)",
    )


def add_machine(parser: ArgumentParser) -> None:
    """Add the arguments for device, precision and memory."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, … (default: auto)")
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        default="fp32",
        help="what the networks compute in; bf16 is faster where the device has it, fp16 is for GPUs (default: fp32)",
    )
    parser.add_argument("--memory", type=float, metavar="GIB", help="take no more than this (default: what is free)")


def source_of(model: str | None, logs: Path | None = None) -> str:
    """Return the source of a model; None is the bundled model.

    Args:
        model: A source, or `last`, the newest checkpoint of the training runs.
        logs: The folder of all runs; None is the one that `train.py` uses in the current folder.

    Raises:
        UserError: `last` is given, and there is no run.
    """
    from dgsr.checkpoints.loading import BUNDLED

    if model is None:
        return BUNDLED
    if model != "last":
        return model
    from dgsr.apps.config.command_line import CommandLine
    from dgsr.apps.config.composing import runs_folder
    from dgsr.apps.runs.resume import last_run

    runs = runs_folder(CommandLine()) if logs is None else logs / "train" / "runs"
    return str(last_run(runs) / "checkpoints" / "last.ckpt")


def load(source: str, arguments: Namespace) -> Model:
    """Build the model."""
    from dgsr.checkpoints import load_model

    return load_model(source, arguments.backbone, arguments.estimator, arguments.weights)


def device(arguments: Namespace) -> torch.device:
    """Return the requested device.

    Raises:
        UserError: It does not exist, or does not support `--precision`.
    """
    from dgsr.inference.devices import device_of
    from dgsr.ops.precision import expect_computable

    device = device_of(arguments.device)
    expect_computable(arguments.precision, device)
    return device


def memory_bytes(arguments: Namespace) -> int | None:
    """Return `--memory` in bytes.

    Raises:
        UserError: It is not a positive size.
    """
    if arguments.memory is None:
        return None
    expect(0 < arguments.memory < math.inf, "--memory above 0", arguments.memory)
    return int(arguments.memory * 2**30)
