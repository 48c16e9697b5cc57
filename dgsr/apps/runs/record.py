"""Write and read a run's record in `.hydra/`: how it was last started, to find and resume it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dgsr import files
from dgsr.apps.config.command_line import Setting
from dgsr.apps.config.renamed import rename_overrides
from dgsr.apps.config.sources import PROVIDER
from dgsr.checks import expect, refuse

#: Keys that apply to a single start of a run.
ONE_START = ("resume", "allow_changes", "ckpt_path", "hydra.run.dir")

_FOLDER = ".hydra"
_REMEDY = "Fix it, or move the run away."


def lasting(overrides: Iterable[object]) -> list[str]:
    """Return the overrides of a run without those that apply to a single start."""
    return [text for text in map(str, overrides) if Setting.parse(text).key not in ONE_START]


def write_record(run: Path, cfg: DictConfig) -> None:
    """Write the composed config, Hydra's config and the overrides of this start; do nothing without Hydra.

    Hydra itself would write them before the start can be refused.
    """
    if not HydraConfig.initialized():
        return
    hydra = HydraConfig.get()
    for name, node in {"config": cfg, "hydra": OmegaConf.create({"hydra": hydra})}.items():
        files.write_text(run / _FOLDER / f"{name}.yaml", OmegaConf.to_yaml(node))
    write_overrides(run, hydra.overrides.task)


def write_overrides(run: Path, overrides: Iterable[str]) -> None:
    """Write the overrides that a run is started with."""
    files.write_text(run / _FOLDER / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(list(overrides))))


def saved_overrides(run: Path) -> list[str]:
    """Return the overrides of a run's last start; none if it has no record.

    Raises:
        UserError: The record is damaged.
    """
    file = run / _FOLDER / "overrides.yaml"
    saved = read_config(file, "a list of overrides")
    # OmegaConf reads an empty file as an empty mapping.
    expect(OmegaConf.is_list(saved) or not saved, "a list of overrides", file, _REMEDY)
    return rename_overrides(lasting(saved or []))


def saved_config_dir(run: Path) -> Path | None:
    """Return the `--config-dir` of a run's last start.

    Raises:
        UserError: The record is damaged.
    """
    file = run / _FOLDER / "hydra.yaml"
    saved = read_config(file, "Hydra's settings")
    expect(OmegaConf.is_dict(saved) or not saved, "Hydra's settings", file, _REMEDY)
    sources = OmegaConf.select(saved, "hydra.runtime.config_sources") if saved else []
    return next((Path(source.path) for source in sources or [] if source.provider == PROVIDER), None)


def read_config(file: Path, expected: str, remedy: str = _REMEDY) -> Any:
    """Read a YAML file; None if it does not exist.

    Raises:
        UserError: It is not YAML.
    """
    try:
        return OmegaConf.load(file) if file.is_file() else None
    except (YAMLError, UnicodeDecodeError, OmegaConfBaseException, OSError) as error:
        refuse(expected, f"{file} ({' '.join(str(error).split())})", remedy)
