"""The schema of composed configs. A node with `_target_` is `Any` here: it is checked against its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class ClipConfig:
    """Largest gradient norm of each network."""

    generator: float | None
    discriminator: float | None


@dataclass(frozen=True)
class RunConfig:
    """How long a run trains, and how often it validates, saves and logs, in steps of the generator."""

    max_steps: int
    validate_every_steps: int
    save_every_steps: int
    save_every_minutes: float | None
    log_every_steps: int
    micro_batch: int
    clip_norm: ClipConfig
    ema_decay: float | None
    max_bad_steps: int


@dataclass(frozen=True)
class PathsConfig:
    """The folders that runs write to."""

    logs: str
    run: str


@dataclass(frozen=True)
class EvaluatedConfig:
    """The images to evaluate: two folders with images of the same names, or one of them."""

    lq: str | None
    hq: str | None
    preset: str
    seed: int
    crop_px: int | None


@dataclass(frozen=True)
class EvaluateDataConfig:
    """The data of an evaluation."""

    eval: EvaluatedConfig


@dataclass(frozen=True)
class TrainConfig:
    """The config of train.py."""

    task_name: str
    seed: int
    scale: int
    features: str
    scores: Literal["estimator", "oracle"]
    run: RunConfig
    resume: str | None
    allow_changes: bool
    init_from: str | None
    ckpt_path: str | None
    task: Any
    data: Any
    degradation: Any
    estimator: Any
    generator: Any
    discriminator: Any
    objective: Any
    critics: Any
    update: str
    optimizer: Any
    metrics: Any
    inference: Any
    trainer: Any
    callbacks: dict[str, Any]
    logger: Any
    paths: PathsConfig


@dataclass(frozen=True)
class EvaluateConfig:
    """The config of evaluate.py."""

    task_name: str
    features: str
    ckpt_path: str
    backbone: str | None
    estimator_path: str | None
    device: str
    data: EvaluateDataConfig
    inference: Any
    metrics: Any
    weights: Literal["auto", "raw", "ema"]
    paths: PathsConfig
