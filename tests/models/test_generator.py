"""The generator against diffusers called step by step, and what its options and prompts do."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.models.generator import OneStepGenerator
from tests import tiny


def by_diffusers(networks, lq_up, positive, negative, guidance):
    """The plain networks and scheduler, one call after the other."""
    latent = networks.vae.encode(lq_up).latent_dist.mode() * networks.vae.config.scaling_factor
    toward, away = (
        networks.unet(latent, 999, prompt.expand(len(latent), -1, -1)).sample for prompt in (positive, negative)
    )
    predicted = away + guidance * (toward - away)
    clean = networks.scheduler.step(predicted, 999, latent).pred_original_sample
    return networks.vae.decode(clean / networks.vae.config.scaling_factor).sample.clamp(-1, 1)


@torch.no_grad()
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_an_adapter_of_zero_leaves_the_backbone(prediction):
    generator = tiny.generator(tiny.backbone(prediction))
    for name, parameter in generator.named_parameters():
        if "lora_B" in name:
            parameter.zero_()
    positive, negative = generator.prompts.positive, generator.prompts.negative
    expected = by_diffusers(tiny.backbone(prediction), tiny.images(), positive, negative, guidance=1.3)
    ours = generator(tiny.images(), tiny.scores(), positive, negative, guidance=1.3)
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_parts_give_the_same_as_the_whole():
    generator = tiny.generator()
    positive = generator.prompts.positive
    correction = generator.correction(tiny.scores())
    latent = generator.encode(tiny.images(), correction)
    sr = generator.decode(generator.denoise(latent, correction, positive))
    assert torch.equal(sr, generator(tiny.images(), tiny.scores(), positive))
    assert sr.abs().max() <= 1


@torch.no_grad()
def test_scores_and_prompts_matter():
    generator = tiny.generator()
    positive, negative = generator.prompts.positive, generator.prompts.negative
    sr = generator(tiny.images(), tiny.scores(), positive)
    assert not torch.allclose(sr, generator(tiny.images(), tiny.scores().flip(0), positive))
    assert not torch.allclose(sr, generator(tiny.images(), tiny.scores(), negative))
    assert not torch.allclose(sr, generator(tiny.images(), tiny.scores(), positive, negative, guidance=1.5))


@torch.no_grad()
def test_both_prompts_go_through_the_unet_as_one_batch_and_only_when_needed():
    generator = tiny.generator()
    batches = []
    generator.unet.register_forward_pre_hook(lambda _, arguments: batches.append(len(arguments[0])))
    positive, negative = generator.prompts.positive, generator.prompts.negative
    plain = generator(tiny.images(), tiny.scores(), positive)
    assert torch.equal(generator(tiny.images(), tiny.scores(), positive, negative, guidance=1.0), plain)
    generator(tiny.images(), tiny.scores(), positive, negative, guidance=1.07)
    assert batches == [2, 2, 4]


@torch.no_grad()
def test_samples_do_not_mix():
    generator = tiny.generator()
    positive, negative = generator.prompts.positive, generator.prompts.negative
    together = generator(tiny.images(), tiny.scores(), positive, negative, guidance=1.5)
    alone = generator(tiny.images()[1:], tiny.scores()[1:], positive, negative, guidance=1.5)
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize(
    ("unet_blocks", "vae_blocks", "height", "width"), [(2, 3, 40, 24), (3, 2, 48, 64), (4, 4, 72, 40)]
)
def test_any_number_of_blocks_and_any_size(unet_blocks, vae_blocks, height, width):
    generator = tiny.generator(tiny.backbone("epsilon", unet_blocks, vae_blocks), adapters=tiny.adapters(6, 2))
    correction = generator.correction(tiny.scores(3))
    assert correction.unet.shape == (3, 2 * unet_blocks + 2, 6, 6)
    assert correction.vae.shape == (3, vae_blocks + 2, 2, 2)
    assert generator.multiple == 2 ** (unet_blocks + vae_blocks - 2)
    lq_up = tiny.images(3, height, width)
    assert generator(lq_up, tiny.scores(3), generator.prompts.positive).shape == lq_up.shape


def test_refuses_sides_the_encoder_cannot_halve():
    generator = tiny.generator()
    with pytest.raises(UserError, match="64x60"):
        generator(tiny.images(1, 64, 60), tiny.scores(1), generator.prompts.positive)


@torch.no_grad()
def test_a_sampled_posterior_depends_on_the_given_noise_alone():
    generator = tiny.generator(posterior="sample")
    images, scores, prompt = tiny.images(), tiny.scores(), generator.prompts.positive
    arguments = (images, scores, prompt)

    def noise(*seeds: int) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    first, again, other = (generator(*arguments, noise=noise(*seeds)) for seeds in ((1, 2), (1, 2), (3, 2)))
    assert torch.equal(first, again)
    assert not torch.allclose(first[0], other[0])
    torch.testing.assert_close(first[1], other[1])
    torch.testing.assert_close(generator(images[1:], scores[1:], prompt, noise=noise(2)), first[1:])
    with pytest.raises(AssertionError, match="its own noise"):
        generator(*arguments, noise=noise(1))
    with pytest.raises(AssertionError, match="noise"):
        generator(*arguments)


@torch.no_grad()
def test_baked_is_the_same_image_without_the_adapters():
    generator = tiny.generator()
    prompts = generator.prompts
    arguments = (tiny.images(1), tiny.scores(1), prompts.positive, prompts.negative, 1.07)
    expected = generator(*arguments)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    with generator.baked(generator.correction(tiny.scores(1))):
        torch.testing.assert_close(generator(*arguments), expected, atol=1e-3, rtol=0)
    assert torch.equal(generator(*arguments), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())


def test_refuses_to_bake_several_corrections():
    generator = tiny.generator()
    with pytest.raises(UserError, match="one image"), generator.baked(generator.correction(tiny.scores(2))):
        pass


@pytest.mark.parametrize("conditioning", ["none", "shared_block"])
def test_variants_train(conditioning):
    generator = tiny.generator(adapters={"main": tiny.adapter(8, 4, conditioning=conditioning)})
    generator(tiny.images(), tiny.scores(), generator.prompts.positive).square().mean().backward()
    still = [name for name, p in generator.named_parameters() if p.requires_grad and p.grad is None]
    assert not still


@torch.no_grad()
def test_half_precision_stays_close():
    generator = tiny.generator(tiny.backbone("v_prediction"), timestep=250)
    correction, positive = generator.correction(tiny.scores()), generator.prompts.positive
    latent = generator.encode(tiny.images(), correction)
    expected = generator.denoise(latent, correction, positive)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = generator.denoise(latent, correction, positive)
    generator.to(torch.bfloat16)
    half = generator.denoise(latent.bfloat16(), correction, positive.bfloat16())
    for ours in (mixed, half):
        assert (ours.float() - expected).abs().mean() < 0.05 * expected.std()


@torch.no_grad()
def test_double_precision_reaches_the_corrections():
    generator = tiny.generator()
    prompts = generator.prompts
    expected = generator(tiny.images(1), tiny.scores(1), prompts.positive, prompts.negative, 1.07)
    generator.double()
    correction = generator.correction(tiny.scores(1))
    ours = generator(tiny.images(1).double(), tiny.scores(1), prompts.positive, prompts.negative, 1.07)
    with generator.baked(correction):
        baked = generator(tiny.images(1).double(), tiny.scores(1), prompts.positive, prompts.negative, 1.07)
    assert {tensor.dtype for tensor in (correction.unet, correction.vae, ours, baked)} == {torch.float64}
    torch.testing.assert_close(ours.float(), expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(baked, ours, atol=1e-10, rtol=0)


TWO = {"main": tiny.adapter(8, 4), "semantic": tiny.adapter(3, 2, conditioning="none")}


@torch.no_grad()
def test_strengths_scale_each_adapter():
    generator = tiny.generator(adapters=TWO)
    arguments = (tiny.images(), tiny.scores(), generator.prompts.positive)
    both = generator(*arguments)
    assert torch.equal(generator(*arguments, strengths={"main": 1.0}), both)
    without = generator(*arguments, strengths={"semantic": 0.0})
    assert not torch.allclose(without, both)
    for name, parameter in generator.named_parameters():
        if "lora_B.semantic" in name:
            parameter.zero_()
    torch.testing.assert_close(generator(*arguments), without)
    with pytest.raises(UserError, match="strengths of main, semantic, but got other"):
        generator(*arguments, strengths={"other": 1.0})


@torch.no_grad()
def test_a_second_adapter_trains_bakes_and_is_part_of_the_state():
    generator = tiny.generator(adapters=TWO)
    names = {name for name, parameter in generator.named_parameters() if parameter.requires_grad}
    assert any(".lora_A.semantic." in name for name in names)
    state = generator.trainable_state()
    assert {"conditioning.frequencies", "conditioning_semantic.frequencies"} <= state.keys()
    assert {name for name in state if "semantic" not in name} == tiny.generator().trainable_state().keys()
    arguments = (tiny.images(1), tiny.scores(1), generator.prompts.positive)
    expected = generator(*arguments)
    with generator.baked(generator.correction(tiny.scores(1))):
        torch.testing.assert_close(generator(*arguments), expected, atol=1e-3, rtol=0)
    again = tiny.generator(adapters=TWO)
    again.load_trainable_state(state)
    assert torch.equal(again(*arguments), expected)


@torch.no_grad()
def test_a_backbone_of_another_family_is_used_through_its_interface(monkeypatch):
    other = tiny.backbone("v_prediction")
    monkeypatch.setattr(other, "embed", lambda *texts: [torch.zeros(1, tiny.TOKENS, tiny.WIDTH) for _ in texts])
    generator = OneStepGenerator.from_backbone(other, adapters=tiny.adapters(4, 2), timestep=250)
    assert generator(tiny.images(), tiny.scores(), generator.prompts.positive).shape == (2, 3, 64, 64)
    assert generator.source == other.source
