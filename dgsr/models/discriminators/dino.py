"""A discriminator over features of a frozen vision transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import timm
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from timm.layers.blur_pool import BlurPool2d
from timm.models import VisionTransformer, is_model_in_modules, load_state_dict
from timm.models.vision_transformer import checkpoint_filter_fn
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from dgsr.checks import expect, refuse
from dgsr.models.discriminators.frozen import FrozenFeatures
from dgsr.ops.resizing import resize
from dgsr.types import Images

_REMEDY = "Set discriminator.weights to a file or folder with its weights, or connect to the model hub."


class DinoDiscriminator(FrozenFeatures):
    """Train small heads on features of a frozen vision transformer: a map of logits per block and one logit per image.

    Args:
        backbone: A vision transformer of timm, by name: DINO's, DINOv2's or another.
        weights: hub, the path of a file (.safetensors, .pth) or of a folder with model.safetensors, or random.
        blocks: Blocks whose patch tokens are judged, counted from 1; the class token of the last block is judged too.
        input_px: Side that images are resized to; None keeps their size, down to multiples of the patch.
        width: Channels of the heads.
        seed: Seed of the heads' initial weights and of a random backbone's weights.

    Raises:
        UserError: There is no such backbone, its weights cannot be had, or it has no such blocks.

    Source: Kumari et al., Ensembling off-the-shelf models for GAN training, Sec. 3.2, with the heads of its program;
    S3Diff Sec. 3.4.
    Differs from that program: images are normalised as the backbone was trained, not with CLIP's mean.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: str = "vit_base_patch16_224.dino",
        weights: str = "hub",
        blocks: Sequence[int] = (5, 9),
        input_px: int | None = 224,
        width: int = 128,
        seed: int = 0,
    ):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.backbone = _frozen(backbone, weights, input_px)
            depth, features = len(self.backbone.blocks), self.backbone.embed_dim
            possible = all(1 <= block <= depth for block in blocks)
            expect(possible, f"discriminator.blocks among the {depth} of {backbone}", list(blocks))
            self.heads = nn.ModuleList(_patch_head(features, width) for _ in blocks)
            self.heads.append(_token_head(features, width))
        self.indices = [*(block - 1 for block in blocks), depth - 1]
        self.input_px = input_px
        trained_on: Mapping[str, Any] = self.backbone.pretrained_cfg  # type: ignore[assignment] (timm: untyped)
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(trained_on[name])[:, None, None], persistent=False)

    def describe(self, images: Images) -> list[Float[Tensor, "b features ..."]]:
        """Return what the heads judge, normalised: patch tokens as maps, then the class token."""
        inputs = (resize(images, self._size(images), "area") / 2 + 0.5 - self.mean) / self.std
        levels: Any = self.backbone.forward_intermediates(
            inputs, indices=self.indices, norm=True, intermediates_only=True, return_prefix_tokens=True
        )
        by_index = dict(zip(sorted(set(self.indices)), levels, strict=True))  # (patches, other tokens) of each block
        *judged, last = (by_index[index] for index in self.indices)
        return [*(patches for patches, _ in judged), last[1][:, 0]]

    def _size(self, images: Images) -> tuple[int, int]:
        if self.input_px is not None:
            return self.input_px, self.input_px
        (patch_height, patch_width), (height, width) = self.backbone.patch_embed.patch_size, images.shape[-2:]
        return max(1, height // patch_height) * patch_height, max(1, width // patch_width) * patch_width


def _frozen(name: str, weights: str, input_px: int | None) -> VisionTransformer:
    expected = "a vision transformer of timm with a class token as discriminator.backbone"
    other = "Try vit_base_patch16_224.dino or vit_base_patch14_dinov2.lvd142m."
    expect(is_model_in_modules(name, "vision_transformer"), expected, name, other)
    path = Path(weights, "model.safetensors") if Path(weights).is_dir() else Path(weights)
    stored = weights not in ("hub", "random")
    expect(not stored or path.is_file(), "hub, random or weights in a file as discriminator.weights", weights)
    size: dict[str, Any] = {"img_size": input_px, "dynamic_img_size": True}
    expected_weights = f"weights of {name} from {path if stored else 'the model hub'}"
    missing: list[str] = []
    try:
        model: Any = timm.create_model(name, pretrained=weights == "hub", num_classes=0, **size)
        if stored:  # not by timm, which ignores missing weights of models that once had classes
            state: Any = checkpoint_filter_fn(load_state_dict(str(path), weights_only=True), model)
            missing = model.load_state_dict(state, strict=False).missing_keys
    except (OSError, RuntimeError, ValueError, KeyError, AttributeError, SafetensorError, UnpicklingError) as error:
        reason = "no access to it" if isinstance(error, OSError) else str(error).splitlines()[0].rstrip(".:")
        refuse(expected_weights, reason, _REMEDY)
    expect(not missing, expected_weights, f"none for {', '.join(missing[:3])}", _REMEDY)
    expect(model.has_class_token, expected, name, other)
    return model.requires_grad_(False).eval()


def _patch_head(features: int, width: int) -> nn.Module:
    return nn.Sequential(
        BlurPool2d(features, stride=1, pad_mode="constant"),
        spectral_norm(nn.Conv2d(features, width, 3, stride=2, padding=1)),
        nn.LeakyReLU(0.2),
        BlurPool2d(width, stride=1, pad_mode="constant"),
        spectral_norm(nn.Conv2d(width, 1, 1, stride=2)),
    )


def _token_head(features: int, width: int) -> nn.Module:
    return nn.Sequential(
        spectral_norm(nn.Linear(features, width)), nn.LeakyReLU(0.2), spectral_norm(nn.Linear(width, 1))
    )
