"""Test colour fixes against the original program's values and their invariants."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dgsr.ops.color import adain_color_fix, adain_map, channel_sums, wavelet_color_fix

FIXES = {"wavelet": wavelet_color_fix, "adain": adain_color_fix}


@pytest.mark.parametrize("name", FIXES)
def test_equals_original_program(name):
    golden = load_file(Path(__file__).parents[1] / "golden" / "color.safetensors")
    fixed = FIXES[name](golden["content"], golden["style"])
    torch.testing.assert_close(fixed, golden[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", FIXES)
def test_image_as_its_own_style_is_unchanged(name):
    image = torch.rand(2, 3, 40, 24, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(FIXES[name](image, image), image)


@pytest.mark.parametrize("name", FIXES)
def test_colour_cast_is_removed(name):
    image = torch.rand(1, 3, 40, 24, generator=torch.Generator().manual_seed(1))
    cast = image + torch.tensor([0.2, -0.1, 0.05]).view(3, 1, 1)
    torch.testing.assert_close(FIXES[name](cast, image), image)


def test_images_of_a_batch_are_independent():
    content, style = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    for fix in FIXES.values():
        torch.testing.assert_close(fix(content, style)[1:], fix(content[1:], style[1:]))


def test_sums_of_strips_give_the_map_of_the_whole_image():
    content, style = torch.rand(2, 1, 3, 40, 24, generator=torch.Generator().manual_seed(3))
    content_sums, style_sums = (
        torch.stack([channel_sums(part) for part in image.split(15, dim=2)]).sum(dim=0) for image in (content, style)
    )
    gain, offset = adain_map(content_sums, style_sums)
    torch.testing.assert_close((content * gain + offset).float(), adain_color_fix(content, style))


def test_grey_images_are_supported():
    content, style = torch.rand(2, 1, 3, 40, 24, generator=torch.Generator().manual_seed(4))
    for fix in FIXES.values():
        grey = fix(content[:, :1], style[:, :1])
        torch.testing.assert_close(grey, fix(content, style)[:, :1])
