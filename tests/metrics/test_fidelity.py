"""Test PSNR and SSIM against scikit-image and published values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from dgsr.checks import UserError
from dgsr.metrics.fidelity import Psnr, Ssim, luma
from dgsr.metrics.metric import eight_bit


def pairs() -> tuple[Tensor, Tensor]:
    """Return smooth images and the same with a little noise, of values that 8 bits hold."""
    ramp = torch.linspace(0.1, 0.9, 40)
    hq = torch.stack([ramp.expand(48, 40), ramp.flip(0).expand(48, 40), 0.5 + 0 * ramp.expand(48, 40)])
    hq = hq + 0.2 * torch.rand(2, 3, 48, 40)
    sr = hq + 0.05 * torch.randn(2, 3, 48, 40)
    return eight_bit(sr), eight_bit(hq)


def y_of(image: Tensor) -> np.ndarray:
    return rgb2ycbcr(image.permute(1, 2, 0).double().numpy())[..., 0]


def test_luma_equals_bt601() -> None:
    _, hq = pairs()
    assert np.allclose(luma(hq)[0, 0].numpy() * 255, y_of(hq[0]), atol=1e-4)


def test_psnr_equals_scikit_image() -> None:
    sr, hq = pairs()
    theirs = [peak_signal_noise_ratio(y_of(b), y_of(a), data_range=255) for a, b in zip(sr, hq, strict=True)]
    assert Psnr()(sr, hq).tolist() == pytest.approx(theirs, abs=1e-4)


def test_psnr_by_hand() -> None:
    # Grey that differs by 51/255 differs by 51 * 219/255 levels of Y.
    expected = 20 * np.log10(255 / (51 * 219 / 255))
    assert Psnr()(torch.full((1, 3, 8, 8), 0.6), torch.full((1, 3, 8, 8), 0.4)).item() == pytest.approx(expected, 1e-5)


def test_ssim_equals_scikit_image() -> None:
    sr, hq = pairs()
    theirs = []
    for a, b in zip(sr, hq, strict=True):
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
        result = structural_similarity(y_of(a).round(), y_of(b).round(), full=True, **options)
        theirs.append(result[1][5:-5, 5:-5].mean())
    assert Ssim()(sr, hq).tolist() == pytest.approx(theirs, abs=1e-4)


def test_ssim_counts_negative_contrast_as_zero() -> None:
    rows = torch.arange(16) % 2 * 0.8 + 0.1
    hq = rows[:, None].expand(1, 3, 16, 16)
    assert Ssim()(1 - hq, hq).item() == 0


def test_equal_images_have_the_best_value() -> None:
    _, hq = pairs()
    assert Psnr()(hq, hq).tolist() == pytest.approx([80, 80])  # not infinite, which would swallow an average
    assert Ssim()(hq, hq).tolist() == pytest.approx([1, 1])


def test_ssim_refuses_images_smaller_than_its_window() -> None:
    with pytest.raises(UserError, match="sides of 11 px or more for ssim, but got 32x10"):
        Ssim()(torch.rand(1, 3, 10, 32), torch.rand(1, 3, 10, 32))
    with pytest.raises(UserError, match="sides of 19 px"):
        Ssim(crop_border_px=4)(torch.rand(1, 3, 18, 32), torch.rand(1, 3, 18, 32))


def test_all_channels_equal_scikit_image() -> None:
    sr, hq = ([image.permute(1, 2, 0).double().numpy() for image in images] for images in pairs())
    psnr = [peak_signal_noise_ratio(b, a, data_range=1) for a, b in zip(sr, hq, strict=True)]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1, "full": True}
    maps = [structural_similarity(a, b, channel_axis=2, **options)[1] for a, b in zip(sr, hq, strict=True)]
    torch.manual_seed(0)
    assert Psnr("rgb")(*pairs()).tolist() == pytest.approx(psnr, abs=1e-4)
    torch.manual_seed(0)
    assert Ssim("rgb")(*pairs()).tolist() == pytest.approx([result[5:-5, 5:-5].mean() for result in maps], abs=1e-4)


def test_cropped_border_is_ignored() -> None:
    _, hq = pairs()
    framed = hq.clone()
    framed[..., :3, :], framed[..., -3:] = 0, 1
    for metric in (Psnr(crop_border_px=3), Ssim(crop_border_px=3)):
        assert torch.equal(metric(framed, hq), metric(hq, hq))
        assert metric.variant == "Y, 8-bit, border of 3 px cut"
    assert Psnr("rgb").variant == "RGB, 8-bit"
