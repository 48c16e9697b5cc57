"""An evaluation from its composed config: rebuild the networks of a checkpoint and measure them over pairs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import track
from rich.table import Table

from dgsr.apps.configs import check
from dgsr.apps.loading import device_of, load_model
from dgsr.apps.schema import EvaluateConfig
from dgsr.apps.training_run import quiet_libraries
from dgsr.checkpoints.trainer import Weights
from dgsr.checks import UserError, expect
from dgsr.data import PairedFolders
from dgsr.evaluation import Record, evaluate, means, write_csv, write_summary
from dgsr.inference import Upscaler


def run_evaluation(cfg: DictConfig) -> dict[str, float]:
    """Evaluate as the config says; print a table, write per-image CSV and JSON, and return the averages.

    Raises:
        UserError: The config, the checkpoint or the folders cannot be used.
    """
    check(cfg, EvaluateConfig)
    quiet_libraries()
    device = device_of(cfg.device)
    upscaler = load_upscaler(cfg.ckpt_path, cfg.inference, device, cfg.weights)
    pairs = PairedFolders(cfg.data.eval.lq, cfg.data.eval.hq, upscaler.scale)
    metrics = {name: metric.to(device) for name, metric in instantiate(cfg.metrics).items()}
    run = Path(cfg.paths.run)
    images = run / "images" if cfg.save_images else None
    console = Console()
    failures: list[str] = []
    found = evaluate(_readable(pairs, failures), upscaler, metrics, images, device)
    records = list(track(found, "evaluating", total=len(pairs), console=Console(stderr=True)))
    expect(bool(records), "pairs that can be read", "none", failures[0] if failures else "")
    write_csv(records, run / "metrics.csv")
    write_summary(records, metrics, run / "metrics.json")
    console.print(_table(records, [f"{name} ({metric.variant})" for name, metric in metrics.items()]))
    for title, path in {"per image": run / "metrics.csv", "summary": run / "metrics.json", "images": images}.items():
        if path is not None:
            console.print(f"{title:>9}: {path}", soft_wrap=True, highlight=False)
    left_out = f"{len(failures)} of {len(pairs)} left out: {' '.join(failures)}"
    expect(not failures, "pairs that can all be read", left_out, "The numbers above are those of the others.")
    return means(record.sr for record in records)


def _readable(pairs: PairedFolders, failures: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the pairs that can be read, and keep a sentence about each of the others."""
    for index in range(len(pairs)):
        try:
            yield pairs[index]
        except UserError as error:
            failures.append(str(error))


def load_upscaler(source: str, inference: DictConfig, device: torch.device, weights: Weights = "auto") -> Upscaler:
    """Build the networks of a training checkpoint or an exported folder, and the path that the config asks for."""
    model = load_model(source, weights=weights)
    return model.upscaler(instantiate(inference, scale=model.scale), device)


def _table(records: list[Record], headings: list[str]) -> Table:
    table = Table("", *headings, title=f"{len(records)} images")
    for title, rows in {"bicubic": [r.bicubic for r in records], "sr": [r.sr for r in records]}.items():
        table.add_row(title, *(f"{value:.4f}" for value in means(rows).values()))
    return table
