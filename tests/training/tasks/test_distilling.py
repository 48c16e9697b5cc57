"""Test distillation against the sampler of diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from dgsr.checks import UserError
from dgsr.metrics import Psnr
from dgsr.models.denoiser import Denoiser
from dgsr.training.tasks.distilling import DistillationTraining, walk
from tests import tiny
from tests.small_run import make_data, make_settings, make_trainer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_autoencoder(tmp_path_factory.mktemp("autoencoder"))


@torch.no_grad()
def test_path_equals_the_sampler_of_diffusers(folder: Path) -> None:
    denoiser, noisy = Denoiser(folder, **tiny.DENOISER), torch.randn(1, 16, 8, 8)
    schedule: Any = DDIMScheduler.from_config(
        denoiser.backbone.scheduler.config, set_alpha_to_one=False, clip_sample=False
    )
    schedule.num_inference_steps = 200  # steps of 5 timesteps, of which the last five
    expected = noisy
    for timestep in (25, 20, 15, 10, 5):
        predicted = denoiser(expected, torch.tensor([timestep]), denoiser.prompts.positive)
        step = schedule.step(predicted, timestep, expected)
        expected = step.prev_sample
    result = walk(denoiser, noisy, denoiser.prompts.positive, timestep=25, steps=5)
    torch.testing.assert_close(result, step.pred_original_sample)  # pyright: ignore


def test_student_approaches_its_teacher(folder: Path) -> None:
    student, teacher = (Denoiser(folder, seed=seed, **tiny.DENOISER) for seed in (0, 1))
    run = DistillationTraining(student, teacher, {"psnr": Psnr()}, make_settings(8, lr=3e-3), teacher_steps=2)
    data, before = make_data(), teacher.trainable_state()
    drawn = run.draw(run.prepare(next(iter(data.train_dataloader_from(0)))))
    with torch.no_grad():
        at_first = run.losses(drawn)["distillation"]
    make_trainer().fit(run, data)
    with torch.no_grad():
        assert run.losses(drawn)["distillation"] < 0.9 * at_first
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.trainable_state().items())
    assert not any(name.startswith("teacher") for name in run.state_dict())


def test_teacher_is_a_guide(folder: Path) -> None:
    networks = [Denoiser(folder, seed=seed, **tiny.DENOISER) for seed in (0, 1, 2)]
    runs = [DistillationTraining(networks[0], one, {"psnr": Psnr()}, make_settings(1)) for one in networks[1:]]
    first, other = (run.guide_prints for run in runs)
    assert first.keys() == other.keys() == {"task.teacher"}
    assert first != other


def test_invalid_teacher_steps_are_refused(folder: Path) -> None:
    denoiser = Denoiser(folder, **tiny.DENOISER)
    with pytest.raises(UserError, match=r"task\.teacher_steps of 1 to 250"):
        DistillationTraining(denoiser, denoiser, {"psnr": Psnr()}, make_settings(1), teacher_steps=0)
