"""The one-step formula against diffusers' own scheduler."""

from __future__ import annotations

import pytest
import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.models.backbones.denoising import clean_latent


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_one_step_of_the_scheduler(prediction):
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction, clip_sample=False
    )
    latent, predicted = torch.randn(2, 3, 4, 8, 8)
    expected = scheduler.step(predicted, 600, latent, return_dict=False)[1]
    ours = clean_latent(latent, predicted, float(scheduler.alphas_cumprod[600]), prediction)
    torch.testing.assert_close(ours, expected)
