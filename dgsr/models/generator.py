"""The one-step generator: encode, correct, denoise once, decode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect
from dgsr.models.backbone import Backbone, load_backbone, outline_backbone
from dgsr.models.blocks import num_blocks, unet_block_id, vae_block_id
from dgsr.models.conditioning import Conditioning, Correction
from dgsr.models.denoising import Latents, Prediction, clean_latent
from dgsr.models.economy import economise
from dgsr.models.lora import bake, inject
from dgsr.models.options import GeneratorOptions, takes_options
from dgsr.models.prompts import CLIP_TOKENS, Prompts
from dgsr.models.tiny import PROMPT_TOKENS, PROMPT_WIDTH, tiny_backbone
from dgsr.models.weights import TrainableWeights
from dgsr.ops.precision import never_fp16
from dgsr.types import Images, Scores

#: One embedding for all samples, or one each.
Embeddings: TypeAlias = Float[Tensor, "#b tokens width"]


class Restoration(NamedTuple):
    """The clean, scaled latent that a step gives, and the images decoded from it."""

    latent: Latents
    sr: Images


class OneStepGenerator(TrainableWeights):
    """Restore an image in one denoising step, guided by scores of how it was degraded.

    Args:
        backbone: Networks to adapt; they are changed in place.
        prompts: Embeddings of the positive and the negative prompt.
        options: All other choices.

    Source: S3Diff Sec. 3.
    """

    def __init__(self, backbone: Backbone, prompts: Prompts, options: GeneratorOptions):
        super().__init__()
        self.options, self.source = options, backbone.source
        self.prediction: Prediction = backbone.prediction
        self.alpha_bar = backbone.alpha_bar(options.timestep)
        self.architecture = backbone.architecture()
        self.unet, self.vae, self.prompts = backbone.unet, backbone.vae, prompts
        unet_ids = (len(self.unet.config["down_block_types"]), len(self.unet.config["up_block_types"]))
        vae_ids = (len(self.vae.config["down_block_types"]), 0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            of_unet, of_vae = partial(unet_block_id, *unet_ids), partial(vae_block_id, *vae_ids)
            alpha = options.alpha
            self.unet_bank = inject(self.unet, options.resolved_unet_targets, options.unet_rank, alpha, of_unet)
            self.vae_bank = inject(self.vae, options.resolved_vae_targets, options.vae_rank, alpha, of_vae)
            self.conditioning = Conditioning(
                num_blocks(*unet_ids),
                options.unet_rank,
                num_blocks(*vae_ids),
                options.vae_rank,
                options.conditioning,
                options.init,
            )
        economise(self.unet, self.vae, self.unet_bank, self.vae_bank, options)
        self.set_trainable(options.trainable)

    @classmethod
    @takes_options()
    def from_backbone(cls, path: str | Path, *, options: GeneratorOptions) -> OneStepGenerator:
        """Build a generator with an adapter over a diffusers folder or hub id.

        Args:
            path: The folder or hub id.
            options: All other choices.

        Raises:
            UserError: There is no such backbone, or no embeddings of the prompts and no text encoder.
        """
        backbone = load_backbone(path)
        prompts = Prompts.of(str(path), options.positive_prompt, options.negative_prompt)
        return cls(backbone, prompts, options)

    @classmethod
    @takes_options()
    def outline(cls, path: str | Path, *, options: GeneratorOptions) -> OneStepGenerator:
        """Build what `from_backbone` would, without reading weights: for what depends on shapes alone.

        Raises:
            UserError: There is no such backbone.
        """
        backbone = outline_backbone(path)
        texts, width = (options.positive_prompt, options.negative_prompt), backbone.unet.config["cross_attention_dim"]
        return cls(backbone, Prompts.random(*texts, CLIP_TOKENS, width), options)

    @classmethod
    @takes_options(unet_rank=8, vae_rank=4, timestep=250)
    def tiny(
        cls,
        *,
        latent_channels: int = 16,
        prediction: Prediction = "v_prediction",
        options: GeneratorOptions,
    ) -> OneStepGenerator:
        """Build a generator with random networks of under 3 M parameters, the same for the same seed."""
        prompts = Prompts.random(options.positive_prompt, options.negative_prompt, PROMPT_TOKENS, PROMPT_WIDTH)
        backbone = tiny_backbone(options.seed, latent_channels, prediction, options.timestep)
        return cls(backbone, prompts, options)

    @property
    def multiple(self) -> int:
        """The sides of images that every level of both networks can halve evenly are multiples of this."""
        return self.latent_px * 2 ** (len(self.unet.config["block_out_channels"]) - 1)

    @property
    def latent_px(self) -> int:
        """Pixels along each side of what one cell of the latent stands for."""
        return 2 ** (len(self.vae.config["block_out_channels"]) - 1)

    def forward(
        self,
        lq_up: Images,
        scores: Scores,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
        noise: list[torch.Generator] | None = None,
    ) -> Images:
        """Return the restored images, in [-1, 1].

        Args:
            lq_up: Degraded images in [-1, 1], at the size of the output.
            scores: What the estimator reads off them.
            positive: Embedding of the prompt to follow: one for all images, or one each.
            negative: Embedding of the prompt to move away from.
            guidance: How far to move away; at 1 the negative prompt plays no part and costs nothing.
            noise: Draws each image's sample of the VAE's posterior, where `posterior` is `sample`.
        """
        return self.restore(lq_up, scores, positive, negative, guidance, noise).sr

    def restore(
        self,
        lq_up: Images,
        scores: Scores,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
        noise: list[torch.Generator] | None = None,
    ) -> Restoration:
        """Return the clean latents and the restored images; arguments as for a call."""
        correction = self.correction(scores)
        latent = self.denoise(self.encode(lq_up, correction, noise), correction, positive, negative, guidance)
        return Restoration(latent, self.decode(latent))

    def correction(self, scores: Scores) -> Correction:
        """Return the matrices that scores ask of both networks' adapters."""
        return self.conditioning(scores)

    def encode(self, lq_up: Images, correction: Correction, noise: list[torch.Generator] | None = None) -> Latents:
        """Return the scaled latents of images in [-1, 1].

        Under autocast to fp16 the autoencoder stays in fp32: its activations can exceed fp16's largest number.
        """
        even = all(side % self.latent_px == 0 for side in lq_up.shape[-2:])
        size = "x".join(map(str, lq_up.shape[-2:]))
        what = f"images with sides that are multiples of {self.latent_px}"
        expect(even, what, size, "Choose data.crop_px so, or pad them.")
        with self.vae_bank.using(correction.vae), never_fp16(lq_up.device):
            posterior: Any = self.vae.encode(lq_up, return_dict=False)[0]
        if self.options.posterior == "sample":
            assert noise is not None, "a sample of the posterior needs noise"
            assert len(noise) == len(lq_up), "the posterior of each image is sampled by its own noise"
            latent = posterior.sample(noise)
        else:
            latent = posterior.mode()
        return latent * self.vae.config["scaling_factor"]

    def denoise(
        self,
        latent: Latents,
        correction: Correction,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
    ) -> Latents:
        """Return the clean latents; both prompts of a guided step go through the UNet as one batch, positive first."""
        if negative is None or guidance == 1.0:
            predicted = self._predict(latent, correction.unet, positive)
        else:
            prompts = torch.cat([embedding.expand(len(latent), -1, -1) for embedding in (positive, negative)])
            both = self._predict(latent.repeat(2, 1, 1, 1), correction.unet.repeat(2, 1, 1, 1), prompts)
            toward, away = both.chunk(2)
            predicted = away + guidance * (toward - away)
        return clean_latent(latent, predicted, self.alpha_bar, self.prediction)

    def decode(self, latent: Latents) -> Images:
        """Return the images of scaled latents, clamped to [-1, 1]."""
        if not self.options.slice_decoder:
            return self._decode(latent)
        whole = "decoder" not in self.options.checkpointed  # else its blocks are, and nothing is computed a third time
        decode = partial(self.vae_bank.checkpoint, self._decode) if whole else self._decode
        return torch.cat([decode(single) for single in latent.split(1)])

    def _decode(self, latent: Tensor) -> Tensor:
        with never_fp16(latent.device):
            return self.vae.decode(latent / self.vae.config["scaling_factor"], return_dict=False)[0].clamp(-1, 1)

    def _predict(self, latent: Tensor, matrices: Tensor, prompts: Tensor) -> Tensor:
        timestep = torch.full((), self.options.timestep, device=latent.device)
        with self.unet_bank.using(matrices):
            return self.unet(latent, timestep, prompts.expand(len(latent), -1, -1), return_dict=False)[0]

    @contextmanager
    def baked(self, correction: Correction) -> Iterator[None]:
        """Fold the adapters into the weights for one correction, so that they cost nothing inside the block.

        Whatever scores are passed meanwhile, this correction applies. Afterwards the weights are bit for bit the old.

        Args:
            correction: That of a single image.
        """
        alone = len(correction.unet) == 1
        expect(alone, "the correction of one image", f"of {len(correction.unet)}", "Bake them one by one.")
        with (
            self.unet_bank.using(correction.unet),
            bake(self.unet, self.unet_bank),
            self.vae_bank.using(correction.vae),
            bake(self.vae, self.vae_bank),
        ):
            yield
