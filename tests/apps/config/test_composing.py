"""Configs composed outside their program are those it would run with, and as strictly checked."""

from __future__ import annotations

import pytest

from dgsr.apps.config.composing import composed
from dgsr.checks import UserError


def test_overrides_count() -> None:
    cfg = composed("train", ["experiment=quick", "data.crop_px=96"])
    assert (cfg.data.crop_px, cfg.scale, cfg.paths.run) == (96, 4, "none")


def test_a_mistyped_key_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        composed("train", ["data.crp_px=96"])
    assert stop.value.code == 2
    assert "Did you mean data.crop_px?" in capsys.readouterr().err


@pytest.mark.parametrize("swept", ["seed=0,1", "seed=range(3)", "degradation=s3diff,none"])
def test_several_runs_at_once_are_refused(swept: str) -> None:
    with pytest.raises(UserError, match=r"the arguments of one run.*one value"):
        composed("train", [swept])


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(UserError, match=r"estimator\.path"):
        composed("train", ["experiment=paper"])
