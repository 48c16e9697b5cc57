"""The degradation estimator: how blurred and how noisy an image is."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from dgsr.checks import expect, refuse
from dgsr.models.hub import located
from dgsr.models.tensors import write_tensors
from dgsr.models.trained import TrainedNetwork
from dgsr.ops.precision import exactly
from dgsr.types import Images, Scores

_SMALL = 0.1
_NESTINGS = ("params_ema", "params", "state_dict")


class DegradationEstimator(TrainedNetwork):
    """Score blur and noise of degraded images, each by its own residual network.

    Args:
        channels: Width of each stage.
        blocks: Residual blocks of each stage.
        down_scales: 2 where a stage ends in a halving of the sides, 1 elsewhere.
        hidden: Width of the head's hidden layer.

    Source: MM-RealSR Sec. 3.3, as used in S3Diff Sec. 3.2.
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 64, 64, 128),
        blocks: Sequence[int] = (2, 2, 2, 2),
        down_scales: Sequence[int] = (1, 1, 2, 1),
        hidden: int = 512,
    ):
        super().__init__()
        #: The constructor's arguments, from which an estimator for the same weights can be built.
        self.shape: dict[str, Any] = {
            "channels": list(channels),
            "blocks": list(blocks),
            "down_scales": list(down_scales),
            "hidden": hidden,
        }
        self.architecture = self.shape
        # The names of the parts are those of the published weight file.
        self.conv_first = nn.ModuleList(nn.Conv2d(3, channels[0], 3, padding=1) for _ in ("blur", "noise"))
        self.body = nn.ModuleList(_body(channels, blocks, down_scales) for _ in self.conv_first)
        self.fc_degree = nn.ModuleList(_head(channels[-1], hidden) for _ in self.conv_first)

    @classmethod
    def random(cls, seed: int = 0, **shape: Any) -> DegradationEstimator:
        """Build a frozen estimator of random weights: scores without meaning, the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(**shape)._freeze()

    @classmethod
    def untrained(cls, seed: int = 0, **shape: Any) -> DegradationEstimator:
        """Build an estimator to be trained, the same for the same seed.

        Its first filters sum to zero, since brightness tells little of blur and noise; its residual branches are small.
        """
        estimator = cls(**shape)
        draws = torch.Generator().manual_seed(seed)
        for name, layer in estimator.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draws)
                nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]
                if name.startswith("conv_first."):
                    layer.weight.data -= layer.weight.data.mean(dim=(2, 3), keepdim=True)
                elif name.endswith(".conv2"):
                    layer.weight.data *= _SMALL
        return estimator

    @classmethod
    def from_file(cls, path: str | Path, **shape: Any) -> DegradationEstimator:
        """Build a frozen estimator with the weights of a published file.

        Args:
            path: A .pth file, its tensors at the top or under one of the usual names, or a .safetensors file; also
                `bundled:<path>`.
            shape: Arguments of the constructor, where the file neither tells them nor is of the published size.

        Raises:
            UserError: There is no such file, it holds more than tensors, or they do not fit.
        """
        path = located(str(path))
        expect(path.is_file(), "a file of estimator weights", path, "Check the path.")
        told: dict[str, Any] = {}
        try:
            if path.suffix == ".safetensors":
                state: Any = load_file(path)
                with safe_open(path, framework="pt") as file:
                    told = json.loads((file.metadata() or {}).get("shape", "{}"))
            else:
                state = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, SafetensorError):
            refuse("a file of plain tensors", path, "Only weights that load with weights_only=True are accepted.")
        for name in _NESTINGS:
            state = state.get(name, state)
        try:
            estimator = cls(**told | shape)
        except TypeError as error:
            refuse("the shape of an estimator", f"{told | shape} for {path} ({error})", "Get the file anew.")
        _expect_same_tensors(estimator.state_dict(), state, path)
        estimator.load_state_dict(state)
        return estimator._freeze()

    def save(self, path: Path) -> None:
        """Write weights and shape to a .safetensors file, from which `from_file` builds the same estimator."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(self.state_dict(), path, metadata={"shape": json.dumps(self.shape)})

    def _freeze(self) -> DegradationEstimator:
        return self.requires_grad_(False).eval()

    def forward(self, lq: Images) -> Scores:
        """Return (blur, noise) in [0, 1] of images in [0, 1], at their native size; never under autocast."""
        with exactly(lq.device):
            return self.score([features.mean(dim=(2, 3)) for features in self.features(lq)])

    def features(self, lq: Images) -> list[Float[Tensor, "b channels rows columns"]]:
        """Return what each branch sees, of which the mean over all pixels decides."""
        return [body(first(lq)) for first, body in zip(self.conv_first, self.body, strict=True)]

    def score(self, means: Sequence[Float[Tensor, "b channels"]]) -> Scores:
        """Return the scores that means of both branches' features stand for."""
        return torch.cat([head(mean) for head, mean in zip(self.fc_degree, means, strict=True)], dim=1)

    @property
    def reach_px(self) -> int:
        """How far from a pixel the features there can see."""
        pixel = reach = 1
        following = [*self.shape["channels"][1:], self.shape["channels"][-1]]
        stages = zip(self.shape["channels"], following, self.shape["blocks"], self.shape["down_scales"], strict=True)
        for width, next_width, blocks, down in stages:
            reach += (2 * blocks + (down != 1 or next_width != width)) * pixel
            pixel *= down
        return reach


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x).relu())


def _body(channels: Sequence[int], blocks: Sequence[int], down_scales: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    following = [*channels[1:], channels[-1]]
    for width, next_width, count, down in zip(channels, following, blocks, down_scales, strict=True):
        layers += [_ResidualBlock(width) for _ in range(count)]
        if down != 1 or next_width != width:
            layers.append(nn.Conv2d(width, next_width, 3, stride=down, padding=1))
    return nn.Sequential(*layers)


def _head(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid())


def _expect_same_tensors(ours: dict[str, Tensor], theirs: dict[str, Tensor], path: str | Path) -> None:
    shapes, found = ({name: tuple(tensor.shape) for name, tensor in state.items()} for state in (ours, theirs))
    differing = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
    got = f"{path}, which differs in {len(differing)} tensors, such as {', '.join(differing[:3])}"
    expect(
        not differing,
        "weights of this estimator's shape",
        got,
        "Give its shape: +estimator.channels, .blocks, .down_scales and .hidden.",
    )
