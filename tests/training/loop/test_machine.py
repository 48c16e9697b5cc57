"""Test the refusal of unsupported trainer settings."""

from __future__ import annotations

from functools import partial

import lightning
import pytest
import torch

from dgsr.checks import UserError
from dgsr.training.loop.machine import build_trainer


def test_supported_settings_build_a_trainer() -> None:
    assert build_trainer(partial(lightning.Trainer, accelerator="cpu", logger=False)).world_size == 1


def test_sharding_is_refused_with_a_reason() -> None:
    with pytest.raises(UserError, match=r"trainer\.strategy=fsdp\. Sharding splits .* trainer=ddp"):
        build_trainer(partial(lightning.Trainer, strategy="fsdp"))


@pytest.mark.parametrize("key", ["max_steps", "max_epochs"])
def test_lightnings_own_step_limit_is_refused(key: str) -> None:
    with pytest.raises(UserError, match=rf"trainer\.{key} of -1, but got 5\. Set run\.max_steps"):
        build_trainer(partial(lightning.Trainer, **{key: 5}))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_missing_device_is_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match="trainer settings for this machine") as caught:
        build_trainer(partial(lightning.Trainer, accelerator="gpu"))
    assert "\n" not in str(caught.value)
