"""An evaluation from its composed config: rebuild the networks of a checkpoint and measure them over pairs."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dgsr.apps.configs import check
from dgsr.apps.schema import EvaluateConfig
from dgsr.apps.training_run import quiet_libraries
from dgsr.checkpoints.trainer import read_checkpoint, restore_generator
from dgsr.data import PairedFolders
from dgsr.evaluation import Record, evaluate, means, write_csv, write_summary
from dgsr.inference import Upscaler

_logger = logging.getLogger(__name__)


def run_evaluation(cfg: DictConfig) -> dict[str, float]:
    """Evaluate as the config says; print a table, write per-image CSV and JSON, and return the averages.

    Raises:
        UserError: The config, the checkpoint or the folders cannot be used.
    """
    check(cfg, EvaluateConfig)
    quiet_libraries()
    device = _device(cfg.device)
    upscaler = load_upscaler(Path(cfg.ckpt_path), cfg.inference, device)
    pairs = PairedFolders(cfg.data.eval.lq, cfg.data.eval.hq, upscaler.scale)
    metrics = {name: metric.to(device) for name, metric in instantiate(cfg.metrics).items()}
    run = Path(cfg.paths.run)
    images = run / "images" if cfg.save_images else None
    console = Console()
    found = evaluate((pairs[i] for i in range(len(pairs))), upscaler, metrics, images, device)
    records = list(track(found, "evaluating", total=len(pairs), console=Console(stderr=True)))
    write_csv(records, run / "metrics.csv")
    write_summary(records, metrics, run / "metrics.json")
    console.print(_table(records, [f"{name} ({metric.variant})" for name, metric in metrics.items()]))
    for title, path in {"per image": run / "metrics.csv", "summary": run / "metrics.json", "images": images}.items():
        if path is not None:
            console.print(f"{title:>9}: {path}", soft_wrap=True, highlight=False)
    return means(record.sr for record in records)


def load_upscaler(checkpoint_path: Path, inference: DictConfig, device: torch.device) -> Upscaler:
    """Build the networks that a training checkpoint describes, and load what was trained."""
    checkpoint = read_checkpoint(checkpoint_path)
    description = OmegaConf.create(checkpoint["dgsr"]["description"])
    generator, estimator = instantiate(description.generator), instantiate(description.estimator)
    restore_generator(checkpoint, generator)
    build = instantiate(inference, scale=description.scale)
    return build(generator=generator.to(device).eval(), estimator=estimator.to(device).eval())


def _device(name: str) -> torch.device:
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))


def _table(records: list[Record], headings: list[str]) -> Table:
    table = Table("", *headings, title=f"{len(records)} images")
    for title, rows in {"bicubic": [r.bicubic for r in records], "sr": [r.sr for r in records]}.items():
        table.add_row(title, *(f"{value:.4f}" for value in means(rows).values()))
    return table
