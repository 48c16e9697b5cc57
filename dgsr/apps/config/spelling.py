"""Suggest known words that resemble a misspelt one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher

_ALIKE = 0.6


def unknown_key(key: str, known: Collection[str]) -> str:
    """Report an unknown dotted key, with the most similar known one or its siblings.

    >>> unknown_key("data.crp_px", ["data", "data.crop_px", "data.seed"])
    'Expected a known key, but got data.crp_px. Did you mean data.crop_px?'
    >>> unknown_key("lr", ["optimizer", "optimizer.lr"])
    'Expected a known key, but got lr. Did you mean optimizer.lr?'
    >>> unknown_key("data.blue", ["data", "data.crop_px", "data.seed"])
    'Expected a known key, but got data.blue. Known there: crop_px, seed.'
    """
    similar = alike(key, known)
    if similar:
        remedy = f"Did you mean {' or '.join(similar)}?"
    else:
        siblings = sorted(_leaf(other) for other in known if _parent(other) == _parent(key))
        remedy = f"Known there: {', '.join(siblings) or 'nothing'}."
    return f"Expected a known key, but got {key}. {remedy}"


def alike(word: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the known words that resemble one, best first; the last part of a dotted key decides.

    >>> alike("qick", ["quick", "paper"])
    ['quick']
    >>> alike("dta.seed", ["data.seed", "generator.seed", "data.size"])
    ['data.seed']
    """
    leaf_scores = {other: _ratio(_leaf(word), _leaf(other)) for other in known}
    scores = {other: score + _ratio(word, other) for other, score in leaf_scores.items() if score >= _ALIKE}
    best = max(scores.values(), default=0.0)
    return sorted((other for other in scores if scores[other] > best - 0.1), key=lambda other: -scores[other])[:3]


def _ratio(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right).ratio()


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _parent(key: str) -> str:
    return key.rpartition(".")[0]
