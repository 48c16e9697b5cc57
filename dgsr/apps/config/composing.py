"""Compose the config of a program without starting it, to find its runs or to check it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hydra import compose
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dgsr.apps.config.checking import check
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.overrides import first_of_sweep, group_options, preflight
from dgsr.apps.config.renamed import rename_keys
from dgsr.apps.config.schema import EvaluateConfig, TrainConfig
from dgsr.apps.config.sources import conf_dir, hydra_sources
from dgsr.checks import expect, refuse

_SCHEMAS = {"train": TrainConfig, "evaluate": EvaluateConfig}
_FAILURES = (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError, RecursionError)
#: Keys outside the groups that decide where a run is written.
_PLACES = ("task_name=", "paths.", "hydra.")


def composed(program: Literal["train", "evaluate"], words: Sequence[str]) -> DictConfig:
    """Return the config that a program would run with, strictly checked; its run directory is `none`.

    Args:
        program: The program.
        words: Its command line: `key=value` arguments and perhaps `--config-dir`.

    Raises:
        SystemExit: With code 2 if Hydra does not accept an override.
        UserError: Lists every unknown key, wrong type and missing value, or one key has several values.
    """
    command = CommandLine.parse(words)
    preflight(command, program, conf_dir())
    with hydra_sources(conf_dir(), command.config_dir):
        try:
            cfg = compose(program, ["paths.run=none", *command.overrides])
        except HydraException as error:  # several values for a key: each may be valid
            first = str(error).splitlines()[0]
            refuse("the arguments of one run", " ".join(command.overrides), f"{first}. Give each key one value.")
    rename_keys(cfg)
    check(cfg, _SCHEMAS[program])
    return cfg


def compose_places(command: CommandLine) -> DictConfig:
    """Compose a training's config and Hydra's own, which say where its runs and sweeps are written.

    A sweep is represented by its first job. Overrides that change a resumed run may not compose without the overrides
    of that run. In that case only those that choose a group or a place are used.

    Raises:
        SystemExit: With code 2 if no config can be composed.
        UserError: `paths.logs` is a file.
    """
    overrides = first_of_sweep(command.overrides)
    cfg = None
    with hydra_sources(conf_dir(), command.config_dir):
        chosen = [each for each in overrides if each.startswith(_PLACES) or group_options(each.partition("=")[0])]
        for attempt in (overrides, chosen):
            try:
                cfg = compose("train", attempt, return_hydra_config=True)
                break
            except _FAILURES:
                continue
    if cfg is None:
        preflight(command, "train", conf_dir())
        refuse("a config that can be composed", " ".join(command.overrides), "See it with --cfg job.")
    expect_logs_folder(cfg)
    return cfg


def expect_logs_folder(cfg: DictConfig) -> None:
    """Refuse a file at the path of the folder of all runs.

    Raises:
        UserError: `paths.logs` is a file.
    """
    logs = Path(cfg.paths.logs)
    expect(logs.is_dir() or not logs.exists(), "a folder for paths.logs", f"{logs}, which is a file")


def runs_folder(command: CommandLine) -> Path:
    """Return the folder that contains the run directories of a command line."""
    return Path(compose_places(command.without("hydra.run.dir")).hydra.run.dir).parent


def sweeps_folder(command: CommandLine) -> Path:
    """Return the folder that contains the sweep directories of a command line."""
    return Path(compose_places(command.without("hydra.sweep.dir")).hydra.sweep.dir).parent
