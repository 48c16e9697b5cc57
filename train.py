"""Train a model: `python train.py experiment=quick`; resume: `resume=last`; several runs: `-m seed=0,1`, `sweep=…`."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from dgsr.apps import conf_dir, preflight, run_cleanly
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.composing import expect_logs_folder
from dgsr.apps.runs.entry import in_sweep
from dgsr.apps.runs.ranks import end_with_the_launcher, silence_nonzero_ranks
from dgsr.apps.runs.resume import resumed
from dgsr.apps.sweeps import SweepFolder, run_job, sweep_of, sweeping


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="train")
def main(cfg: DictConfig) -> float | None:
    """Train as the composed config says; each job of a sweep runs in its own process."""
    if in_sweep():
        return run_job(cfg)
    from dgsr.apps.runs.training import train  # a mistyped command is reported before torch is imported

    return run_cleanly(lambda: train(cfg))


def prepare() -> SweepFolder | None:
    """Expand `resume=`, report every mistyped key at once, and choose the directory if it is a sweep."""
    end_with_the_launcher()
    command = silence_nonzero_ranks(resumed(CommandLine.parse(sys.argv[1:])))
    cfg = preflight(command, "train", conf_dir())
    if cfg is not None:
        expect_logs_folder(cfg)
    command, folder = sweep_of(command)
    sys.argv[1:] = command.words
    return folder


if __name__ == "__main__":
    with sweeping(run_cleanly(prepare)):
        main()
