"""Check a composed config strictly: list every mistake in it before anything is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from inspect import Parameter
from typing import Any

from omegaconf import Container, DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, OmegaConfBaseException

from dgsr.apps.config.annotations import describe, fits, locate, options, parameters, value_annotation
from dgsr.apps.config.spelling import alike, unknown_key
from dgsr.apps.config.weights import problems_of_losses, split_weights
from dgsr.checks import UserError

_HYDRA_KEYS = {"_target_", "_partial_", "_args_", "_recursive_", "_convert_"}
_VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_ANYTHING = Parameter("anything", Parameter.KEYWORD_ONLY, annotation=Any)


def check(cfg: DictConfig, schema: type) -> None:
    """Compare a composed config with a dataclass, and each `_target_` node with the signature of its target.

    A node that refers to another (`${other.node}`) is checked at that other place only.

    Raises:
        UserError: Lists every unknown key, wrong type and missing value, one a line.
    """
    problems = list(problems_of_losses(cfg))
    if not problems:
        problems = list(_problems_of_mapping(split_weights(cfg, keep_unused=True), schema, where=""))
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))


def _problems_of_mapping(node: DictConfig, target: Any, where: str) -> Iterator[str]:
    """Compare a mapping with the parameters of a dataclass, class or function."""
    known = parameters(target)
    named = {name: parameter for name, parameter in known.items() if parameter.kind not in _VARIADIC}
    positional = list(named)[: len(node.get("_args_") or ())]
    free = next((parameter for parameter in known.values() if parameter.kind is Parameter.VAR_KEYWORD), None)
    for key in map(str, node):
        place = _join(where, key)
        if key in named:
            yield from _problems_of_value(node, key, named[key], place)
        elif free is not None and key not in _HYDRA_KEYS:
            yield from _problems_of_value(node, key, free, place)
        elif key not in _HYDRA_KEYS:
            yield unknown_key(place, [_join(where, name) for name in named])
    if not node.get("_partial_"):
        for name, parameter in named.items():
            if parameter.default is Parameter.empty and name not in node and name not in positional:
                yield _missing(_join(where, name))


def _problems_of_value(parent: Container, key: Any, parameter: Parameter, where: str) -> Iterator[str]:
    """Check that one value exists, resolves, has valid contents and fits its annotation."""
    if OmegaConf.is_missing(parent, key):
        yield _missing(where)
        return
    try:
        value = parent[key]  # pyright: ignore[reportIndexIssue]
    except InterpolationToMissingValueError:
        return  # reported where that value is set
    except OmegaConfBaseException as error:
        yield f"Expected a value that can be resolved for {where}, but got: {str(error).splitlines()[0]}."
        return
    inside = [] if OmegaConf.is_interpolation(parent, key) else list(_problems_inside(value, parameter, where))
    yield from inside
    is_default = value is None and parameter.default is None  # older libraries write `x: int = None`
    if not inside and not is_default and not fits(value, parameter.annotation):
        yield f"Expected {describe(parameter.annotation)} for {where}, but got {_show(value)}."


def _problems_inside(value: Any, parameter: Parameter, where: str) -> Iterator[str]:
    """Check the values in mappings and lists."""
    if isinstance(value, ListConfig):
        for index in range(len(value)):
            yield from _problems_of_value(value, index, _ANYTHING, _join(where, index))
    elif isinstance(value, DictConfig):
        schemas = [option for option in options(parameter.annotation) if dataclasses.is_dataclass(option)]
        if "_target_" in value:
            yield from _problems_of_target(value, where)
        elif schemas:
            yield from _problems_of_mapping(value, schemas[0], where)
        else:
            inner = Parameter("value", Parameter.KEYWORD_ONLY, annotation=value_annotation(parameter.annotation))
            for key in value:
                yield from _problems_of_value(value, key, inner, _join(where, key))


def _problems_of_target(node: DictConfig, where: str) -> Iterator[str]:
    if OmegaConf.is_missing(node, "_target_"):
        yield _missing(_join(where, "_target_"))
        return
    name = str(node["_target_"])
    try:
        target = locate(name)
    except (ImportError, AttributeError, ValueError) as error:
        similar = _names_beside(name)
        remedy = f"Did you mean {similar[0]}?" if similar else str(error).splitlines()[0]
        yield f"Expected {where}._target_ to name a class or function, but got {name}. {remedy}"
        return
    yield from _problems_of_mapping(node, target, where)


def _names_beside(dotted: str) -> list[str]:
    """Return names of the same module or class that resemble a dotted name."""
    holder = dotted.rpartition(".")[0]
    try:
        return alike(dotted, [f"{holder}.{name}" for name in dir(locate(holder))])
    except (ImportError, AttributeError, ValueError):
        return []


def _missing(where: str) -> str:
    return f"Expected a value for {where}, but got none. Set {where}=…."


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _show(value: Any) -> str:
    if value is None:
        return "null"
    return repr(OmegaConf.to_container(value)) if OmegaConf.is_config(value) else repr(value)
