"""Presets: published degradations by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from dgsr.checks import expect
from dgsr.degradation.extra import ExtraOperator
from dgsr.degradation.spec import Spec, StageSpec

_S3DIFF_FIRST = StageSpec(
    sigma_range=(0.2, 1.5),
    generalized_beta_range=(0.5, 2),
    plateau_beta_range=(1, 1.5),
    resize_probs=(0.2, 0.7, 0.1),
    resize_range=(0.3, 1.5),
    gaussian_range_255=(1, 15),
    poisson_range=(0.05, 2),
    jpeg_range=(60, 95),
)
_S3DIFF_SECOND = StageSpec(
    blur_prob=0.5,
    sigma_range=(0.2, 1.0),
    generalized_beta_range=(0.5, 2),
    plateau_beta_range=(1, 1.5),
    resize_probs=(0.3, 0.4, 0.3),
    resize_range=(0.6, 1.2),
    gaussian_range_255=(1, 12),
    poisson_range=(0.05, 1),
    jpeg_range=(60, 100),
)
_REAL_ESRGAN_FIRST = StageSpec(
    sigma_range=(0.2, 3),
    generalized_beta_range=(0.5, 4),
    plateau_beta_range=(1, 2),
    resize_probs=(0.2, 0.7, 0.1),
    resize_range=(0.15, 1.5),
    gaussian_range_255=(1, 30),
    poisson_range=(0.05, 3),
    jpeg_range=(30, 95),
)
_REAL_ESRGAN_SECOND = StageSpec(
    blur_prob=0.8,
    sigma_range=(0.2, 1.5),
    generalized_beta_range=(0.5, 4),
    plateau_beta_range=(1, 2),
    resize_probs=(0.3, 0.4, 0.3),
    resize_range=(0.3, 1.2),
    gaussian_range_255=(1, 25),
    poisson_range=(0.05, 2.5),
    jpeg_range=(30, 95),
)

_S3DIFF = Spec(stages=(_S3DIFF_FIRST, _S3DIFF_SECOND), clean_prob=0.01, full_blur_px=4.4, full_noise_255=15.0)
_REAL_ESRGAN = Spec(stages=(_REAL_ESRGAN_FIRST, _REAL_ESRGAN_SECOND), full_blur_px=7.5, full_noise_255=26.0)

PRESETS: dict[str, Spec] = {
    "s3diff": _S3DIFF,
    "real_esrgan": dataclasses.replace(_REAL_ESRGAN, round_8bit=True, sharpen_target=True),
    "bsrgan_like": dataclasses.replace(
        _REAL_ESRGAN, final_sinc_prob=0.0, shuffled=True, full_blur_px=23.0, full_noise_255=32.0
    ),
    "bicubic": Spec(reduction="bicubic_antialiased"),
    "none": Spec(reduction="area"),
}


def preset(name: str, **changes: Any) -> Spec:
    """Return a preset, with some of its fields changed.

    Change fields of a single stage by its number, from 0:

    >>> preset("s3diff", clean_prob=0.0, stages={1: {"jpeg_range": (30, 60)}}).stages[1].jpeg_range
    (30, 60)

    Raises:
        UserError: The preset, stage or field does not exist, or the value is invalid.
    """
    expect(name in PRESETS, f"a preset out of {', '.join(PRESETS)}", name)
    spec = PRESETS[name]
    if isinstance(changes.get("stages"), Mapping):
        changes["stages"] = _changed_stages(spec.stages, changes["stages"])
    wrong = next((stage for stage in changes.get("stages", ()) if not isinstance(stage, StageSpec)), None)
    expect(wrong is None, "stages that are dgsr.degradation.StageSpec", repr(wrong))
    extra = changes.get("extra", {})
    expect(isinstance(extra, Mapping), "extra operators by name", repr(extra), "Set degradation.extra.NAME._target_=…")
    for key, operator in extra.items():
        remedy = "Derive its class from dgsr.degradation.ExtraOperator."
        expect(isinstance(operator, ExtraOperator), f"an extra operator for extra.{key}", repr(operator), remedy)
    return dataclasses.replace(spec, **changes)


def _changed_stages(stages: Sequence[StageSpec], changes: Mapping[int | str, Any]) -> list[StageSpec]:
    """Change fields of some stages; their numbers may be text, as on a command line."""
    by_number: dict[str, dict[str, Any]] = {}
    for number, changed in changes.items():
        expect(isinstance(changed, Mapping), f"fields by name for stage {number}", repr(changed))
        by_number.setdefault(str(number), {}).update(changed)
    known = [str(number) for number in range(len(stages))]
    unknown = ", ".join(by_number.keys() - set(known))
    expect(not unknown, f"stages out of {', '.join(known) or 'none'}", unknown)
    fields = [field.name for field in dataclasses.fields(StageSpec)]
    for number, changed in by_number.items():
        wrong = ", ".join(changed.keys() - set(fields))
        expect(not wrong, f"fields of a stage: {', '.join(fields)}", f"{wrong} of stage {number}")
    return [
        dataclasses.replace(stage, **by_number.get(number, {})) for number, stage in zip(known, stages, strict=True)
    ]
