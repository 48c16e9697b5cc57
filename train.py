"""Train a model: `python train.py experiment=quick`, continue one: `python train.py resume=last`."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig

from dgsr.apps import conf_dir, preflight, run_cleanly
from dgsr.apps.resume import continued_arguments


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="train")
def main(cfg: DictConfig) -> float | None:
    """Train as the composed config says."""
    from dgsr.apps.training_run import train  # here, so that a mistyped command is answered before torch is imported

    return run_cleanly(lambda: train(cfg))


def prepare() -> None:
    """Expand `resume=`, then refuse every mistyped key at once."""
    sys.argv[1:] = continued_arguments(sys.argv[1:])
    preflight(sys.argv[1:], "train", conf_dir())


if __name__ == "__main__":
    run_cleanly(prepare)
    main()
