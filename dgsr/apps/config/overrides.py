"""Report all mistakes of a Hydra command line at once, one line each; Hydra stops at the first."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.sources import hydra_sources
from dgsr.apps.config.spelling import alike, unknown_key

_BAD_COMMAND_LINE = 2


def preflight(command: CommandLine, config_name: str, config_dir: Path) -> DictConfig | None:
    """Compose a program's config; if overrides are wrong, report each of them and exit.

    For a sweep, the config of its first job is returned. With a flag other than `-m` (`--help`, `--cfg job`, …) nothing
    is composed: Hydra itself reports mistakes, as it does for `hydra.…` keys.

    Raises:
        SystemExit: With code 2, after the mistakes went to standard error.
    """
    if command.single_run().flags:
        return None
    with hydra_sources(config_dir, command.config_dir):
        outcomes = list(_outcomes(command.overrides, config_name))
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if problems:
        sys.stderr.writelines(f"{problem}\n" for problem in dict.fromkeys(problems))
        raise SystemExit(_BAD_COMMAND_LINE)
    return next((outcome for outcome in outcomes if isinstance(outcome, DictConfig)), None)


def first_of_sweep(arguments: Sequence[str]) -> list[str]:
    """Keep only the first value of each override that lists several.

    >>> first_of_sweep(["seed=3,4", "data.crop_px=64"])
    ['seed=3', 'data.crop_px=64']
    """
    parser = OverridesParser.create()
    return [_first(parser, argument) for argument in arguments]


def _first(parser: OverridesParser, argument: str) -> str:
    try:
        override = parser.parse_override(argument)
    except HydraException:
        return argument  # Hydra reports it
    return _lines(override)[0] if override.is_discrete_sweep() else argument


def _outcomes(arguments: Sequence[str], config_name: str) -> Iterator[DictConfig | str]:
    """Check chosen groups by name, and compose every choice of a sweep; return configs or errors."""
    groups, values = [], []
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    for argument in arguments:
        try:
            (override,) = parser.parse_overrides([argument])
        except HydraException:
            yield f"Expected key=value, but got {argument}."
            continue
        if override.key_or_group == "hydra.searchpath":  # neither a sweep's jobs nor a resumed run would receive it
            yield f"Expected no hydra.searchpath, but got {argument}. Say --config-dir FOLDER."
        elif group_options(override.key_or_group) and not override.is_delete():
            wrong = list(_wrong_choices(override))
            yield from wrong
            groups += [] if wrong else [_lines(override)]
        elif not override.is_hydra_override():
            values.append(override)
    for chosen in itertools.product(*groups):
        cfg = _composed(config_name, [*chosen, *(_lines(value)[0] for value in values)])
        if isinstance(cfg, str):
            yield from _blame(values, config_name, chosen)
        else:
            yield cfg


def _blame(values: Sequence[Override], config_name: str, chosen: Sequence[str]) -> Iterator[str]:
    """Compose with one value at a time, to find the values that Hydra refuses."""
    cfg = _composed(config_name, chosen)
    if isinstance(cfg, str):
        yield cfg
        return
    keys = dict(_dotted_keys(OmegaConf.to_container(cfg)))
    known = {*keys, *group_options("", ObjectType.GROUP)}
    for value in values:
        outcome = _composed(config_name, [*chosen, _lines(value)[0]])
        if not isinstance(outcome, str):
            continue
        key, group = value.key_or_group, value.key_or_group.partition(".")[0]
        if key != group and group in keys and keys[group] is None and group_options(group):
            choices = ", ".join(option for option in group_options(group) if option != "none")
            yield f"Expected {group} to be chosen where {key} is set, but got {group}=none. Choose one of {choices}."
        else:
            yield outcome if key in known else unknown_key(key, known)


def _wrong_choices(override: Override) -> Iterator[str]:
    """Name each chosen option that its group does not have."""
    group, options = override.key_or_group, group_options(override.key_or_group)
    chosen = override.sweep_iterator() if override.is_discrete_sweep() else [override.value()]
    for choice in itertools.chain.from_iterable(item if isinstance(item, list) else [item] for item in chosen):
        if choice is None:
            yield f"Expected {group} to be one of {', '.join(options)}, but got null. Say ~{group} to leave it out."
        elif isinstance(choice, str) and "/" not in choice and choice not in options:
            similar = alike(choice, options)
            remedy = f"Did you mean {similar[0]}?" if similar else ""
            yield f"Expected {group} to be one of {', '.join(options)}, but got {choice}. {remedy}".rstrip()


def _lines(override: Override) -> list[str]:
    """Write an override as one line per value of a sweep; an interval stays one line."""
    if override.is_discrete_sweep():
        return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
    return [f"{override.get_key_element()}=null" if override.is_interval_sweep() else str(override.input_line)]


def _composed(config_name: str, lines: Sequence[str]) -> DictConfig | str:
    """Compose, or return Hydra's error as one line."""
    try:
        return compose(config_name, list(lines))
    except (HydraException, OmegaConfBaseException) as error:
        return " ".join(str(error).split())
    except (YAMLError, UnicodeDecodeError) as error:
        return f"Expected configs in YAML, but got: {' '.join(str(error).split())}"
    except RecursionError:
        return "Expected configs that build on others, but got some that build on each other. Fix their defaults."


def group_options(group: str, kind: ObjectType = ObjectType.CONFIG) -> list[str]:
    """Return the choices of a config group, without its private parts; Hydra must be initialized."""
    options = GlobalHydra.instance().config_loader().get_group_options(group, kind)
    return [option for option in options if not option.startswith("_")]


def _dotted_keys(node: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        yield f"{where}{key}", value
        if isinstance(value, dict):
            yield from _dotted_keys(value, f"{where}{key}.")
