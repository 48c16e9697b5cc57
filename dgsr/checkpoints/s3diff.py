"""The file format of the method's authors: their `s3diff.pkl`, read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dgsr.checkpoints.plain import read_plain
from dgsr.checkpoints.trainer import write_atomically
from dgsr.checks import expect
from dgsr.models.generator import OneStepGenerator
from dgsr.models.lora import ADAPTER

_VAE_ADAPTER = "vae_skip"
_EMBEDDINGS = "state_embeddings"
#: Their name of each setting -> ours.
SETTINGS = {
    "unet_lora_target_modules": "unet_targets",
    "vae_lora_target_modules": "vae_targets",
    "rank_unet": "unet_rank",
    "rank_vae": "vae_rank",
}
#: What their program has fixed, and a file of ours tells beside what theirs hold; theirs passes over it.
_FIXED_THERE = ("alpha", "timestep", "posterior", "positive_prompt", "negative_prompt")
#: What a file of ours tells of how to use the generator.
_INFERENCE = ("scale", "guidance")
_OURS = "dgsr"
#: Their table of tensors -> where those tensors stand in a generator.
_TABLES = {
    "state_dict_unet": "unet",
    "state_dict_vae": "vae",
    "state_dict_vae_de_mlp": "conditioning.vae.degradation_mlp",
    "state_dict_unet_de_mlp": "conditioning.unet.degradation_mlp",
    "state_dict_vae_block_mlp": "conditioning.vae.block_mlp",
    "state_dict_unet_block_mlp": "conditioning.unet.block_mlp",
    "state_dict_vae_fuse_mlp": "conditioning.vae.fuse",
    "state_dict_unet_fuse_mlp": "conditioning.unet.fuse",
    "state_dict_vae_block": "conditioning.vae.block_embeddings",
    "state_dict_unet_block": "conditioning.unet.block_embeddings",
}
_IN_EMBEDDINGS = ("state_dict_vae_block", "state_dict_unet_block")
_FREQUENCIES = ("w", "conditioning.frequencies")


def load_s3diff(path: str | Path, backbone: str | Path, **options: Any) -> OneStepGenerator:
    """Build the generator of an authors' file over a diffusers folder or hub id.

    Args:
        path: The file.
        backbone: What it was trained on.
        options: Fields of `GeneratorOptions` that a file of theirs does not hold, such as the timestep.

    Raises:
        UserError: The file is not of this format, holds more than plain tensors, or belongs to another backbone.
    """
    content = _read(Path(path))
    held = {ours: content[theirs] for theirs, ours in SETTINGS.items()}
    held |= _ours(content, _FIXED_THERE)
    generator = OneStepGenerator.from_backbone(backbone, **(held | options))
    generator.load_trainable_state(_to_generator(content))
    return generator


def s3diff_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of an authors' file by the names that a generator gives them."""
    return _to_generator(_read(path))


def s3diff_inference(path: Path) -> dict[str, Any]:
    """Return the scale and the guidance that a file of ours tells; a file of theirs tells neither."""
    return _ours(_read(path), _INFERENCE)


def save_s3diff(generator: OneStepGenerator, path: str | Path, *, scale: int = 4, guidance: float = 1.07) -> None:
    """Write the adapter of a generator in the authors' format.

    Args:
        generator: A guided adapter with a trained conv_in.
        path: The file.
        scale: Factor of enlargement it was trained for.
        guidance: Guidance to use it with.

    Raises:
        UserError: The format cannot hold this generator.
    """
    expect_s3diff(generator)
    options = generator.options
    content: dict[str, Any] = {
        "unet_lora_target_modules": options.resolved_unet_targets,
        "vae_lora_target_modules": options.resolved_vae_targets,
        "rank_unet": options.unet_rank,
        "rank_vae": options.vae_rank,
        _OURS: {name: getattr(options, name) for name in _FIXED_THERE} | {"scale": scale, "guidance": guidance},
    }
    write_atomically({**content, **_to_authors(generator.trainable_state())}, Path(path))


def expect_s3diff(generator: OneStepGenerator) -> None:
    """Refuse a generator that the authors' format cannot hold.

    Raises:
        UserError: It is not a guided adapter with a trained conv_in.
    """
    options = generator.options
    kind = f"{options.conditioning}, train_conv_in {options.train_conv_in}, trainable {generator.trainable}"
    fits = options.conditioning == "guided" and options.train_conv_in and generator.trainable == "adapter"
    expect(fits, "a guided adapter with a trained conv_in", kind, "Export it with save_pretrained instead.")


def _read(path: Path) -> dict[str, Any]:
    content = read_plain(path, "a file in the authors' format", "Check the path.")
    needed = {*SETTINGS, *_TABLES, _EMBEDDINGS, _FREQUENCIES[0]} - {*_IN_EMBEDDINGS}
    missing = sorted(needed - content.keys())
    expect(not missing, "a file in the authors' format", f"{path} without {', '.join(missing[:3])}", "Check the path.")
    return content


def _ours(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what our table in a file tells of these names."""
    table = content.get(_OURS, {})
    return {name: table[name] for name in names if name in table}


def _to_generator(content: dict[str, Any]) -> dict[str, Tensor]:
    theirs, ours = _FREQUENCIES
    state = {ours: content[theirs].detach()}
    for table, prefix in _TABLES.items():
        tensors = content[_EMBEDDINGS][table] if table in _IN_EMBEDDINGS else content[table]
        for name, tensor in tensors.items():
            state[f"{prefix}.{name}".replace(f".{_VAE_ADAPTER}.", f".{ADAPTER}.")] = tensor
    return state


def _to_authors(state: dict[str, Tensor]) -> dict[str, Any]:
    theirs, ours = _FREQUENCIES
    content: dict[str, Any] = {theirs: nn.Parameter(state[ours].cpu(), requires_grad=False), _EMBEDDINGS: {}}
    for table, prefix in _TABLES.items():
        tensors = {
            name.removeprefix(f"{prefix}."): tensor.cpu()
            for name, tensor in state.items()
            if name.startswith(f"{prefix}.")
        }
        if table == "state_dict_vae":
            tensors = {name.replace(f".{ADAPTER}.", f".{_VAE_ADAPTER}."): tensor for name, tensor in tensors.items()}
        home = content[_EMBEDDINGS] if table in _IN_EMBEDDINGS else content
        home[table] = tensors
    return content
