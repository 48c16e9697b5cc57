"""Extra operators: the extension point of degradations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dgsr.degradation.operators import Operator


@dataclass(frozen=True, kw_only=True)
class ExtraOperator(Operator):
    """Base class of your own operators; derive a frozen dataclass and name it in the config of the degradation.

    Its fields are numbers, texts or lists of these: recipes record them. `apply` must depend on the fields alone. For
    random numbers per pixel, add a field `seed`, set it in `draw` and use `dgsr.seeds.torch_generator`.

    Attributes:
        prob: Probability with which a sample gets the operator; samples drawn as clean never get it.
        at: `start` applies it to `hq`, before all operators but the sharpening of the target; `end` applies it to
            `lq`, after all operators but the rounding.
    """

    prob: float = 1.0
    at: Literal["start", "end"] = "start"

    def __post_init__(self) -> None:
        freeze_lists(self)

    def draw(self, draws: np.random.Generator) -> Operator:
        """Return the operator to apply to one sample; override it to draw parameters with `dataclasses.replace`.

        Args:
            draws: The only source of randomness; its state depends on the sample's seed and the operator's name.
        """
        return self


def freeze_lists(record: Any) -> None:
    """Turn the sequences in a frozen dataclass, which may be lists from a config, into tuples that can be hashed."""
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, Sequence) and not isinstance(value, str):
            object.__setattr__(record, field.name, tuple(value))
