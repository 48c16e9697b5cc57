"""Test measuring of several guidance scales."""

from __future__ import annotations

import pytest

from dgsr.training.callbacks import Guidances
from tests.small_run import make_data, make_module, make_trainer


def test_last_validation_measures_all_scales() -> None:
    module, data = make_module(2, adversarial=False, ema_decay=0.5), make_data()
    usual = module.upscaler.guidance
    trainer = make_trainer(validate_every_steps=1, callbacks=[Guidances([1.0, usual, 3.0])])
    trainer.fit(module, data)
    first, last = module.validations
    assert [name for name in first if "guidance" in name] == []
    assert module.upscaler.guidance == usual
    assert last[f"guidance={usual:g}/psnr"] == pytest.approx(last["psnr"], rel=1e-12)
    assert len({last["guidance=1/psnr"], last["psnr"], last["guidance=3/psnr"]}) == 3

    module.upscaler = module.upscaler.at(guidance=3.0)
    make_trainer().validate(module, data, verbose=False)
    assert module.validations[-1]["psnr"] == pytest.approx(last["guidance=3/psnr"], rel=1e-12)
