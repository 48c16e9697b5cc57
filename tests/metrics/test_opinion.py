"""Test metrics of pyiqa, with and without the package."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dgsr.checks import UserError
from dgsr.metrics.opinion import Opinion
from tests.standard_metrics import build, build_available

NAMES = ["musiq", "maniqa", "maniqa-pipal", "clipiqa", "topiq_nr", "brisque", "ahiq", "gmsd", "fid"]


class Brightness(nn.Module):
    lower_better, metric_mode = False, "NR"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(1, 2, 3))[:, None]


class Error(nn.Module):
    lower_better, metric_mode = True, "FR"

    def forward(self, images: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
        return (images - references).mean(dim=(1, 2, 3))


def install(monkeypatch: pytest.MonkeyPatch, create: object) -> None:
    package = SimpleNamespace(create_metric=create, list_models=lambda: NAMES, __version__="0.1.16")
    monkeypatch.setitem(sys.modules, "pyiqa", package)


def test_short_names_select_the_published_models(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []
    install(monkeypatch, lambda model, device: requests.append(model) or Brightness())
    metrics = [Opinion(name) for name in ("musiq", "maniqa", "clipiqa", "topiq")]
    assert requests == ["musiq", "maniqa-pipal", "clipiqa", "topiq_nr"]
    assert metrics[1].variant == "maniqa-pipal of pyiqa 0.1.16, trained on PIPAL"
    image = torch.randint(256, (2, 3, 8, 8)) / 255
    assert torch.allclose(metrics[0](image), image.mean(dim=(1, 2, 3)))


def test_any_pyiqa_metric_can_be_selected_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, lambda model, device: {"maniqa": Brightness, "gmsd": Error}[model]())
    suite = build_available(["psnr", "pyiqa:maniqa", "pyiqa:gmsd"])
    opinion, error = suite.each["pyiqa:maniqa"], suite.each["pyiqa:gmsd"]
    assert (opinion.name, opinion.variant) == ("pyiqa:maniqa", "maniqa of pyiqa 0.1.16")
    assert (opinion.direction, opinion.needs_reference) == ("higher", False)
    assert (error.direction, error.needs_reference) == ("lower", True)
    assert list(suite.without_reference().each) == ["pyiqa:maniqa"]
    sr, hq = torch.ones(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    assert build(["pyiqa:gmsd"])["pyiqa:gmsd"](sr, hq).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pyiqa:brisk", r"a metric of pyiqa 0\.1\.16, but got pyiqa:brisk\. Did you mean pyiqa:brisque\?"),
        ("pyiqa:", r"but got pyiqa:\. pyiqa\.list_models\(\) lists them"),
        ("pyiqa:fid", r"a metric of single images, but got pyiqa:fid\. Use fid for sets"),
    ],
)
def test_unknown_pyiqa_name_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, sentence: str) -> None:
    install(monkeypatch, lambda model, device: Brightness())
    with pytest.raises(UserError, match=sentence):
        build([name])


def test_missing_package_is_refused_with_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(UserError, match=r"pip install pyiqa .*forbids commercial use"):
        Opinion("musiq")
    assert "pip install pyiqa" in build_available(["psnr", "pyiqa:brisque"]).missing["pyiqa:brisque"]


def test_failed_download_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(model: str, device: str) -> None:
        raise ConnectionError("no route\nto host")

    install(monkeypatch, unreachable)
    with pytest.raises(UserError, match="pyiqa's topiq_nr, but got no route to host"):
        Opinion("topiq")
