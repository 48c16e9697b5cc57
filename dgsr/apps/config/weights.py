"""Split the weights of losses, which the config keeps beside each loss, into the mapping that the objective takes."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf, open_dict

from dgsr.apps.config.annotations import locate, parameters

_LOSSES = "objective.losses"


def split_weights(cfg: DictConfig, keep_unused: bool = False) -> DictConfig:
    """Return a copy of a training's config in which `objective.weights` holds the weight of each loss.

    A loss of weight 0 and a null one are left out. A class with its own parameter `weight` receives its weight, too.

    Args:
        cfg: The composed config.
        keep_unused: Keep losses of weight 0, to check their other keys.
    """
    cfg = copy.deepcopy(cfg)
    losses = _losses(cfg)
    if losses is None:
        return cfg
    weights: dict[str, float] = {}
    with open_dict(cfg):
        for name in list(losses):
            node = losses[name]
            weight = node.get("weight", 0) if isinstance(node, DictConfig) else 0
            if node is None or not (weight or keep_unused):
                del losses[name]
                continue
            weights[str(name)] = float(weight)
            if not _takes_weight(node):
                node.pop("weight", None)
        cfg.objective.weights = weights
    return cfg


def problems_of_losses(cfg: DictConfig) -> Iterator[str]:
    """Name each loss that is not a node with `_target_` and a number as its weight."""
    for name, node in (_losses(cfg) or {}).items():
        where = f"{_LOSSES}.{name}"
        if node is None:
            continue
        if not isinstance(node, DictConfig):
            yield f"Expected a loss with _target_ and weight for {where}, but got {node!r}. Set {where}.weight=…."
            continue
        if "_target_" not in node:
            yield f"Expected a value for {where}._target_, but got none. Name the class of the loss."
        if OmegaConf.is_missing(node, "weight") or "weight" not in node:
            yield f"Expected a value for {where}.weight, but got none. Set {where}.weight=…."
        elif not isinstance(node.weight, int | float) or isinstance(node.weight, bool):
            yield f"Expected a float for {where}.weight, but got {node.weight!r}."


def _losses(cfg: DictConfig) -> DictConfig | None:
    losses = OmegaConf.select(cfg, _LOSSES)
    return losses if isinstance(losses, DictConfig) else None


def _takes_weight(node: DictConfig) -> bool:
    try:
        return "weight" in parameters(locate(str(node["_target_"])))
    except (ImportError, AttributeError, ValueError, KeyError):
        return False  # the strict check reports it
