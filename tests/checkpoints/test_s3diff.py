"""The authors' file over its backbone: values and gradients of the original program; nothing lost in a round trip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dgsr.checkpoints.s3diff import load_s3diff, save_s3diff
from dgsr.checks import UserError
from dgsr.models import OneStepGenerator
from tests import tiny

GOLDEN = Path(__file__).parents[1] / "golden"
FILE, BACKBONE = GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd"


@pytest.fixture(scope="module")
def generator():
    return load_s3diff(FILE, BACKBONE)


@pytest.fixture(scope="module")
def golden():
    return load_file(GOLDEN / "forward.safetensors")


@pytest.fixture(scope="module")
def mixed_prompts(golden):
    """The negative prompt for the second image, as an online negative sample."""
    positive, negative = golden["pos_embeds"], golden["neg_embeds"]
    return torch.cat([positive, negative, positive])


def assert_close(ours, theirs, atol=1e-4):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


@torch.no_grad()
def test_corrections(generator, golden):
    correction = generator.correction(golden["scores"])
    assert_close(correction.unet, golden["unet_correction"])
    assert_close(correction.vae, golden["vae_correction"])


@torch.no_grad()
def test_latent(generator, golden):
    assert_close(generator.encode(golden["lq"], generator.correction(golden["scores"])), golden["latent"])


@torch.no_grad()
def test_outputs(generator, golden, mixed_prompts):
    lq, scores = golden["lq"], golden["scores"]
    positive, negative = golden["pos_embeds"], golden["neg_embeds"]
    assert_close(generator(lq, scores, positive), golden["out_pos"])
    assert_close(generator(lq, scores, mixed_prompts), golden["out_mixed"])
    assert_close(generator(lq, scores, positive, negative, guidance=1.07), golden["out_cfg_1_07"])


@torch.no_grad()
def test_each_image_is_corrected_by_its_own_scores(generator, golden):
    alone = generator(golden["lq"][1:2], golden["scores"][1:2], golden["pos_embeds"])
    assert_close(alone, golden["out_pos"][1:2])


@pytest.mark.parametrize("gradient_checkpointing", [False, True])
def test_loss_and_gradients(golden, mixed_prompts, gradient_checkpointing):
    generator = load_s3diff(FILE, BACKBONE, gradient_checkpointing=gradient_checkpointing)
    expected = json.loads((GOLDEN / "gradients.json").read_text())
    target = load_file(GOLDEN / "target.safetensors")["gt"]

    sr = generator(golden["lq"], golden["scores"], mixed_prompts)
    loss = 2 * (sr - target).square().mean()
    trained = {name: parameter for name, parameter in generator.named_parameters() if parameter.requires_grad}
    gradients = torch.autograd.grad(loss, list(trained.values()))

    assert loss.item() == pytest.approx(expected["loss_l2_weighted_2"], abs=1e-5)
    assert sum(gradient.numel() for gradient in gradients) == expected["trainable"]
    norms = {authors_name(name): gradient.norm().item() for name, gradient in zip(trained, gradients, strict=True)}
    # Some norms are sums of some 1e-7 in fp32, whose last digits differ between processors.
    assert norms == pytest.approx(expected["grad_norm_per_parameter"], rel=1e-3, abs=1e-9)


def authors_name(name: str) -> str:
    if name.startswith("vae."):
        return name.replace(".default.", ".vae_skip.")
    for branch in ("vae", "unet"):
        for ours, theirs in {"degradation_mlp": "de_mlp", "fuse": "fuse_mlp"}.items():
            name = name.replace(f"conditioning.{branch}.{ours}.", f"{branch}_{theirs}.")
        name = name.replace(f"conditioning.{branch}.", f"{branch}_")
    return name


def test_round_trip_is_bit_exact(generator, tmp_path):
    save_s3diff(generator, tmp_path / "again.pkl")
    again, original = (torch.load(path, weights_only=True) for path in (tmp_path / "again.pkl", FILE))
    assert again.pop("dgsr")["timestep"] == 999  # which their program ignores
    assert_same(again, original)


def test_options_fixed_by_the_authors_program_are_kept(tmp_path):
    save_s3diff(load_s3diff(FILE, BACKBONE, timestep=250, alpha=16.0), tmp_path / "other.pkl")
    options = load_s3diff(tmp_path / "other.pkl", BACKBONE).options
    assert (options.timestep, options.adapters["main"].alpha) == (250, 16.0)
    assert load_s3diff(tmp_path / "other.pkl", BACKBONE, timestep=100).options.timestep == 100


def assert_same(ours, theirs):
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            assert_same(ours[key], theirs[key])
    elif isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)
    else:
        assert ours == theirs


def test_refuses_what_is_not_plain_tensors(tmp_path):
    torch.save({"w": Path("code")}, tmp_path / "bad.pkl")
    with pytest.raises(UserError, match="weights_only=True"):
        load_s3diff(tmp_path / "bad.pkl", BACKBONE)


def test_refuses_other_files(tmp_path):
    torch.save({"w": torch.zeros(1)}, tmp_path / "other.pkl")
    with pytest.raises(UserError, match="rank_unet"):
        load_s3diff(tmp_path / "other.pkl", BACKBONE)
    with pytest.raises(UserError, match=r"missing\.pkl"):
        load_s3diff(tmp_path / "missing.pkl", BACKBONE)


def test_names_what_does_not_fit_the_backbone(tmp_path):
    content = torch.load(FILE, weights_only=True)
    del content["state_dict_unet"]["conv_out.lora_B.default.weight"]
    torch.save(content, tmp_path / "partial.pkl")
    with pytest.raises(UserError, match=r"unet\.conv_out\.lora_B\.default\.weight"):
        load_s3diff(tmp_path / "partial.pkl", BACKBONE)


def test_refuses_weights_that_the_format_cannot_hold(tmp_path):
    with pytest.raises(UserError, match="save_pretrained"):
        save_s3diff(
            OneStepGenerator.tiny(adapters={"main": tiny.adapter(8, 4, conditioning="none")}), tmp_path / "plain.pkl"
        )
