"""Recipes: fully decided degradations, which give the same `lq` for the same image every time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from dgsr.checks import UserError, expect, refuse
from dgsr.degradation.operators import OPERATORS, Operator
from dgsr.degradation.strength import blur_px, noise_255


@dataclass(frozen=True)
class Recipe:
    """The operators that turn one image into its `lq`.

    Attributes:
        size: Height and width of `hq`.
        lq_size: Height and width of `lq`.
        operators: The operators, first to last.
        full_blur_px: The blur of strength 1, as a standard deviation in pixels of `hq`.
        full_noise_255: The noise of strength 1, as a standard deviation in grey levels.
        clean: Whether the image is only reduced in size; in the `s3diff` preset by a mean over areas.
            Differs from the paper: its program shows the generator the sharp image itself in these samples.
    """

    size: tuple[int, int]
    lq_size: tuple[int, int]
    operators: tuple[Operator, ...]
    full_blur_px: float
    full_noise_255: float
    clean: bool = False

    @property
    def blur(self) -> float:
        """The true strength of all filters together, in [0, 1]; resizes are not counted."""
        return min(1.0, blur_px(self.operators, self.size) / self.full_blur_px)

    @property
    def noise(self) -> float:
        """The true strength of all noise that later steps leave in the degraded image, in [0, 1]."""
        return min(1.0, noise_255(self.operators, self.size) / self.full_noise_255)

    def describe(self) -> list[str]:
        """Return one short line for each operator, for captions."""
        return [str(operator) for operator in self.operators]

    def __str__(self) -> str:
        sizes = "{1}x{0} to {3}x{2}".format(*self.size, *self.lq_size)
        strengths = f"blur {self.blur:.2f}, noise {self.noise:.2f}{', clean' * self.clean}"
        return "\n  ".join([f"{sizes}, {strengths}", *self.describe()])

    def to_json(self) -> str:
        """Write the recipe as JSON, from which `from_json` makes an equal one."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["operators"] = [{"do": _name(type(o)), **dataclasses.asdict(o)} for o in self.operators]
        return json.dumps(fields, default=np.generic.item)

    @classmethod
    def from_json(cls, text: str, extra: Iterable[type[Operator]] = ()) -> Recipe:
        """Read the JSON that `to_json` wrote; no code is imported for it.

        Args:
            text: The JSON.
            extra: The classes of the extra operators that the recipe may contain.

        Raises:
            UserError: The text is not a recipe, or has an operator that is neither built in nor in `extra`.
        """
        kinds = OPERATORS | {_name(kind): kind for kind in extra}
        try:
            fields = json.loads(text)
            operators = tuple(_operator(kinds, **entry) for entry in fields.pop("operators"))
            sizes = {name: tuple(fields.pop(name)) for name in ("size", "lq_size")}
            return cls(**sizes, operators=operators, **fields)
        except UserError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            remedy = "Write recipes with Recipe.to_json, or correct that entry by hand."
            refuse("the JSON of a recipe", repr(error), remedy)


def _name(kind: type[Operator]) -> str:
    """Return the name of a built-in operator, or the class path of an extra one."""
    return kind.__name__ if OPERATORS.get(kind.__name__) is kind else f"{kind.__module__}.{kind.__qualname__}"


def _operator(kinds: Mapping[str, type[Operator]], do: str, **fields: object) -> Operator:
    remedy = "Pass the classes of extra operators to Recipe.from_json as extra=[...]."
    expect(do in kinds, f"an operator out of {', '.join(kinds)}", do, remedy)
    return kinds[do](**fields)
