"""The discriminator on a frozen vision transformer: its features, sizes, heads, state and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import interpolate

from dgsr.checks import UserError
from dgsr.losses import r1
from dgsr.models.discriminators import DinoDiscriminator

IMAGES = torch.rand(2, 3, 80, 112, generator=torch.Generator().manual_seed(0)) * 2 - 1
SMALL: dict[str, Any] = {"backbone": "test_vit", "weights": "random", "blocks": (2, 4), "input_px": 64, "width": 8}


def small(**changes: Any) -> DinoDiscriminator:
    return DinoDiscriminator(**SMALL | changes).eval()


def hooked(discriminator: DinoDiscriminator, images: Tensor) -> list[Tensor]:
    """Run timm's own forward, and take the blocks' outputs on their way through."""
    vit = discriminator.backbone
    taken: list[Tensor] = []

    def take(_block: Any, _given: Any, tokens: Any) -> None:
        taken.append(tokens)

    handles = [block.register_forward_hook(take) for block in vit.blocks]
    unit = (images + 1) / 2
    norms = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    mean, std = (torch.tensor(values)[:, None, None] for values in norms)
    vit.forward_features((unit - mean) / std)
    for handle in handles:
        handle.remove()
    return [vit.norm(tokens) for tokens in taken]


def test_features_are_those_of_the_blocks() -> None:
    discriminator = small()
    discriminator.mean.copy_(torch.tensor((0.485, 0.456, 0.406))[:, None, None])
    discriminator.std.copy_(torch.tensor((0.229, 0.224, 0.225))[:, None, None])
    blocks = hooked(discriminator, interpolate(IMAGES, (64, 64), mode="area"))
    early, middle, token = discriminator.describe(IMAGES)
    for level, tokens in ((early, blocks[1]), (middle, blocks[3])):
        assert torch.allclose(level, tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4)), atol=1e-5)
    assert torch.allclose(token, blocks[5][:, 0], atol=1e-5)


def test_the_order_of_the_blocks_is_kept_and_the_last_may_be_among_them() -> None:
    early, middle, token = small().describe(IMAGES)
    assert all(map(torch.equal, small(blocks=(4, 2)).describe(IMAGES), (middle, early, token)))
    *_, last, same = small(blocks=(2, 6)).describe(IMAGES)
    assert last.shape == early.shape
    assert torch.equal(same, token)


@pytest.mark.parametrize("size", [(64, 64), (80, 112), (33, 47), (16, 9)])
def test_images_of_any_size(size: tuple[int, int]) -> None:
    images = interpolate(IMAGES, size, mode="bilinear")
    assert [tuple(level.shape) for level in small()(images)] == [(2, 1, 1, 1), (2, 1, 1, 1), (2, 1)]
    native = small(input_px=None).describe(images)
    assert tuple(native[0].shape[2:]) == tuple(max(1, side // 16) for side in size)


def test_dinov2_has_its_own_patch_and_mean() -> None:
    discriminator = small(backbone="vit_small_patch14_dinov2.lvd142m", input_px=56)
    assert [tuple(level.shape) for level in discriminator.describe(IMAGES)] == [(2, 384, 4, 4)] * 2 + [(2, 384)]
    assert torch.allclose(discriminator.mean.flatten(), torch.tensor((0.485, 0.456, 0.406)))


def test_the_state_holds_the_heads_alone() -> None:
    first, second = small(seed=1), small(seed=1)
    state = first.state_dict()
    heads = sum(p.numel() for p in first.heads.parameters())
    assert heads <= sum(tensor.numel() for tensor in state.values()) < 1.2 * heads
    assert [p.requires_grad for p in first.parameters()].count(True) == len(list(first.heads.parameters()))
    torch.nn.init.normal_(next(first.heads.parameters()))
    second.load_state_dict(first.state_dict())
    assert all(map(torch.equal, first(IMAGES), second(IMAGES)))


def test_weights_come_from_a_file_or_a_folder(tmp_path: Path) -> None:
    wanted = small(seed=3)
    save_file(wanted.backbone.state_dict(), tmp_path / "model.safetensors")
    torch.save(wanted.backbone.state_dict(), tmp_path / "vit.pth")
    for path in (tmp_path, tmp_path / "model.safetensors", tmp_path / "vit.pth"):
        found = small(seed=4, weights=str(path))
        assert all(map(torch.equal, found.describe(IMAGES), wanted.describe(IMAGES))), path


def test_position_embeddings_follow_the_size(tmp_path: Path) -> None:
    torch.save(timm.create_model("test_vit", num_classes=0).state_dict(), tmp_path / "vit.pth")
    resized = small(weights=str(tmp_path / "vit.pth")).backbone.pos_embed
    assert resized is not None
    assert resized.shape[1] == 1 + 4 * 4


def test_gradients_reach_the_image_and_the_heads_only() -> None:
    discriminator, images = small(), IMAGES.clone().requires_grad_()
    torch.stack([level.mean() for level in discriminator(images)]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert all(p.grad is not None for p in discriminator.heads.parameters())
    assert all(p.grad is None for p in discriminator.backbone.parameters())


def test_unavailable_weights_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(b"hello")
    torch.save({"a": torch.zeros(1)}, tmp_path / "vit.pth")
    for changes, message in (
        ({"weights": "hub", "backbone": "vit_small_patch16_224.dino"}, "from the model hub, but got no access to it"),
        ({"weights": "nowhere.pth"}, "as discriminator.weights, but got nowhere.pth"),
        ({"weights": str(tmp_path / "other.pth")}, "other.pth, but got"),
        ({"weights": str(tmp_path / "vit.pth")}, "vit.pth, but got none for cls_token, pos_embed"),
        ({"backbone": "resnet18"}, "as discriminator.backbone, but got resnet18"),
        ({"backbone": "test_vit2"}, "with a class token as discriminator.backbone, but got test_vit2"),
        ({"blocks": (2, 7)}, r"among the 6 of test_vit, but got \[2, 7\]"),
    ):
        with pytest.raises(UserError, match=message) as error:
            small(**changes)
        assert "\n" not in str(error.value)


def test_the_gradient_penalty_trains_the_heads() -> None:
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        discriminator, real = small(), IMAGES.clone().requires_grad_()
        penalty = r1(real, discriminator(real))
    gradients = torch.autograd.grad(penalty, list(discriminator.heads.parameters()), allow_unused=True)
    assert sum(gradient.abs().sum() for gradient in gradients if gradient is not None) > 0
