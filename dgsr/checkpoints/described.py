"""Networks as a training file describes them: only known constructors are called, and only with plain values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from dgsr.checks import UserError, expect, refuse
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import FOR_TRAINING

#: The description of what is not part of a run.
NOTHING = "types.NoneType"

T = TypeVar("T")


def name_of(constructor: Callable[..., Any]) -> str:
    """Return the name by which a description calls a constructor."""
    return f"{constructor.__module__}.{constructor.__qualname__}"


_GENERATORS = {name_of(make): make for make in (OneStepGenerator.from_backbone, OneStepGenerator.tiny)}
_SCORING = (DegradationEstimator.from_file, DegradationEstimator.random, DegradationEstimator.untrained)
_ESTIMATORS = {name_of(make): make for make in _SCORING}


def described_generator(node: Any, path: Path, backbone: str | None = None) -> OneStepGenerator:
    """Build the generator that a training file describes, without its trained weights.

    Args:
        node: What the file says of it.
        path: The file, for errors.
        backbone: Folder or hub id of the diffusion model, in place of the recorded one.

    Raises:
        UserError: It is of another task, or describes something else than a generator of this project.
    """
    node = _node(node, path)
    other = node["_target_"] == NOTHING
    expect(not other, "a checkpoint of a generator", f"{path}, of another task", "Its result lies in exported/.")
    if backbone is not None:
        expect("path" in node, "a checkpoint over a backbone", f"{path}, which needs none", "Name no backbone.")
        node = node | {"path": backbone}
    return _built(node | FOR_TRAINING, _GENERATORS, path)


def described_estimator(node: Any, path: Path) -> DegradationEstimator | None:
    """Build the estimator that a training file describes, if it describes one.

    Raises:
        UserError: It describes something else than an estimator of this project, or its weights are gone.
    """
    if node is None or _node(node, path)["_target_"] == NOTHING:
        return None
    beside = path.with_name(Path(str(node.get("path"))).name)
    if node.get("path") == beside.name and beside.is_file():  # written together, and perhaps moved together since
        node = node | {"path": str(beside)}
    return _built(node, _ESTIMATORS, path)


def _node(node: Any, path: Path) -> dict[str, Any]:
    named = isinstance(node, dict) and isinstance(node.get("_target_"), str)
    expect(named, "a description of networks", f"{node} in {path}", "Get the file anew.")
    return node


def _built(node: dict[str, Any], constructors: dict[str, Callable[..., T]], path: Path) -> T:
    """Call what a description names; never by Hydra, which would also call whatever stands inside."""
    target = node["_target_"]
    expect(target in constructors, "networks of dgsr", f"{path} with {target}", "Such a file could run any code.")
    arguments = {name: value for name, value in node.items() if name != "_target_"}
    try:
        return constructors[target](**arguments)
    except UserError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        refuse(f"options that {target} knows", f"{path} ({str(error).splitlines()[0]})", "Get it anew, or update dgsr.")
