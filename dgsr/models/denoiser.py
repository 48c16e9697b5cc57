"""A denoiser of latents to be trained: the second half of one's own backbone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.autoencoder import load_autoencoder
from dgsr.models.backbone import load_backbone
from dgsr.models.denoising import Latents, Prediction, clean_latent
from dgsr.models.options import NEGATIVE, POSITIVE
from dgsr.models.prompts import FILE, Prompts
from dgsr.models.tensors import save_half
from dgsr.models.tiny import PROMPT_TOKENS, PROMPT_WIDTH, SCHEDULE
from dgsr.models.trained import TrainedNetwork
from dgsr.types import Images, PromptEmbeddings

Timesteps = Int[Tensor, " b"]


class Denoiser(TrainedNetwork):
    """Find the clean latents in noisy ones, of images that one of two prompts describes, or none.

    Args:
        autoencoder: Folder with `vae/`, as the training of an autoencoder exports it; frozen.
        widths: Channels of the four blocks, from the latent's resolution down.
        heads: Of the attention in every block but the innermost.
        groups: Of every normalisation.
        prediction: What the network predicts.
        positive_prompt: What sharp images are called.
        negative_prompt: What degraded images are called.
        init_from: Folder of a backbone whose denoiser it starts from; its widths, heads, groups and prediction take the
            place of those above. None starts from random weights.
        seed: Of the weights.

    Raises:
        UserError: There is no such autoencoder or backbone, or the latents of one are not the other's.
    """

    empty: Tensor
    alpha_bars: Tensor

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
            found = self.unet.config["in_channels"]
            expect(found == channels, f"a denoiser of {channels} channels", found, "Set task.denoiser.init_from.")
        self.scheduler = DDPMScheduler(**SCHEDULE, prediction_type=prediction, clip_sample=False)
        parts = {"unet": self.unet.config, "vae": self.vae.config, "scheduler": self.scheduler.config}
        self.architecture = {
            name: {key: value for key, value in part.items() if not key.startswith("_")} for name, part in parts.items()
        }
        self.prediction: Prediction = prediction
        self.prompts = Prompts.random(positive_prompt, negative_prompt, PROMPT_TOKENS, PROMPT_WIDTH)
        self.register_buffer("empty", Prompts.random("", "", PROMPT_TOKENS, PROMPT_WIDTH).positive, persistent=False)
        self.register_buffer("alpha_bars", self.scheduler.alphas_cumprod, persistent=False)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name: the UNet's."""
        yield from self.unet.named_parameters(prefix="unet")

    @torch.no_grad()
    def encode(self, images: Images) -> Latents:
        """Return the scaled latents of images in [-1, 1]."""
        return self.vae.encode(images, return_dict=False)[0].mode() * self.vae.config["scaling_factor"]

    @torch.no_grad()
    def decode(self, latents: Latents) -> Images:
        """Return the images of scaled latents, clamped to [-1, 1]."""
        return self.vae.decode(latents / self.vae.config["scaling_factor"], return_dict=False)[0].clamp(-1, 1)

    def prompt(self, negative: Bool[Tensor, " b"], none: Bool[Tensor, " b"]) -> PromptEmbeddings:
        """Return the embedding of each image's prompt."""
        named = torch.where(negative[:, None, None], self.prompts.negative, self.prompts.positive)
        return torch.where(none[:, None, None], self.empty, named)

    def forward(self, noisy: Latents, timesteps: Timesteps, prompt: PromptEmbeddings) -> Latents:
        """Return what the network predicts of noisy latents."""
        return self.unet(noisy, timesteps, prompt, return_dict=False)[0]

    def clean(self, noisy: Latents, timestep: int, prompt: PromptEmbeddings) -> Latents:
        """Return the clean latents that one step from a timestep finds."""
        timesteps = torch.full((len(noisy),), timestep, device=noisy.device)
        predicted = self(noisy, timesteps, prompt.expand(len(noisy), -1, -1))
        return clean_latent(noisy, predicted, float(self.alpha_bars[timestep]), self.prediction)

    def noisy(self, clean: Latents, noise: Latents, timesteps: Timesteps) -> Latents:
        """Return √ᾱ z + √(1−ᾱ) ε."""
        signal, share = self._shares(timesteps)
        return signal * clean + share * noise

    def wanted(self, clean: Latents, noise: Latents, timesteps: Timesteps) -> Latents:
        """Return what the network is to predict: ε, z, or v = √ᾱ ε − √(1−ᾱ) z."""
        signal, share = self._shares(timesteps)
        match self.prediction:
            case "epsilon":
                return noise
            case "sample":
                return clean
            case "v_prediction":
                return signal * noise - share * clean

    def _shares(self, timesteps: Timesteps) -> tuple[Float[Tensor, "b 1 1 1"], Float[Tensor, "b 1 1 1"]]:
        alpha_bar = self.alpha_bars[timesteps][:, None, None, None]
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()

    def save(self, folder: Path) -> None:
        """Write a diffusers folder in half precision, with the embeddings of the prompts, for `generator.path`."""
        save_half(self.unet, folder / "unet")
        save_half(self.vae, folder / "vae")
        self.scheduler.save_pretrained(folder / "scheduler")
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
