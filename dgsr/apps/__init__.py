"""What stands nearest to the user: configurations read strictly, programs that end with a sentence."""

from dgsr.apps.configs import check, conf_dir
from dgsr.apps.entry import run_cleanly
from dgsr.apps.overrides import preflight
from dgsr.apps.schema import EvaluateConfig, TrainConfig

__all__ = ["EvaluateConfig", "TrainConfig", "check", "conf_dir", "preflight", "run_cleanly"]
