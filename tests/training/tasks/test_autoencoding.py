"""Test training and export of an autoencoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from dgsr.checks import UserError
from dgsr.degradation import preset
from dgsr.images import to_signed
from dgsr.losses import L1
from dgsr.metrics import Psnr
from dgsr.models.autoencoder import Autoencoder
from dgsr.models.discriminators import PatchDiscriminator
from dgsr.training.critics import Gan
from dgsr.training.loop.sample import Sample
from dgsr.training.objective import Objective
from dgsr.training.tasks.autoencoding import AutoencoderTraining
from tests.small_run import make_data, make_settings, make_trainer

WIDTHS, SHARP = (16, 24, 24, 32), preset("none")


def _training(max_steps: int = 2, start_step: int = 0, **changes: Any) -> AutoencoderTraining:
    given: dict[str, Any] = {"autoencoder": Autoencoder(WIDTHS)}
    return AutoencoderTraining(
        critics={"gan": Gan(PatchDiscriminator(num_scales=1, width=8), "hinge", weight=0.05, start_step=start_step)},
        objective=Objective({"l1": L1()}, {"l1": 1.0}),
        metrics={"psnr": Psnr()},
        settings=make_settings(max_steps),
        **given | changes,
    )


def test_step_equals_a_plain_step_on_reconstruction_and_kl() -> None:
    data, training, plain = make_data(spec=SHARP), _training(1, start_step=9, kl_weight=0.1), Autoencoder(WIDTHS)
    batch = next(iter(data.train_dataloader_from(0)))
    hq = to_signed(batch["hq"])
    sample = Sample(hq, hq, None, batch["seed"])
    optimizer = torch.optim.AdamW(plain.parameters(), 1e-3)
    sr, divergence = plain(hq, sample.noise())
    ((sr - hq).abs().mean() + 0.1 * divergence.mean() / hq[0].numel()).backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    optimizer.step()
    make_trainer().fit(training, data)
    for name, tensor in plain.trainable_state().items():
        torch.testing.assert_close(training.network.trainable_state()[name], tensor, msg=name)


def test_exported_scale_belongs_to_the_exported_step(tmp_path: Path) -> None:
    training = _training()
    training.validations = [{"step": 0, "a/latent_std": 2.0, "b/latent_std": 6.0}, {"step": 5, "latent_std": 0.5}]
    scales = {}
    for step in (3, 5, 7):
        training.export(tmp_path / str(step), step)
        scales[step] = AutoencoderKL.from_pretrained(tmp_path / str(step) / "vae").config["scaling_factor"]
    assert scales == {3: 0.25, 5: 2.0, 7: 2.0}


def test_discriminator_is_trained_from_its_start_step() -> None:
    training = _training(2, start_step=1)
    before = {name: p.detach().clone() for name, p in training.named_parameters() if name.startswith("critic_modules.")}
    trainer = make_trainer()
    trainer.fit(training, make_data(spec=SHARP))
    assert {"train/l1", "train/kl", "train/gan", "train/discriminator"} <= trainer.callback_metrics.keys()
    assert any(not torch.equal(training.get_parameter(name), tensor) for name, tensor in before.items())


def test_exported_latents_have_unit_deviation(tmp_path: Path) -> None:
    training, data = _training(1), make_data(spec=SHARP)
    make_trainer(validate_every_steps=1).fit(training, data)
    training.export(tmp_path, 1)
    vae: Any = AutoencoderKL.from_pretrained(tmp_path / "vae")
    images = [to_signed(data.val_pairs[index]["hq"][None]) for index in range(len(data.val_pairs))]
    latents = [vae.encode(image).latent_dist.mode() * vae.config["scaling_factor"] for image in images]
    deviations = [float(latent.detach().std()) for latent in latents]
    assert sum(deviations) / len(deviations) == pytest.approx(1.0, abs=0.05)


def test_deviation_is_measured_at_export_without_validation(tmp_path: Path) -> None:
    training, data = _training(1), make_data(spec=SHARP)
    make_trainer(limit_val_batches=0).fit(training, data)
    assert training.validations == []
    training.export(tmp_path / "without", 1)
    make_trainer().validate(training, data, verbose=False)
    training.export(tmp_path / "with", 1)
    scales = [
        AutoencoderKL.from_pretrained(tmp_path / name / "vae").config["scaling_factor"] for name in ("without", "with")
    ]
    assert scales[0] == pytest.approx(scales[1], rel=1e-4)


def test_only_the_decoder_can_be_trained(tmp_path: Path) -> None:
    Autoencoder(WIDTHS).save(tmp_path / "vae", scaling_factor=0.7)
    training = _training(autoencoder=Autoencoder(init_from=tmp_path, trained="decoder"))
    before = {name: p.detach().clone() for name, p in training.network.named_parameters()}
    make_trainer().fit(training, make_data(spec=SHARP))
    changed = {name for name, p in training.network.named_parameters() if not torch.equal(p, before[name])}
    assert changed
    assert all(name.startswith(("vae.decoder.", "vae.post_quant_conv.")) for name in changed)


def test_negative_weight_is_refused() -> None:
    with pytest.raises(UserError, match=r"task\.kl_weight of 0 or more"):
        _training(kl_weight=-1.0)
