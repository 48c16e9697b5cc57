"""The metrics of conf/metrics/default.yaml, for tests that measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from dgsr.metrics import Metric, Suite

CONFIG = Path(__file__).parents[1] / "conf" / "metrics" / "default.yaml"


def build(names: Sequence[str], **changes: Any) -> dict[str, Metric]:
    return _instantiate(names, "dgsr.metrics.build", **changes)


def build_available(names: Sequence[str], **changes: Any) -> Suite:
    return _instantiate(names, "dgsr.metrics.build_available", **changes)


def _instantiate(names: Sequence[str], target: str, **changes: Any) -> Any:
    config = OmegaConf.create({"features": "auto", "metrics": OmegaConf.load(CONFIG)})
    config.metrics.update({"names": list(names), "_target_": target, **changes})
    try:
        return instantiate(config.metrics)
    except InstantiationException as error:
        raise error.__cause__ or error from None
