"""Train a model: `python train.py experiment=quick`; go on: `resume=last`; several runs: `-m seed=0,1`, `sweep=…`."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from dgsr.apps import conf_dir, preflight, run_cleanly
from dgsr.apps.runs.entry import in_sweep
from dgsr.apps.runs.ranks import end_with_the_launcher, quiet_follower
from dgsr.apps.runs.resume import continued_arguments
from dgsr.apps.sweeps import SweepFolder, run_job, sweep_of, sweeping


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="train")
def main(cfg: DictConfig) -> float | None:
    """Train as the composed config says; each job of a sweep does so in a process of its own."""
    if in_sweep():
        return run_job()
    from dgsr.apps.runs.training import train  # here, so that a mistyped command is answered before torch is imported

    return run_cleanly(lambda: train(cfg))


def prepare() -> SweepFolder | None:
    """Expand `resume=`, refuse every mistyped key at once, and fix the directory of a sweep, if it is one."""
    end_with_the_launcher()
    arguments = quiet_follower(continued_arguments(sys.argv[1:]))
    preflight(arguments, "train", conf_dir())
    sys.argv[1:], folder = sweep_of(arguments)
    return folder


if __name__ == "__main__":
    with sweeping(run_cleanly(prepare)):
        main()
