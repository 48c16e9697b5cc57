"""Presets and changes of their fields."""

from __future__ import annotations

import pytest

from dgsr.checks import UserError
from dgsr.degradation import preset
from dgsr.degradation.presets import PRESETS


def test_presets_have_the_published_numbers():
    s3diff, stronger = preset("s3diff"), preset("real_esrgan")
    assert [stage.sigma_range for stage in s3diff.stages] == [(0.2, 1.5), (0.2, 1.0)]
    assert [stage.jpeg_range for stage in s3diff.stages] == [(60, 95), (60, 100)]
    assert [stage.blur_prob for stage in stronger.stages] == [1.0, 0.8]
    assert [stage.poisson_range for stage in stronger.stages] == [(0.05, 3), (0.05, 2.5)]
    assert (s3diff.clean_prob, stronger.clean_prob) == (0.01, 0.0)
    assert stronger.round_8bit
    assert stronger.sharpen_target


def test_fields_of_a_preset_can_be_changed():
    assert preset("bicubic", scale=2).scale == 2
    assert PRESETS["bicubic"].scale == 4


@pytest.mark.parametrize("number", [1, "1"])
def test_fields_of_one_stage_can_be_changed(number):
    before, after = PRESETS["s3diff"].stages, preset("s3diff", stages={number: {"jpeg_range": [30, 60]}}).stages
    assert after[0] == before[0]
    assert (after[1].jpeg_range, after[1].sigma_range) == ((30, 60), before[1].sigma_range)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({2: {"jpeg_range": (30, 60)}}, "stages out of 0, 1, but got 2"),
        ({0: {"jpg_range": (30, 60)}}, "fields of a stage: sigma_range.*but got jpg_range of stage 0"),
        ({0: 5}, "fields by name for stage 0, but got 5"),
        ([{"jpeg_range": (30, 60)}], r"StageSpec, but got \{'jpeg_range'"),
        ({0: {"jpeg_range": (60, 30)}}, "two rising numbers"),
    ],
)
def test_wrong_stage_changes_are_refused(stages, message):
    with pytest.raises(UserError, match=message):
        preset("s3diff", stages=stages)


def test_changes_by_number_and_by_text_are_merged():
    stage = preset("s3diff", stages={0: {"noise_prob": 0.5, "codec_prob": 0.4}, "0": {"noise_prob": 0.3}}).stages[0]
    assert (stage.noise_prob, stage.codec_prob) == (0.3, 0.4)


def test_unknown_presets_are_refused():
    with pytest.raises(UserError, match=r"s3diff, real_esrgan.*but got s3dif"):
        preset("s3dif")
