"""Draw random degradations as recipes and apply them to images, reproducibly."""

from dgsr.degradation.draws import draw
from dgsr.degradation.extra import ExtraOperator
from dgsr.degradation.operators import Operator
from dgsr.degradation.pipeline import Backend, degrade, degrade_steps, degraded_pair
from dgsr.degradation.presets import preset
from dgsr.degradation.recipe import Recipe
from dgsr.degradation.spec import Spec, StageSpec

__all__ = [
    "Backend",
    "ExtraOperator",
    "Operator",
    "Recipe",
    "Spec",
    "StageSpec",
    "degrade",
    "degrade_steps",
    "degraded_pair",
    "draw",
    "preset",
]
