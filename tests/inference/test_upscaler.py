"""The upscaler gives images of the right size for any input, with the input's colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checkpoints import save_pretrained, save_training
from dgsr.checks import UserError
from dgsr.data import bundled
from dgsr.inference import Upscaler
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.color import wavelet_color_fix
from dgsr.ops.resizing import resize, upsample
from tests import tiny


@pytest.fixture(scope="module")
def networks() -> tuple[OneStepGenerator, DegradationEstimator]:
    return OneStepGenerator.tiny(seed=0), DegradationEstimator.random(0)


@pytest.mark.parametrize("size", [(16, 16), (15, 22), (33, 8)])
def test_any_size_is_upscaled(networks: tuple[OneStepGenerator, DegradationEstimator], size: tuple[int, int]) -> None:
    sr = Upscaler(*networks)(torch.rand(3, *size))
    assert sr.shape == (3, 4 * size[0], 4 * size[1])
    assert 0 <= sr.min() <= sr.max() <= 1


def test_a_batch_equals_its_images(networks: tuple[OneStepGenerator, DegradationEstimator]) -> None:
    images = torch.rand(2, 3, 16, 16)
    upscaler = Upscaler(*networks)
    alone = torch.stack([upscaler(image) for image in images])
    assert torch.allclose(upscaler(images), alone, atol=1e-5)


def test_it_equals_the_generator_and_the_colour_fix(networks: tuple[OneStepGenerator, DegradationEstimator]) -> None:
    generator, estimator = networks
    lq = torch.rand(1, 3, 16, 16)
    lq_up = upsample(lq, 4)
    prompts = generator.prompts
    with torch.no_grad():
        sr = generator(lq_up * 2 - 1, estimator(lq), prompts.positive, prompts.negative, 1.3) / 2 + 0.5
    expected = wavelet_color_fix(sr, lq_up).clamp(0, 1)
    assert torch.allclose(Upscaler(generator, estimator, guidance=1.3)(lq), expected, atol=1e-6)
    assert torch.allclose(Upscaler(generator, estimator, guidance=1.3, color_fix="none")(lq), sr.clamp(0, 1), atol=1e-6)


def test_scores_may_be_set_by_hand(networks: tuple[OneStepGenerator, DegradationEstimator]) -> None:
    generator = OneStepGenerator.tiny(adapters={"main": tiny.adapter(8, 4, init="identity")})
    for name, parameter in generator.named_parameters():
        if "lora_B" in name or name.startswith("conditioning."):
            parameter.data.normal_(0, 0.1)
    lq = torch.rand(3, 8, 40)
    for tile in (0, 256):
        upscaler = Upscaler(generator, networks[1], scale=8, tile=tile)
        scores = networks[1](lq[None])
        assert torch.equal(upscaler(lq), upscaler(lq, scores))
        assert not torch.allclose(upscaler(lq), upscaler(lq, 1 - scores), atol=1e-4)


@pytest.mark.parametrize("tile", [0, 192])
def test_nan_is_refused(tile: int) -> None:
    generator, lq = OneStepGenerator.tiny(), torch.zeros(3, 8, 30, dtype=torch.uint8)
    generator.vae.get_parameter("decoder.conv_in.bias").data[0] = torch.nan
    upscaler = Upscaler(generator, DegradationEstimator.random(0), scale=8, tile=tile)
    with pytest.raises(UserError, match="finite numbers from the networks, but got NaN"):
        upscaler.fill(torch.empty(3, 64, 240, dtype=torch.uint8), lq)


def test_scores_are_moved_to_the_device(
    networks: tuple[OneStepGenerator, DegradationEstimator], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = list[str]()

    class Tiled:
        def __init__(self, *settings: object) -> None: ...

        def run(self) -> None: ...

    monkeypatch.setattr("dgsr.inference.upscaler.TiledUpscaling", Tiled)
    generator = OneStepGenerator.tiny().to("meta")
    monkeypatch.setattr(generator, "correction", lambda scores, _: devices.append(scores.device.type))
    upscaler = Upscaler(generator, networks[1], tile=192)
    upscaler.fill(torch.empty(3, 64, 240), torch.zeros(3, 16, 60), torch.zeros(1, 2))
    upscaler(torch.zeros(2, 3, 16, 60), torch.zeros(2, 2))
    assert devices == ["meta"] * 3


def test_strengths_reach_whole_and_tiled_upscaling(networks: tuple[OneStepGenerator, DegradationEstimator]) -> None:
    generator = OneStepGenerator.tiny(adapters={"main": tiny.adapter(8, 4, init="identity")}).eval()
    for name, parameter in generator.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.1)
    plain, lq = OneStepGenerator.tiny().eval(), torch.rand(3, 8, 40)
    for tile in (0, 256):
        off = Upscaler(generator, networks[1], scale=8, tile=tile, strengths={"main": 0.0})
        torch.testing.assert_close(off(lq), Upscaler(plain, networks[1], scale=8, tile=tile)(lq))
        assert not torch.allclose(off(lq), off.at(strengths=None)(lq))


@pytest.mark.parametrize("tile", [-64, 64, 300])
def test_tiles_that_do_not_fit_the_networks_are_refused(
    networks: tuple[OneStepGenerator, DegradationEstimator], tile: int
) -> None:
    with pytest.raises(UserError, match=f"multiple of 64 above 128 for tile, but got {tile}"):
        Upscaler(*networks, tile=tile)


def test_a_model_is_used_with_its_own_settings_unless_others_are_given(
    networks: tuple[OneStepGenerator, DegradationEstimator], tmp_path: Path
) -> None:
    generator, estimator = OneStepGenerator.tiny(trainable="all"), networks[1]
    save_pretrained(generator, tmp_path / "export", estimator=estimator, scale=2, guidance=1.2)
    save_training(generator, tmp_path / "a.ckpt", estimator=estimator, scale=2, guidance=1.2)
    lq = torch.rand(3, 16, 16)
    expected = Upscaler(generator, estimator, scale=2, guidance=1.2)(lq)
    for source in (tmp_path / "export", str(tmp_path / "a.ckpt")):
        assert torch.equal(Upscaler.from_pretrained(source, device="cpu")(lq), expected)
    changed = Upscaler.from_pretrained(tmp_path / "export", device=torch.device("cpu"), guidance=1.0, tile=256)
    assert (changed.scale, changed.guidance, changed.tile) == (2, 1.0, 256)


def test_an_incomplete_model_is_refused(
    networks: tuple[OneStepGenerator, DegradationEstimator], tmp_path: Path
) -> None:
    for source in ("bundled:nothing", tmp_path / "nothing"):
        with pytest.raises(UserError, match="an exported folder, a hub id, a training checkpoint or an authors' file"):
            Upscaler.from_pretrained(source)
    save_pretrained(networks[0], tmp_path / "alone")
    with pytest.raises(UserError, match="a degradation estimator with the model, but got none"):
        Upscaler.from_pretrained(tmp_path / "alone")


@pytest.mark.parametrize("tile", [0, 192])
def test_bf16_computes_in_halves_and_gives_nearly_the_same(
    networks: tuple[OneStepGenerator, DegradationEstimator], tile: int
) -> None:
    lq = resize(bundled("val")[0][None], (16, 40), "area")[0]
    upscaler, generator = Upscaler(*networks, scale=8, tile=tile), networks[0]
    full = upscaler(lq)
    upscaler.precision, seen = "bf16", list[torch.dtype]()
    layers = (generator.vae.encoder.conv_in, generator.unet.conv_out, generator.vae.decoder.conv_out)
    hooks = [layer.register_forward_hook(lambda *given: seen.append(given[-1].dtype)) for layer in layers]
    half = upscaler(lq)
    for hook in hooks:
        hook.remove()
    assert len(seen) >= len(layers)
    assert set(seen) == {torch.bfloat16}
    assert half.dtype == torch.float32
    assert -10 * (half - full).square().mean().log10() > 52  # dB; 58.7 whole and 60.1 in tiles were seen


def test_processors_do_not_compute_in_fp16(networks: tuple[OneStepGenerator, DegradationEstimator]) -> None:
    with pytest.raises(UserError, match=r"a precision among fp32, bf16 on cpu, but got fp16\. Use bf16"):
        Upscaler(*networks, precision="fp16")(torch.rand(3, 8, 8))
