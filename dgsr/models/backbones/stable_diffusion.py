"""Stable Diffusion 1, 2 and Turbo: a UNet, a VAE and a CLIP text encoder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import nn

from dgsr.checks import expect, refuse
from dgsr.models.backbones.denoising import AlphaBar, Prediction, clean_latent, noisy_latent, prediction_target
from dgsr.models.backbones.interface import Latents, Network, Part, Targets, Timesteps
from dgsr.models.hub import fetch_folder
from dgsr.ops.precision import never_fp16
from dgsr.types import Images, PromptEmbeddings

#: Length of every embedding of CLIP's text encoders.
CLIP_TOKENS = 77

_BLOCK = re.compile(r"(?:^|\.)(down_blocks|mid_block|up_blocks)(?:\.(\d+))?(?:\.|$)")


class StableDiffusion:
    """Networks and noise schedule of Stable Diffusion 1, 2 or Turbo; implements `Backbone`.

    Args:
        unet: The denoiser.
        vae: Encodes images as latents, and decodes latents.
        scheduler: The noise schedule, and what the UNet predicts.
        source: Folder or hub id that they were read from.
    """

    folders = ("unet", "vae", "scheduler")
    block_types: tuple[type[nn.Module], ...] = (ResnetBlock2D, BasicTransformerBlock)
    adapter_targets: Mapping[str, Mapping[Network, Targets]] = {
        "paper": {
            "unet": [
                *("to_k", "to_q", "to_v", "to_out.0", "conv", "conv1", "conv2", "conv_shortcut", "conv_out"),
                *("proj_in", "proj_out", "ff.net.2", "ff.net.0.proj"),
            ],
            "vae": r"^encoder\..*(conv1|conv2|conv_in|conv_shortcut|conv|conv_out|to_k|to_q|to_v|to_out\.0)$",
        },
        "attention": {
            "unet": ["to_k", "to_q", "to_v", "to_out.0"],
            "vae": r"^encoder\..*(to_k|to_q|to_v|to_out\.0)$",
        },
    }

    def __init__(self, unet: UNet2DConditionModel, vae: AutoencoderKL, scheduler: DDPMScheduler, source: str) -> None:
        self.unet, self.vae, self.scheduler, self.source = unet, vae, scheduler, source
        self.networks: Mapping[Network, nn.Module] = {"unet": unet, "vae": vae}
        self.parts: Mapping[Part, nn.Module] = {"unet": unet, "encoder": vae.encoder, "decoder": vae.decoder}
        self.prediction: Prediction = scheduler.config["prediction_type"]
        self.depths: Mapping[Network, tuple[int, int]] = {
            "unet": (len(unet.config["down_block_types"]), len(unet.config["up_block_types"])),
            "vae": (len(vae.config["down_block_types"]), 0),  # of the encoder: nothing guides the decoder
        }
        self.num_blocks: Mapping[Network, int] = {name: sum(depth) + 2 for name, depth in self.depths.items()}

    @classmethod
    def read(cls, folder: Path, source: str, build: Callable[[Any, Path], Any]) -> StableDiffusion:
        """Read the networks of a diffusers folder.

        Args:
            folder: Holds `unet`, `vae` and `scheduler`.
            source: What the user calls the folder.
            build: Builds a network class from its folder, with weights or without.
        """
        unet, vae = build(UNet2DConditionModel, folder / "unet"), build(AutoencoderKL, folder / "vae")
        return cls(unet, vae, cast(DDPMScheduler, DDPMScheduler.from_pretrained(folder, subfolder="scheduler")), source)

    @classmethod
    def from_architecture(cls, architecture: Mapping[str, Any], source: str) -> StableDiffusion:
        """Build the networks that `architecture` describes, with random weights."""
        unet: Any = UNet2DConditionModel.from_config(architecture["unet"])
        vae: Any = AutoencoderKL.from_config(architecture["vae"])
        scheduler: Any = DDPMScheduler.from_config(architecture["scheduler"])
        return cls(unet, vae, scheduler, source)

    @staticmethod
    def difference(configs: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Say what makes the networks of a folder another family's, or return None.

        Args:
            configs: The contents of each subfolder's configuration file.
        """
        unet, vae, scheduler = (configs[name] for name in StableDiffusion.folders)
        prediction = scheduler.get("prediction_type", "epsilon")
        for role, config, network in (("denoiser", unet, UNet2DConditionModel), ("autoencoder", vae, AutoencoderKL)):
            if config.get("_class_name", network.__name__) != network.__name__:
                return f"a {config['_class_name']} as its {role}"
        if unet.get("addition_embed_type") or unet.get("class_embed_type"):
            return "a UNet with further embeddings, such as SDXL's"
        if unet.get("in_channels", 4) != vae.get("latent_channels", 4):
            return f"a UNet of {unet.get('in_channels', 4)} channels, such as those for inpainting or upscaling"
        if "FlowMatch" in str(scheduler.get("_class_name")) or prediction not in get_args(Prediction):
            return f"a schedule of the kind {scheduler.get('_class_name')} that predicts {prediction}"
        return None

    def encode(self, images: Images, noise: list[torch.Generator] | None = None) -> Latents:
        """Return the scaled latents of images in [-1, 1]: a sample of the posterior with this noise, or its mode.

        Under autocast to fp16 the autoencoder stays in fp32: its activations can exceed the largest fp16 number.
        """
        with never_fp16(images.device):
            posterior: Any = self.vae.encode(images, return_dict=False)[0]
        return (posterior.mode() if noise is None else posterior.sample(noise)) * self.vae.config["scaling_factor"]

    def decode(self, latents: Latents) -> Images:
        """Return the images of scaled latents, not clamped."""
        with never_fp16(latents.device):
            return self.vae.decode(latents / self.vae.config["scaling_factor"], return_dict=False)[0]

    def predict(self, latents: Latents, timesteps: int | Timesteps, prompts: PromptEmbeddings) -> Latents:
        """Return what the UNet predicts for noisy latents; one embedding may serve all samples."""
        if isinstance(timesteps, int):
            timesteps = torch.full((), timesteps, device=latents.device)
        return self.unet(latents, timesteps, prompts.expand(len(latents), -1, -1), return_dict=False)[0]

    def clean(self, latents: Latents, predicted: Latents, timesteps: int | Timesteps) -> Latents:
        """Return the clean latents that a prediction implies."""
        return clean_latent(latents, predicted, self.alpha_bar(timesteps), self.prediction)

    def noisy(self, latents: Latents, noise: Latents, timesteps: int | Timesteps) -> Latents:
        """Add noise to clean latents."""
        return noisy_latent(latents, noise, self.alpha_bar(timesteps))

    def target(self, latents: Latents, noise: Latents, timesteps: int | Timesteps) -> Latents:
        """Return what the UNet learns to predict for clean latents and the noise that is added to them."""
        return prediction_target(latents, noise, self.alpha_bar(timesteps), self.prediction)

    def alpha_bar(self, timesteps: int | Timesteps) -> AlphaBar:
        """Return the share of signal in noisy latents of these timesteps."""
        if isinstance(timesteps, int):
            return float(self.scheduler.alphas_cumprod[timesteps])
        return self.scheduler.alphas_cumprod.to(timesteps.device)[timesteps][:, None, None, None]

    def embed(self, *texts: str) -> list[PromptEmbeddings]:
        """Return the embedding of each text, (1, n, d).

        Raises:
            UserError: The source has no text encoder.
        """
        folder = fetch_folder(self.source, "text_encoder", "tokenizer")
        if folder is None:
            refuse(
                "embeddings of the two prompts (prompts.safetensors) or a text encoder",
                f"neither in {self.source}",
                "Use generator.positive_prompt and .negative_prompt as cached there, or a complete backbone.",
            )
        from transformers import CLIPTextModel, CLIPTokenizer  # slow to import, and most runs have cached embeddings

        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        encoder = CLIPTextModel.from_pretrained(folder / "text_encoder")
        length = {"max_length": tokenizer.model_max_length, "padding": "max_length", "truncation": True}
        with torch.no_grad():
            return [encoder(tokenizer(text, **length, return_tensors="pt").input_ids)[0] for text in texts]

    @property
    def prompt_shape(self) -> tuple[int, int]:
        """Tokens and width of a prompt embedding."""
        return CLIP_TOKENS, self.unet.config["cross_attention_dim"]

    def block_of(self, network: Network, layer: str) -> int:
        """Return the id of the block that a layer belongs to.

        Raises:
            UserError: No image passes the layer, or it decodes, where no scores are known.
        """
        if network == "unet":
            expected, remedy = "unet.targets of an adapter among layers that images pass", "It sees only the timestep."
            expect("time_emb" not in layer, expected, layer, remedy)
        else:
            encodes = layer.startswith(("encoder.", "quant_conv"))
            remedy = "Train the decoder with generator.trainable=with_decoder instead."
            expect(encodes, "vae.targets of an adapter in the encoder, such as '^encoder.*conv1$'", layer, remedy)
        return block_id(layer, *self.depths[network])

    def expect_timestep(self, timestep: int) -> None:
        """Refuse a timestep from which no image can be restored.

        Raises:
            UserError: The schedule has no such timestep, or no signal is left there.
        """
        steps = len(self.scheduler.alphas_cumprod)
        expect(0 <= timestep < steps, f"a timestep of 0 to {steps - 1}", timestep, "Set generator.timestep.")
        usable = self.scheduler.alphas_cumprod[timestep] > 0 or self.prediction != "epsilon"
        expect(bool(usable), "a timestep with some signal left", timestep, "Set generator.timestep to a smaller one.")

    @property
    def multiple(self) -> int:
        """Sides of images are padded to multiples of this, so that every level of both networks halves them evenly."""
        return self.latent_px * 2 ** (len(self.unet.config["block_out_channels"]) - 1)

    @property
    def latent_px(self) -> int:
        """Pixels per latent cell, along each side."""
        return 2 ** (len(self.vae.config["block_out_channels"]) - 1)

    @property
    def bytes_per_px(self) -> int:
        """Bytes per output pixel of the largest activation: the decoder's at full resolution."""
        return max(self.vae.config["block_out_channels"][:2]) * next(self.vae.parameters()).element_size()

    def architecture(self) -> dict[str, Any]:
        """Return the configurations, without the entries that say where they were read and who wrote them."""
        configs = {"unet": self.unet.config, "vae": self.vae.config, "scheduler": self.scheduler.config}
        return {
            part: {key: value for key, value in config.items() if not key.startswith("_")}
            for part, config in configs.items()
        }


def block_id(layer: str, num_down: int, num_up: int) -> int:
    """Return the id of the block that the layer of this name lies in.

    Ids count the down blocks, then the middle, then the up blocks; the last id is everything else.

    >>> [block_id(name, 4, 4) for name in ("down_blocks.2.resnets.0.conv1", "mid_block.x", "up_blocks.3.x", "conv_out")]
    [2, 4, 8, 9]
    >>> block_id("encoder.mid_block.resnets.0.conv1", 4, 0), block_id("encoder.conv_in", 4, 0)
    (4, 5)

    Source: S3Diff Sec. 3.2.
    """
    match = _BLOCK.search(layer)
    if match is None:
        return num_down + num_up + 1
    kind, index = match.groups()
    if kind == "mid_block":
        return num_down
    limit, first = (num_down, 0) if kind == "down_blocks" else (num_up, num_down + 1)
    assert int(index) < limit, f"{layer} lies outside {num_down} down and {num_up} up blocks"
    return first + int(index)
