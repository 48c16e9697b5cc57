"""Test training of a denoiser against the equations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.checks import UserError
from dgsr.metrics import Psnr
from dgsr.models.denoiser import Denoiser
from dgsr.training.tasks.diffusing import DenoiserTraining
from tests import tiny
from tests.small_run import make_data, make_settings, make_trainer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_autoencoder(tmp_path_factory.mktemp("autoencoder"))


def training(folder: Path, max_steps: int = 1, **changes: Any) -> DenoiserTraining:
    return DenoiserTraining(Denoiser(folder, **tiny.DENOISER), {"psnr": Psnr()}, make_settings(max_steps), **changes)


def test_step_equals_a_plain_step_on_the_schedules_target(folder: Path) -> None:
    data, run, plain = make_data(), training(folder), Denoiser(folder, **tiny.DENOISER)
    drawn = run.draw(run.prepare(next(iter(data.train_dataloader_from(0)))))
    schedule: Any = plain.backbone.scheduler
    noisy = schedule.add_noise(drawn.clean, drawn.noise, drawn.timesteps)
    velocity = schedule.get_velocity(drawn.clean, drawn.noise, drawn.timesteps)
    predicted = plain.unet(noisy, drawn.timesteps, drawn.prompt).sample  # pyright: ignore
    (predicted - velocity).square().mean().backward()
    torch.nn.utils.clip_grad_norm_(plain.unet.parameters(), 1.0)
    torch.optim.AdamW(plain.unet.parameters(), 1e-3).step()
    make_trainer().fit(run, data)
    for name, tensor in plain.trainable_state().items():
        torch.testing.assert_close(run.network.trainable_state()[name], tensor, atol=1e-5, rtol=1e-4, msg=name)


def test_draws_follow_seeds_and_shares(folder: Path) -> None:
    run = training(folder, negative_prob=0.5, empty_prob=0.0)
    lq, hq, seeds = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 64, 64), torch.arange(24)
    batch = {"lq": lq.expand(24, -1, -1, -1), "hq": hq.expand(24, -1, -1, -1), "seed": seeds}
    first, again = ([run.draw(piece) for piece in run.prepare(batch).split(2)] for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("clean", "noise", "timesteps"))
    sharp = run.network.encode(hq * 2 - 1)[0]
    for drawn in first:
        for latent, prompt in zip(drawn.clean, drawn.prompt, strict=True):
            is_sharp = torch.allclose(latent, sharp, atol=1e-4)
            assert torch.equal(prompt, getattr(run.network.prompts, "positive" if is_sharp else "negative")[0])
    timesteps = torch.cat([drawn.timesteps for drawn in first])
    assert len(timesteps.unique()) > 12


def test_validation_and_export(folder: Path, tmp_path: Path) -> None:
    run = training(folder)
    make_trainer().validate(run, make_data(), verbose=False)
    assert {"psnr", "latent_mse"} <= run.validations[-1].keys()
    run.export(tmp_path, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prompts.safetensors", "scheduler", "unet", "vae"]


@pytest.mark.parametrize("wrong", [{"negative_prob": 2.0}, {"empty_prob": -0.1}, {"timestep": 1000}])
def test_invalid_settings_are_refused(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"task\.{next(iter(wrong))}"):
        training(folder, **wrong)
