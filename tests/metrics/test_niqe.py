"""Test NIQE against BasicSR, on the grey of published values."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from dgsr.checks import UserError
from dgsr.data.opening import BUNDLED
from dgsr.images import read_image
from dgsr.metrics import niqe
from dgsr.metrics.niqe import Niqe

# Of round(0.299 R + 0.587 G + 0.114 B), whole and of the first 200 columns and 300 rows.
GOLDEN = {
    "chelsea-0": (2.5770605931395765, 3.9834940051074477),
    "white-flower-0": (6.036691525178211, 8.290973179647759),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_equals_basicsr(name: str) -> None:
    image = read_image(BUNDLED / "val" / f"{name}.jpg")[None]
    metric = Niqe()
    assert (metric(image).item(), metric(image[..., :300, :200]).item()) == pytest.approx(GOLDEN[name], rel=1e-3)


def test_blur_raises_the_value_and_images_are_independent() -> None:
    image = read_image(BUNDLED / "val" / "chelsea-0.jpg")[None]
    values = Niqe()(torch.cat([image, gaussian_blur(image, [9, 9], [2.0, 2.0])]))
    assert values[1] > values[0] + 1
    assert values[0] == Niqe()(image)[0]


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (torch.rand(1, 3, 95, 300), "sides of 96 px or more for niqe, but got 300x95"),
        (torch.rand(1, 3, 120, 120), "two blocks of 96 px with texture for niqe, but got 1"),
        (torch.full((1, 3, 192, 192), 0.5), "two blocks of 96 px with texture for niqe, but got 0"),
    ],
)
def test_images_without_texture_are_refused(image: torch.Tensor, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Niqe()(image)


def test_missing_model_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        raise niqe.PackageNotFoundError

    niqe._pristine_model.cache_clear()
    monkeypatch.setattr(niqe, "distribution", nothing)
    with pytest.raises(UserError, match="pip install --no-deps --no-build-isolation basicsr"):
        Niqe()
