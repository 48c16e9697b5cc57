"""pyiqa is used where it is, and named with its licence where it is not."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dgsr.checks import UserError
from dgsr.metrics.opinion import Opinion


class Brightness(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(1, 2, 3))[:, None]


def install(monkeypatch: pytest.MonkeyPatch, create: object) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", SimpleNamespace(create_metric=create, __version__="0.1.16"))


def test_it_asks_for_the_head_whose_values_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    install(monkeypatch, lambda model, device: asked.append(model) or Brightness())
    metrics = [Opinion(name) for name in ("musiq", "maniqa", "clipiqa", "topiq")]
    assert asked == ["musiq", "maniqa-pipal", "clipiqa", "topiq_nr"]
    assert metrics[1].variant == "maniqa-pipal of pyiqa 0.1.16, trained on PIPAL"
    image = torch.randint(256, (2, 3, 8, 8)) / 255
    assert torch.allclose(metrics[0](image), image.mean(dim=(1, 2, 3)))


def test_without_the_package_its_licence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(UserError, match=r"pip install pyiqa .*forbids commercial use"):
        Opinion("musiq")


def test_weights_that_cannot_be_fetched_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(model: str, device: str) -> None:
        raise ConnectionError("no route\nto host")

    install(monkeypatch, unreachable)
    with pytest.raises(UserError, match="pyiqa's topiq_nr, but got no route to host"):
        Opinion("topiq")
