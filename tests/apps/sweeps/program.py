"""A stand-in for train.py that starts in a second: the same wiring around another body."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dgsr.apps import run_cleanly
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.runs.entry import in_sweep
from dgsr.apps.runs.resume import resumed
from dgsr.apps.sweeps import SweepFolder, run_job, sweep_of, sweeping
from dgsr.checks import expect

ConfigStore.instance().store("program", {"resume": None, "x": 0, "wait": 0, "text": ""})


def body(cfg: DictConfig) -> None:
    """Count starts, save, wait if requested, write a summary; until "fixed" exists, fail above 3 or run out of time."""
    run = Path(HydraConfig.get().runtime.output_dir)
    with (run / "starts.txt").open("a") as file:
        file.write(f"{cfg.resume} {os.getpid()}\n")
    (run / "checkpoints").mkdir(exist_ok=True)
    (run / "checkpoints" / "last.ckpt").touch()
    is_fixed = Path("fixed").exists()
    time.sleep(0 if is_fixed else cfg.wait)
    expect(cfg.x <= 3 or is_fixed, "x of 3 or less", cfg.x)
    if cfg.text == "out of time" and not is_fixed:
        return
    metrics = {"loss": {"value": (cfg.x - 2) ** 2}}
    (run / "summary.json").write_text(json.dumps({"monitor": "loss", "metrics": metrics, "text": cfg.text}))


@hydra.main(version_base="1.3", config_path=None, config_name="program")
def main(cfg: DictConfig) -> float | None:
    """Run a job of a sweep, or the body."""
    return run_job(cfg) if in_sweep() else run_cleanly(lambda: body(cfg))


def prepare() -> SweepFolder | None:
    """Expand `resume=` and choose the directory, as train.py does."""
    command, folder = sweep_of(resumed(CommandLine.parse(sys.argv[1:])))
    sys.argv[1:] = [*command.words, "hydra.output_subdir=null"]
    return folder


if __name__ == "__main__":
    with sweeping(run_cleanly(prepare)):
        main()
