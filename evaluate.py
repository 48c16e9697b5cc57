"""Measure a checkpoint: `python evaluate.py ckpt_path=… data.eval.lq=… data.eval.hq=…`."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from dgsr.apps import conf_dir, preflight, run_cleanly
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.runs.entry import Advice
from dgsr.apps.runs.ranks import silence_nonzero_ranks

_RESUME = "Run the same command again with the paths.run=… that it printed at its start to resume."
ADVICE = Advice(full=f"Free some space. {_RESUME}", stopped=_RESUME)


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="evaluate")
def main(cfg: DictConfig) -> dict[str, float]:
    """Evaluate as the composed config says."""
    from dgsr.apps.runs.evaluation import run_evaluation  # a mistyped command is reported before torch is imported

    return run_cleanly(lambda: run_evaluation(cfg), ADVICE)


def prepare() -> None:
    """Report every mistyped key at once, and let only rank 0 write logs."""
    command = silence_nonzero_ranks(CommandLine.parse(sys.argv[1:]))
    preflight(command, "evaluate", conf_dir())
    sys.argv[1:] = command.words


if __name__ == "__main__":
    run_cleanly(prepare)
    main()
