"""The programs: strict configs, runs, sweeps, commands, demo and checks before a run."""

from dgsr.apps.config.checking import check
from dgsr.apps.config.overrides import preflight
from dgsr.apps.config.schema import EvaluateConfig, TrainConfig
from dgsr.apps.config.sources import conf_dir
from dgsr.apps.runs.entry import run_cleanly

__all__ = ["EvaluateConfig", "TrainConfig", "check", "conf_dir", "preflight", "run_cleanly"]
