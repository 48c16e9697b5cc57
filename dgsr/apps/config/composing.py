"""Compose and check the config of a program outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hydra import compose
from hydra.errors import HydraException
from omegaconf import DictConfig

from dgsr.apps.config.checking import check, conf_dir
from dgsr.apps.config.overrides import preflight
from dgsr.apps.config.own_configs import composing, naming
from dgsr.apps.config.schema import EvaluateConfig, TrainConfig
from dgsr.checks import refuse

_SCHEMAS = {"train": TrainConfig, "evaluate": EvaluateConfig}


def composed(program: Literal["train", "evaluate"], overrides: Sequence[str], own: Path | None = None) -> DictConfig:
    """Return the config that a program would run with, strictly checked; its run directory is none.

    Args:
        program: Which one.
        overrides: Its `key=value` arguments.
        own: The folder of its `--config-dir`.

    Raises:
        SystemExit: With code 2, where Hydra would not accept an override.
        UserError: Lists every unknown key, wrong type and missing value, or there are several values of one key.
    """
    preflight([*naming(own), *overrides], program, conf_dir())
    with composing(conf_dir(), own):
        try:
            cfg = compose(program, ["paths.run=none", *overrides])
        except HydraException as error:  # of several values at once, each of which may be fine
            first = str(error).splitlines()[0]
            refuse("the arguments of one run", " ".join(overrides), f"{first}. Give each key one value.")
    check(cfg, _SCHEMAS[program])
    return cfg
