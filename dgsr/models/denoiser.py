"""A denoiser of latents to be trained: the second half of your own backbone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from jaxtyping import Bool
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.autoencoder import load_autoencoder
from dgsr.models.backbones.denoising import Prediction
from dgsr.models.backbones.interface import Latents, Timesteps
from dgsr.models.backbones.loading import load_backbone
from dgsr.models.backbones.saving import save_half
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.models.backbones.tiny import PROMPT_TOKENS, PROMPT_WIDTH, SCHEDULE
from dgsr.models.options import NEGATIVE, POSITIVE
from dgsr.models.prompts import FILE, Prompts
from dgsr.models.trained import TrainedNetwork
from dgsr.types import Images, PromptEmbeddings


class Denoiser(TrainedNetwork):
    """Denoise latents of images that one of two prompts describes, or none.

    Args:
        autoencoder: Folder with `vae/`, as the training of an autoencoder exports it; frozen.
        widths: Channels of the four blocks, from the latent's resolution down.
        heads: Number of attention heads in every block but the innermost.
        groups: Number of groups of every normalisation.
        prediction: What the network predicts.
        positive_prompt: Prompt of sharp images.
        negative_prompt: Prompt of degraded images.
        init_from: Folder of a backbone whose denoiser it starts from; that one's widths, heads, groups and prediction
            replace those above. None starts from random weights.
        seed: Seed of the weights.

    Raises:
        UserError: There is no such autoencoder or backbone, or their latents have different numbers of channels.
    """

    empty: Tensor

    def __init__(
        self,
        autoencoder: str | Path,
        widths: Sequence[int] = (64, 128, 192, 192),
        heads: int = 4,
        groups: int = 8,
        prediction: Prediction = "v_prediction",
        positive_prompt: str = POSITIVE,
        negative_prompt: str = NEGATIVE,
        init_from: str | Path | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.vae = load_autoencoder(autoencoder, "task.denoiser.autoencoder").requires_grad_(False)
        channels = self.vae.config["latent_channels"]
        if init_from is None:
            self.unet = _untrained(channels, tuple(widths), heads, groups, seed)
        else:
            start = load_backbone(init_from)
            self.unet, prediction = start.unet.float(), start.prediction
            got = self.unet.config["in_channels"]
            expect(got == channels, f"a denoiser of {channels} channels", got, "Set task.denoiser.init_from.")
        scheduler = DDPMScheduler(**SCHEDULE, prediction_type=prediction, clip_sample=False)
        self.backbone = StableDiffusion(self.unet, self.vae, scheduler, "denoiser")
        self.architecture = self.backbone.architecture()
        self.num_timesteps = len(scheduler.alphas_cumprod)
        self.prompts = Prompts.random(positive_prompt, negative_prompt, PROMPT_TOKENS, PROMPT_WIDTH)
        self.register_buffer("empty", Prompts.random("", "", PROMPT_TOKENS, PROMPT_WIDTH).positive, persistent=False)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the trained parameters by name: the UNet's."""
        yield from self.unet.named_parameters(prefix="unet")

    @torch.no_grad()
    def encode(self, images: Images) -> Latents:
        """Return the scaled latents of images in [-1, 1]."""
        return self.backbone.encode(images)

    @torch.no_grad()
    def decode(self, latents: Latents) -> Images:
        """Return the images of scaled latents, clamped to [-1, 1]."""
        return self.backbone.decode(latents).clamp(-1, 1)

    def prompt(self, negative: Bool[Tensor, " b"], none: Bool[Tensor, " b"]) -> PromptEmbeddings:
        """Return the embedding of each image's prompt."""
        named = torch.where(negative[:, None, None], self.prompts.negative, self.prompts.positive)
        return torch.where(none[:, None, None], self.empty, named)

    def forward(self, noisy: Latents, timesteps: int | Timesteps, prompt: PromptEmbeddings) -> Latents:
        """Return what the network predicts for noisy latents."""
        return self.backbone.predict(noisy, timesteps, prompt)

    def clean(self, noisy: Latents, timestep: int, prompt: PromptEmbeddings) -> Latents:
        """Return the clean latents after one step from a timestep."""
        return self.backbone.clean(noisy, self(noisy, timestep, prompt), timestep)

    def save(self, folder: Path) -> None:
        """Write a diffusers folder in half precision, with the embeddings of the prompts, for `generator.path`."""
        save_half(self.unet, folder / "unet")
        save_half(self.vae, folder / "vae")
        self.backbone.scheduler.save_pretrained(folder / "scheduler")
        self.prompts.save(folder / FILE)


def _untrained(channels: int, widths: tuple[int, ...], heads: int, groups: int, seed: int) -> UNet2DConditionModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DConditionModel(
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            block_out_channels=widths,  # pyright: ignore[reportArgumentType]
            layers_per_block=1,
            attention_head_dim=heads,
            cross_attention_dim=PROMPT_WIDTH,
            norm_num_groups=groups,
            use_linear_projection=True,
            in_channels=channels,
            out_channels=channels,
        )
