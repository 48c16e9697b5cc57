"""Annotations: which values from YAML fit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import torch
from omegaconf import OmegaConf

from dgsr.apps.config.annotations import describe, fits, parameters

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True)
class Size:
    """Something a mapping can stand for."""

    width: int


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (3, int),
        (3, float),
        (0.5, float),
        (True, bool),
        ("area", str),
        ("area", Literal["area", "bicubic"]),
        (2, Literal[1, 2]),
        (None, int | None),
        (None, None),
        (4, int | str),
        ("auto", int | str),
        ([1, 2], list[int]),
        ([1, 2.5], Sequence[float]),
        ([0.9, 0.999], tuple[float, float]),
        ([1, 2, 3], tuple[int, ...]),
        ([], list),
        ({"a": 1}, Mapping[str, int]),
        ({"width": 2}, Size),
        ({"_target_": "somewhere"}, Size | None),
        ({"_target_": "somewhere"}, torch.nn.Module),
        ("data/photos", Path),
        ("cpu", torch.device),
        ("anything", Any),
        ({"a": 1}, Any),
        (3, "a name that only a type checker knows"),
    ],
)
def test_values_that_fit(value: Any, annotation: Any) -> None:
    assert fits(_as_config(value), annotation)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (3.0, int),
        ("3", int),
        (True, int),
        (True, float),
        (1, bool),
        (3, str),
        ("nearest", Literal["area", "bicubic"]),
        (True, Literal[1, 2]),
        (None, int),
        (None, torch.nn.Module),
        (["a"], list[int]),
        ("abc", Sequence[str]),
        ([0.9], tuple[float, float]),
        ([0.9, "x"], tuple[float, float]),
        (3, list[int]),
        (3, dict[str, int]),
        (3, Size),
        (3, Path),
        ({"a": 1}, int | str),
        ({"a": 1}, torch.nn.Module),
        ({"a": 1}, Callable[[int], int]),
        ({"_target_": "somewhere"}, int),
        ({"_target_": "somewhere"}, Literal["a"] | None),
    ],
)
def test_values_that_do_not_fit(value: Any, annotation: Any) -> None:
    assert not fits(_as_config(value), annotation)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an int"),
        (float | None, "a float or null"),
        (str, "a text"),
        (Literal["l1", "l2"], "one of l1, l2"),
        (list[int | str], "a list of ints or strs"),
        (tuple[int, int], "a list of 2 ints"),
        (Sequence, "a list"),
        (dict[str, int], "a mapping"),
        (Size, "a Size"),
    ],
)
def test_a_description_for_people(annotation: Any, words: str) -> None:
    assert describe(annotation) == words


def test_parameters_of_a_class_are_those_of_its_constructor() -> None:
    assert parameters(Size)["width"].annotation is int


def test_an_annotation_that_cannot_be_evaluated_is_left_alone() -> None:
    def scale(factor: Fraction) -> None: ...

    assert parameters(scale)["factor"].annotation == "Fraction"
    assert fits(3, parameters(scale)["factor"].annotation)


def test_a_built_in_without_a_signature_takes_anything() -> None:
    assert [parameter.kind.name for parameter in parameters(dict).values()] == ["VAR_KEYWORD"]


def _as_config(value: Any) -> Any:
    return OmegaConf.create(value) if isinstance(value, dict | list) else value
