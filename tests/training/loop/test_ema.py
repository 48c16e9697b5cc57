"""Test the average of weights and its use in validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import UserError
from dgsr.models.generator import OneStepGenerator
from dgsr.training.loop.ema import Ema
from tests.small_run import make_data, make_module, make_trainer

NAME = "unet.conv_in.bias"


def test_average_equals_the_weighted_sum() -> None:
    generator, ema = OneStepGenerator.tiny(), Ema(0.5)
    weight = generator.get_parameter(NAME)
    recorded = [torch.full_like(weight, float(value)) for value in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)]
    weight.data.copy_(recorded[0])
    ema.start(generator)
    for step, value in enumerate(recorded[1:]):
        weight.data.copy_(value)
        ema.update(generator, step)
    decays = [min(0.5, (1 + step) / (10 + step)) for step in range(10)]  # 0.1, 2/11, …, then 0.5
    shares = [torch.tensor([1 - own, *decays[step + 1 :]]).prod() for step, own in enumerate(decays)]
    first = torch.tensor(decays).prod() * recorded[0]
    expected = first + sum(share * value for share, value in zip(shares, recorded[1:], strict=True))
    torch.testing.assert_close(ema.average[NAME], expected)
    assert torch.equal(weight, recorded[-1])


def test_average_is_swapped_in_and_out() -> None:
    generator, ema = OneStepGenerator.tiny(), Ema(0.9)
    weight = generator.get_parameter(NAME)
    raw = weight.detach().clone()
    ema.swap_in(generator)
    assert torch.equal(weight, raw)
    ema.swap_out(generator)
    ema.start(generator)
    weight.data.add_(1)
    ema.swap_in(generator)
    assert torch.equal(weight, raw)
    for _ in range(2):  # the second has nothing to restore
        ema.swap_out(generator)
        assert torch.equal(weight, raw + 1)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_interrupted_validation_restores_the_weights(error: type[BaseException]) -> None:
    class Failing(lightning.Callback):
        def on_validation_batch_end(self, *_: Any) -> None:
            assert not torch.equal(module.generator.get_parameter(NAME), raw[NAME])
            raise error

    class Remember(lightning.Callback):
        def on_validation_start(self, *_: Any) -> None:
            raw.update({name: tensor.clone() for name, tensor in module.generator.trainable_state().items()})

    raw = dict[str, torch.Tensor]()
    module = make_module(2, adversarial=False, ema_decay=0.9)
    trainer = make_trainer(validate_every_steps=1, callbacks=[Remember(), Failing()])
    with pytest.raises((error, SystemExit)):
        trainer.fit(module, make_data())
    assert all(torch.equal(tensor, raw[name]) for name, tensor in module.generator.trainable_state().items())


def test_half_precision_weights_are_averaged_in_fp32() -> None:
    generator = OneStepGenerator.tiny().to(torch.bfloat16)
    ema = Ema(0.999)
    ema.start(generator)
    assert {tensor.dtype for tensor in ema.average.values()} == {torch.float32}


def test_run_validates_and_saves_the_average(tmp_path: Path) -> None:
    module, trainer = make_module(2, adversarial=False, ema_decay=0.9), make_trainer(validate_every_steps=2)
    trainer.fit(module, make_data())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    checkpoint = read_checkpoint(tmp_path / "a.ckpt")
    raw, average = (generator_state(checkpoint, weights) for weights in ("raw", "ema"))
    assert raw.keys() == average.keys()
    assert all(torch.equal(tensor, raw[name]) for name, tensor in module.generator.trainable_state().items())
    assert not torch.equal(raw[NAME], average[NAME])

    result = {}
    for name, state in {"raw": raw, "ema": average}.items():
        plain = make_module(2, adversarial=False)
        plain.generator.load_trainable_state(state)
        plain.step = 2
        make_trainer().validate(plain, make_data(), verbose=False)
        result[name] = plain.validations[-1]["psnr"]
    assert module.validations[-1]["psnr"] == result["ema"] != result["raw"]


def test_decay_outside_0_and_1_is_refused() -> None:
    for decay in (0.0, 1.0):
        with pytest.raises(UserError, match=r"run\.ema_decay between 0 and 1"):
            Ema(decay)
