"""Read and write the file format of the method's authors, `s3diff.pkl`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dgsr.checkpoints.trainer import write_checkpoint
from dgsr.checks import expect
from dgsr.models.adapters.options import MAIN, layer_name
from dgsr.models.generator import OneStepGenerator
from dgsr.tensors import read_plain

_VAE_ADAPTER, _ADAPTER = "vae_skip", layer_name(MAIN)
_EMBEDDINGS = "state_embeddings"
#: Their name of each setting -> ours.
SETTINGS = {
    "unet_lora_target_modules": "unet_targets",
    "vae_lora_target_modules": "vae_targets",
    "rank_unet": "unet_rank",
    "rank_vae": "vae_rank",
}
#: Options that their program fixes; our files record them, and their program ignores the record.
_FIXED_THERE = ("alpha", "timestep", "posterior", "positive_prompt", "negative_prompt")
#: How to use the generator, as our files record it.
_INFERENCE = ("scale", "guidance")
_OURS = "dgsr"
#: Their table of tensors -> prefix of those tensors in a generator.
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
        backbone: The backbone it was trained on.
        options: Fields of `GeneratorOptions` that their files do not record, such as the timestep.

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
    """Return the scale and the guidance that our files record; theirs record neither."""
    return _ours(_read(path), _INFERENCE)


def save_s3diff(generator: OneStepGenerator, path: str | Path, *, scale: int = 4, guidance: float = 1.07) -> None:
    """Write the adapter of a generator in the authors' format.

    Args:
        generator: A generator with one guided adapter and a trained conv_in.
        path: The file.
        scale: Output pixels per input pixel that it was trained for, along each side.
        guidance: The guidance to use it with.

    Raises:
        UserError: The format cannot hold this generator.
    """
    expect_s3diff(generator)
    options = generator.options.resolved(generator.backbone)
    main = options.adapters[MAIN]
    fixed = {"alpha": main.alpha, **{name: getattr(options, name) for name in _FIXED_THERE if name != "alpha"}}
    content: dict[str, Any] = {
        "unet_lora_target_modules": main.unet.targets,
        "vae_lora_target_modules": main.vae.targets,
        "rank_unet": main.unet.rank,
        "rank_vae": main.vae.rank,
        _OURS: {**fixed, "scale": scale, "guidance": guidance},
    }
    write_checkpoint({**content, **_to_authors(generator.trainable_state())}, Path(path))


def expect_s3diff(generator: OneStepGenerator) -> None:
    """Refuse a generator that the authors' format cannot hold.

    Raises:
        UserError: It is not a guided adapter with a trained conv_in.
    """
    options = generator.options
    kinds = {name: adapter.conditioning for name, adapter in options.adapters.items()}
    fits = kinds == {MAIN: "guided"} and options.train_conv_in and generator.trainable == "adapter"
    got = f"adapters {kinds}, train_conv_in {options.train_conv_in}, trainable {generator.trainable}"
    expected = f"one guided adapter {MAIN} with a trained conv_in"
    expect(fits, expected, got, "Export it with save_pretrained instead.")


def _read(path: Path) -> dict[str, Any]:
    content = read_plain(path, "a file in the authors' format", "Check the path.")
    needed = {*SETTINGS, *_TABLES, _EMBEDDINGS, _FREQUENCIES[0]} - {*_IN_EMBEDDINGS}
    missing = sorted(needed - content.keys())
    expect(not missing, "a file in the authors' format", f"{path} without {', '.join(missing[:3])}", "Check the path.")
    return content


def _ours(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what our record in a file says about these names."""
    table = content.get(_OURS, {})
    return {name: table[name] for name in names if name in table}


def _to_generator(content: dict[str, Any]) -> dict[str, Tensor]:
    theirs, ours = _FREQUENCIES
    state = {ours: content[theirs].detach()}
    for table, prefix in _TABLES.items():
        tensors = content[_EMBEDDINGS][table] if table in _IN_EMBEDDINGS else content[table]
        for name, tensor in tensors.items():
            state[f"{prefix}.{name}".replace(f".{_VAE_ADAPTER}.", f".{_ADAPTER}.")] = tensor
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
            tensors = {name.replace(f".{_ADAPTER}.", f".{_VAE_ADAPTER}."): tensor for name, tensor in tensors.items()}
        home = content[_EMBEDDINGS] if table in _IN_EMBEDDINGS else content
        home[table] = tensors
    return content
