"""Resume from an undamaged checkpoint of the same networks and photographs; changed settings are listed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from dgsr.apps.runs.continuation import differences, expect_continuable, latest_whole, plain_config, report_changes
from dgsr.checks import UserError
from dgsr.models.discriminators import DinoDiscriminator
from dgsr.models.estimator import DegradationEstimator
from dgsr.training.tasks.restoration import SuperResolution
from tests.small_run import make_module


def _write(path: Path, step: int) -> None:
    torch.save({"dgsr": {"step": step}, "state_dict": {"a": torch.zeros(1000)}}, path)


def test_damaged_checkpoints_are_skipped_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for step in (8, 9, 10):
        _write(tmp_path / f"step_{step:07d}.ckpt", step)
    newest = tmp_path / "step_0000010.ckpt"
    (tmp_path / "last.ckpt").hardlink_to(newest)
    assert latest_whole(tmp_path) == tmp_path / "last.ckpt"

    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    assert latest_whole(tmp_path) == tmp_path / "step_0000009.ckpt"
    assert "last.ckpt" in caplog.text

    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="Start a new run"):
        latest_whole(tmp_path)


def test_other_networks_and_other_photographs_are_refused_unless_allowed(caplog: pytest.LogCaptureFixture) -> None:
    module, path = make_module(), Path("a.ckpt")
    ours = {"fingerprint": module.generator.fingerprint(), "description": {}}
    callbacks = {"Provenance": {"config": {}, "data": "print"}}
    good: dict[str, Any] = {"optimizer_states": [], "dgsr": ours, "callbacks": callbacks}
    expect_continuable(good, path, module, "print", allow_changes=False)

    rank: dict[str, Any] = {"generator": {"unet_rank": 8}}
    key = "generator.adapters.main.unet.rank"
    for changed, words in [
        (good | {"dgsr": ours | {"fingerprint": "?"}}, "another backbone"),
        (good | {"dgsr": {"fingerprint": "?", "description": rank}}, f"{key} 4 instead of 8"),
        (good | {"callbacks": {"Provenance": {"data": "another"}}}, r"photographs in data\.train"),
    ]:
        if "rank" in words:
            module.description = {"generator": {"adapters": {"main": {"unet": {"rank": 4}}}}}
        with pytest.raises(UserError, match=words):
            expect_continuable(changed, path, module, "print", allow_changes=False)
        expect_continuable(changed, path, module, "print", allow_changes=True)
        assert "Resuming with" in caplog.text
        caplog.clear()
    with pytest.raises(UserError, match="with its optimizers"):
        expect_continuable({"dgsr": ours}, path, module, "print", allow_changes=True)


Rebuild = Callable[[SuperResolution], Any]


def _judge(seed: int) -> Rebuild:
    small: Any = {"backbone": "test_vit", "weights": "random", "blocks": (2,), "input_px": 64, "width": 8}
    return lambda module: setattr(module.critics["gan"], "network", DinoDiscriminator(**small, seed=seed))


def _estimator(**changes: Any) -> Rebuild:
    return lambda module: setattr(module, "estimator", DegradationEstimator.random(**changes))


def _described(**description: Any) -> Rebuild:
    return lambda module: module.description.update(description)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (_estimator(), _estimator(seed=1), "but got estimator with other frozen weights"),
        (_estimator(), _estimator(down_scales=(1, 1, 1, 2)), "estimator with other frozen weights"),
        (_judge(0), _judge(1), "discriminator with other frozen weights"),
        (_described(scale=4), _described(scale=2), r"but got scale 2 instead of 4\."),
    ],
)
def test_other_frozen_networks_and_another_scale_are_refused_if_recorded(
    before: Rebuild, now: Rebuild, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, same, other = (make_module() for _ in range(3))
    for module, rebuild in [(first, before), (same, before), (other, now)]:
        module.description = {}
        rebuild(module)
    checkpoint: dict[str, Any] = {"optimizer_states": []}
    first.on_save_checkpoint(checkpoint)
    expect_continuable(checkpoint, Path("a.ckpt"), same, "", allow_changes=False)
    with pytest.raises(UserError, match=words):
        expect_continuable(checkpoint, Path("a.ckpt"), other, "", allow_changes=False)
    assert not caplog.text
    expect_continuable(checkpoint, Path("a.ckpt"), other, "", allow_changes=True)
    assert "Resuming with" in caplog.text
    del checkpoint["dgsr"]["guides"]
    checkpoint["dgsr"]["description"].pop("scale", None)
    expect_continuable(checkpoint, Path("a.ckpt"), other, "", allow_changes=False)


def test_a_changed_estimator_is_described_by_its_settings() -> None:
    first, other = make_module(), make_module()
    first.description, other.description = ({"estimator": {"seed": seed}} for seed in (0, 1))
    other.estimator = DegradationEstimator.random(1)
    checkpoint: dict[str, Any] = {"optimizer_states": []}
    first.on_save_checkpoint(checkpoint)
    with pytest.raises(UserError, match=r"but got estimator\.seed 1 instead of 0\."):
        expect_continuable(checkpoint, Path("a.ckpt"), other, "", allow_changes=False)
    other.estimator = first.estimator  # a file of the same weights in another place
    del other.guide_prints
    expect_continuable(checkpoint, Path("a.ckpt"), other, "", allow_changes=False)


def test_changed_settings_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    before = OmegaConf.create({"run": {"steps": 3, "save": "${.steps}"}, "resume": None, "paths": {"run": "a"}})
    now = OmegaConf.create({"run": {"steps": 5, "save": "${.steps}"}, "resume": "b", "paths": {"run": "b"}})
    checkpoint = {"callbacks": {"Provenance": {"config": plain_config(before), "data": ""}}}
    with caplog.at_level(logging.INFO, "dgsr"):
        report_changes(checkpoint, plain_config(now))
    assert [record.getMessage() for record in caplog.records] == ["Changed: run.steps 5 instead of 3"]


def test_differences_include_keys_of_one_side() -> None:
    assert differences({"a": {"b": 1}, "c": [1]}, {"a": {"b": 1, "d": 2}, "c": [2]}) == [
        "a.d 2 instead of its default",
        "c [2] instead of [1]",
    ]
