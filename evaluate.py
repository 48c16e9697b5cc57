"""Measure a checkpoint: `python evaluate.py ckpt_path=… data.eval.lq=… data.eval.hq=…`."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from dgsr.apps import conf_dir, preflight, run_cleanly
from dgsr.apps.runs.entry import Advice
from dgsr.apps.config.own_configs import naming, own_configs
from dgsr.apps.runs.ranks import quiet_follower

_GOES_ON = "The same command goes on where it stopped, with the paths.run=… that it named at its start."
ADVICE = Advice(full=f"Make room. {_GOES_ON}", stopped=_GOES_ON)


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="evaluate")
def main(cfg: DictConfig) -> dict[str, float]:
    """Evaluate as the composed config says."""
    from dgsr.apps.runs.evaluation import run_evaluation  # here, so that a mistyped command is answered at once

    return run_cleanly(lambda: run_evaluation(cfg), ADVICE)


def prepare() -> None:
    """Refuse every mistyped key at once, and name a folder of one's own configs where Hydra wants it."""
    own, others = own_configs(sys.argv[1:])
    sys.argv[1:] = quiet_follower([*naming(own), *others])
    preflight(sys.argv[1:], "evaluate", conf_dir())


if __name__ == "__main__":
    run_cleanly(prepare)
    main()
