"""The degradation estimator: scores for the blur and the noise of an image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checks import refuse
from dgsr.models.hub import located
from dgsr.models.trained import TrainedNetwork
from dgsr.ops.precision import exactly
from dgsr.tensors import expect_same_shapes, read_metadata, read_tensors, write_tensors
from dgsr.types import Images, Scores

_SMALL = 0.1
_NESTINGS = ("params_ema", "params", "state_dict")


class DegradationEstimator(TrainedNetwork):
    """Score the blur and the noise of degraded images, each with its own residual network.

    Args:
        channels: Width of each stage.
        blocks: Number of residual blocks in each stage.
        down_scales: 2 where a stage ends by halving the sides, 1 elsewhere.
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
        """Build a frozen estimator with random weights, the same for the same seed; its scores mean nothing."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(**shape)._freeze()

    @classmethod
    def untrained(cls, seed: int = 0, **shape: Any) -> DegradationEstimator:
        """Build an estimator to be trained, the same for the same seed.

        Its first filters sum to zero, since blur and noise hardly depend on brightness; residual branches are small.
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
            path: A .pth file, with its tensors at the top or under one of the usual names, or a .safetensors file; also
                `bundled:<path>`.
            shape: Arguments of the constructor, if the file does not record them and is not of the published size.

        Raises:
            UserError: There is no such file, it holds more than tensors, or they do not fit.
        """
        path = located(str(path))
        expected = "a file of estimator weights"
        state, recorded = read_tensors(path, expected, "Check the path.", _NESTINGS), read_metadata(path)
        try:
            estimator = cls(**json.loads(recorded.get("shape", "{}")) | shape)
        except (TypeError, ValueError) as error:
            refuse("the shape of an estimator", f"{recorded | shape} for {path} ({error})", "Get the file again.")
        remedy = "Set its shape: +estimator.channels, .blocks, .down_scales and .hidden."
        expect_same_shapes(estimator.state_dict(), state, f"weights in {path} for an estimator of this shape", remedy)
        estimator.load_state_dict(state)
        return estimator._freeze()

    def save(self, path: Path) -> None:
        """Write weights and shape to a .safetensors file, from which `from_file` builds the same estimator."""
        write_tensors(self.state_dict(), path, metadata={"shape": json.dumps(self.shape)})

    def _freeze(self) -> DegradationEstimator:
        return self.requires_grad_(False).eval()

    def forward(self, lq: Images) -> Scores:
        """Return (blur, noise) in [0, 1] of images in [0, 1], at their native size; never under autocast."""
        with exactly(lq.device):
            return self.score([features.mean(dim=(2, 3)) for features in self.features(lq)])

    def features(self, lq: Images) -> list[Float[Tensor, "b channels rows columns"]]:
        """Return the feature maps of each branch; the scores depend on their means over all pixels."""
        return [body(first(lq)) for first, body in zip(self.conv_first, self.body, strict=True)]

    def score(self, means: Sequence[Float[Tensor, "b channels"]]) -> Scores:
        """Return the scores for the means of both branches' features."""
        return torch.cat([head(mean) for head, mean in zip(self.fc_degree, means, strict=True)], dim=1)

    @property
    def reach_px(self) -> int:
        """Radius in px of the receptive field of a feature."""
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
