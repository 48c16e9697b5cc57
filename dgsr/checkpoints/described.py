"""Build the networks that a training checkpoint describes; only known constructors are called, with plain values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from dgsr.checks import UserError, expect, refuse
from dgsr.models.adapters.options import from_flat
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import FOR_TRAINING

#: How earlier versions described a network that a run does not have; now it is null.
_ABSENT = "types.NoneType"

T = TypeVar("T")


def name_of(constructor: Callable[..., Any]) -> str:
    """Return the name by which a description calls a constructor."""
    return f"{constructor.__module__}.{constructor.__qualname__}"


_GENERATORS = {name_of(make): make for make in (OneStepGenerator.from_backbone, OneStepGenerator.tiny)}
_SCORING = (DegradationEstimator.from_file, DegradationEstimator.random, DegradationEstimator.untrained)
_ESTIMATORS = {name_of(make): make for make in _SCORING}


def described_generator(node: Any, path: Path, backbone: str | None = None) -> OneStepGenerator:
    """Build the generator that a training checkpoint describes, without its trained weights.

    Args:
        node: The description in the file.
        path: The file, for errors.
        backbone: Folder or hub id of the diffusion model, in place of the recorded one.

    Raises:
        UserError: The checkpoint is of another task, or describes something other than a generator of this project.
    """
    present = not _is_absent(node)
    expect(present, "a checkpoint of a generator", f"{path}, of another task", "Its result lies in exported/.")
    node = _node(node, path)
    if backbone is not None:
        expect("path" in node, "a checkpoint over a backbone", f"{path}, which needs none", "Name no backbone.")
        node = node | {"path": backbone}
    return _built(node | FOR_TRAINING, _GENERATORS, path)


def described_estimator(node: Any, path: Path) -> DegradationEstimator | None:
    """Build the estimator that a training checkpoint describes, if it describes one.

    Raises:
        UserError: It describes something other than an estimator of this project, or its weight file is missing.
    """
    if _is_absent(node):
        return None
    node = _node(node, path)
    beside = path.with_name(Path(str(node.get("path"))).name)
    if node.get("path") == beside.name and beside.is_file():  # written together, and perhaps moved together since
        node = node | {"path": str(beside)}
    return _built(node, _ESTIMATORS, path)


def up_to_date(description: dict[str, Any]) -> dict[str, Any]:
    """Return the description in a checkpoint of an earlier version as this version writes it, for comparisons."""
    nodes = {name: None if _is_absent(node) else node for name, node in description.items()}
    generator = nodes.get("generator")
    return nodes | {"generator": from_flat(generator)} if isinstance(generator, dict) else nodes


def _is_absent(node: Any) -> bool:
    return node is None or (isinstance(node, dict) and node.get("_target_") == _ABSENT)


def _node(node: Any, path: Path) -> dict[str, Any]:
    named = isinstance(node, dict) and isinstance(node.get("_target_"), str)
    expect(named, "a description of networks", f"{node} in {path}", "Get the file again.")
    return node


def _built(node: dict[str, Any], constructors: dict[str, Callable[..., T]], path: Path) -> T:
    """Call the constructor that a description names; never by Hydra, which would also call nodes inside."""
    target = node["_target_"]
    expect(target in constructors, "networks of dgsr", f"{path} with {target}", "Such a file could run any code.")
    arguments = {name: value for name, value in node.items() if name != "_target_"}
    try:
        return constructors[target](**arguments)
    except UserError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        refuse(
            f"options that {target} knows", f"{path} ({str(error).splitlines()[0]})", "Get it again, or update dgsr."
        )
