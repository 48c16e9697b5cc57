"""Test progress without a terminal."""

from __future__ import annotations

import logging

import pytest

from dgsr.training.callbacks import Progress
from tests.small_run import make_data, make_module, make_trainer


def test_log_lines_contain_steps_losses_and_speed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dgsr"):
        make_trainer(callbacks=[Progress(every_steps=2)]).fit(make_module(3), make_data())
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("dgsr")]
    assert [line.split()[1] for line in lines] == ["2/3", "3/3"]
    assert all(
        word in lines[0]
        for word in ("mse", "gan", "discriminator", "grad_norm/generator", "samples/s", "0:00:0", "left")
    )
