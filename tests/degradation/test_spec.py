"""Specs refuse mistakes before anything is drawn."""

from __future__ import annotations

import dataclasses

import pytest

from dgsr.checks import UserError
from dgsr.degradation import Spec, preset

STAGE = preset("s3diff").stages[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blur_prob": 1.5}, "blur_prob to be a probability, but got 1.5"),
        ({"kind_probs": (0.5, 0.5)}, "kind_probs to be 6 probabilities"),
        ({"resize_probs": (0.5, 0.5, 0.5)}, "resize_probs to be 3 probabilities"),
        ({"sigma_range": (2.0, 1.0)}, "sigma_range to be two rising numbers"),
        ({"sigma_range": (0.0, 1.0)}, "sigma_range to be two rising numbers"),
        ({"jpeg_range": (60, 90, 95)}, "jpeg_range to be two rising numbers"),
        ({"plateau_beta_range": (1.5, 2.0)}, "plateau_beta_range to hold 1"),
        ({"kernel_size_range": (7, 20)}, "kernel_size_range to be two odd numbers"),
    ],
)
def test_wrong_stages_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(STAGE, **change)


@pytest.mark.parametrize("change", [{"scale": 0}, {"clean_prob": -0.1}, {"full_blur_px": 0.0}])
def test_wrong_specs_are_refused(change):
    with pytest.raises(UserError, match=next(iter(change))):
        Spec(**change)


def test_lists_equal_tuples():
    stage = dataclasses.replace(STAGE, jpeg_range=[60, 95], kind_probs=list(STAGE.kind_probs))
    assert stage == STAGE
    assert hash(Spec(stages=[stage])) == hash(Spec(stages=(STAGE,)))
