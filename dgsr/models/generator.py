"""The one-step generator: encode, correct, denoise once, decode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, Unpack

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect
from dgsr.models.adapters.bank import CorrectionBank
from dgsr.models.adapters.conditioning import Conditioning, Corrections
from dgsr.models.adapters.lora import bake, inject
from dgsr.models.adapters.options import MAIN, AdapterOptions, conditioning_name, layer_name
from dgsr.models.backbones.denoising import Prediction
from dgsr.models.backbones.interface import NETWORKS, Backbone, Latents, Network
from dgsr.models.backbones.loading import load_backbone, outline_backbone
from dgsr.models.backbones.tiny import PROMPT_TOKENS, PROMPT_WIDTH, tiny_backbone
from dgsr.models.economy import economise
from dgsr.models.options import GeneratorOptions, OptionFields
from dgsr.models.prompts import Prompts
from dgsr.models.weights import TrainableWeights
from dgsr.types import Images, Scores

#: One embedding for all samples, or one each.
Embeddings: TypeAlias = Float[Tensor, "#b tokens width"]

#: How strongly each adapter acts, by name; those that are not named act in full.
Strengths: TypeAlias = Mapping[str, float]

_TINY: dict[str, Any] = {"adapters": {MAIN: {"unet": {"rank": 8}, "vae": {"rank": 4}}}, "timestep": 250}


class Restoration(NamedTuple):
    """The clean, scaled latent that a step gives, and the images decoded from it."""

    latent: Latents
    sr: Images


class OneStepGenerator(TrainableWeights):
    """Restore an image in one denoising step, guided by scores of how it was degraded.

    Args:
        backbone: The frozen networks; adapters are added to them in place.
        prompts: Embeddings of the positive and the negative prompt.
        options: All other choices.

    Source: S3Diff Sec. 3.
    """

    unet: Any  # of the backbone's family
    vae: Any

    def __init__(self, backbone: Backbone, prompts: Prompts, options: GeneratorOptions):
        super().__init__()
        backbone.expect_timestep(options.timestep)
        self.backbone, self.options, self.source = backbone, options, backbone.source
        self.architecture = backbone.architecture()
        self.unet, self.vae, self.prompts = backbone.networks["unet"], backbone.networks["vae"], prompts
        self.banks: dict[Network, CorrectionBank] = {network: CorrectionBank() for network in NETWORKS}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            for name, adapter in options.adapters.items():
                self._add_adapter(name, adapter)
        economise(backbone, self.banks, options)
        self.set_trainable(options.trainable)

    def _add_adapter(self, name: str, options: AdapterOptions) -> None:
        backbone, ranks = self.backbone, {"unet": options.unet.rank, "vae": options.vae.rank}
        for network in NETWORKS:
            layers, block_id = options.targets(network, backbone), partial(backbone.block_of, network)
            bank, rank = self.banks[network], ranks[network]
            inject(backbone.networks[network], bank, layer_name(name), layers, rank, options.alpha, block_id)
        sizes = (backbone.num_blocks["unet"], ranks["unet"], backbone.num_blocks["vae"], ranks["vae"])
        self.add_module(conditioning_name(name), Conditioning(*sizes, options.conditioning, options.init))

    @classmethod
    def from_backbone(cls, path: str | Path | Backbone, **options: Unpack[OptionFields]) -> OneStepGenerator:
        """Build a generator with new adapters over a backbone.

        Args:
            path: A diffusers folder or hub id, or a backbone of another family.
            options: Fields of `GeneratorOptions`.

        Raises:
            UserError: There is no such backbone, or no embeddings of the prompts and no text encoder.
        """
        chosen = GeneratorOptions.from_fields(options)
        backbone = load_backbone(path) if isinstance(path, str | Path) else path
        return cls(backbone, Prompts.from_backbone(backbone, chosen.positive_prompt, chosen.negative_prompt), chosen)

    @classmethod
    def outline(cls, path: str | Path | Backbone, **options: Unpack[OptionFields]) -> OneStepGenerator:
        """Build the generator of `from_backbone` on the meta device; a given backbone object stays as it is.

        Raises:
            UserError: There is no such backbone.
        """
        chosen = GeneratorOptions.from_fields(options)
        backbone = outline_backbone(path) if isinstance(path, str | Path) else path
        prompts = Prompts.random(chosen.positive_prompt, chosen.negative_prompt, *backbone.prompt_shape)
        return cls(backbone, prompts, chosen)

    @classmethod
    def tiny(
        cls,
        *,
        latent_channels: int = 16,
        prediction: Prediction = "v_prediction",
        **options: Unpack[OptionFields],
    ) -> OneStepGenerator:
        """Build a generator with random networks of under 3 M parameters, the same for the same seed."""
        chosen = GeneratorOptions.from_fields(options, **_TINY)
        prompts = Prompts.random(chosen.positive_prompt, chosen.negative_prompt, PROMPT_TOKENS, PROMPT_WIDTH)
        return cls(tiny_backbone(chosen.seed, latent_channels, prediction, chosen.timestep), prompts, chosen)

    @property
    def multiple(self) -> int:
        """Sides of images are padded to multiples of this, so that every level of both networks halves them evenly."""
        return self.backbone.multiple

    @property
    def latent_px(self) -> int:
        """Pixels per latent cell, along each side."""
        return self.backbone.latent_px

    def forward(
        self,
        lq_up: Images,
        scores: Scores,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
        noise: list[torch.Generator] | None = None,
        strengths: Strengths | None = None,
    ) -> Images:
        """Return the restored images, in [-1, 1].

        Args:
            lq_up: Degraded images in [-1, 1], at the size of the output.
            scores: The estimator's scores of the degraded images.
            positive: Embedding of the prompt to follow: one for all images, or one each.
            negative: Embedding of the prompt to move away from.
            guidance: How far to move away; at 1 the negative prompt is not used and costs nothing.
            noise: Draws each image's sample of the VAE's posterior, where `posterior` is `sample`.
            strengths: How strongly each adapter acts, by name; 1 unless named.
        """
        return self.restore(lq_up, scores, positive, negative, guidance, noise, strengths).sr

    def restore(
        self,
        lq_up: Images,
        scores: Scores,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
        noise: list[torch.Generator] | None = None,
        strengths: Strengths | None = None,
    ) -> Restoration:
        """Return the clean latents and the restored images; arguments as for a call."""
        corrections = self.correction(scores, strengths)
        latent = self.denoise(self.encode(lq_up, corrections, noise), corrections, positive, negative, guidance)
        return Restoration(latent, self.decode(latent))

    def correction(self, scores: Scores, strengths: Strengths | None = None) -> Corrections:
        """Return the correction matrices of all adapters for these scores, scaled by the adapters' strengths.

        Raises:
            UserError: A strength names no adapter.
        """
        strengths = dict.fromkeys(self.options.adapters, 1.0) | dict(strengths or {})
        unknown = sorted(strengths.keys() - self.options.adapters.keys())
        names = ", ".join(self.options.adapters)
        expect(not unknown, f"strengths of {names}", ", ".join(unknown), "Name the adapters of this model.")
        conditionings = {name: self.get_submodule(conditioning_name(name)) for name in strengths}
        return Corrections(
            {layer_name(name): each(scores).scaled(strengths[name]) for name, each in conditionings.items()}
        )

    def encode(self, lq_up: Images, corrections: Corrections, noise: list[torch.Generator] | None = None) -> Latents:
        """Return the scaled latents of images in [-1, 1]."""
        even = all(side % self.latent_px == 0 for side in lq_up.shape[-2:])
        size = "x".join(map(str, lq_up.shape[-2:]))
        expected = f"images with sides that are multiples of {self.latent_px}"
        expect(even, expected, size, "Set data.crop_px to a multiple, or pad the images.")
        sampled = self.options.posterior == "sample"
        assert not sampled or noise is not None, "a sample of the posterior needs noise"
        assert not sampled or len(noise or ()) == len(lq_up), "the posterior of each image is sampled by its own noise"
        with self.banks["vae"].using(corrections.of_network("vae")):
            return self.backbone.encode(lq_up, noise if sampled else None)

    def denoise(
        self,
        latent: Latents,
        corrections: Corrections,
        positive: Embeddings,
        negative: Embeddings | None = None,
        guidance: float = 1.0,
    ) -> Latents:
        """Return the clean latents; both prompts of a guided step go through the UNet as one batch, positive first."""
        if negative is None or guidance == 1.0:
            predicted = self._predict(latent, corrections, positive)
        else:
            prompts = torch.cat([embedding.expand(len(latent), -1, -1) for embedding in (positive, negative)])
            toward, away = self._predict(latent, corrections, prompts, copies=2).chunk(2)
            predicted = away + guidance * (toward - away)
        return self.backbone.clean(latent, predicted, self.options.timestep)

    def decode(self, latent: Latents) -> Images:
        """Return the images of scaled latents, clamped to [-1, 1]."""
        if not self.options.slice_decoder:
            return self._decode(latent)
        # Checkpoint each sample, unless the decoder's blocks are: nothing is then computed a third time.
        whole = "decoder" not in self.options.checkpointed
        decode = partial(self.banks["vae"].checkpoint, self._decode) if whole else self._decode
        return torch.cat([decode(single) for single in latent.split(1)])

    def _decode(self, latent: Tensor) -> Tensor:
        return self.backbone.decode(latent).clamp(-1, 1)

    def _predict(self, latent: Tensor, corrections: Corrections, prompts: Tensor, copies: int = 1) -> Tensor:
        latents = latent if copies == 1 else latent.repeat(copies, 1, 1, 1)
        with self.banks["unet"].using(corrections.of_network("unet", repeat=copies)):
            return self.backbone.predict(latents, self.options.timestep, prompts)

    @contextmanager
    def baked(self, corrections: Corrections) -> Iterator[None]:
        """Fold the adapters into the weights for one image's correction, so that they cost nothing inside the block.

        Inside the block this correction applies, whatever scores are passed. Afterwards the weights are bit for bit the
        old ones.

        Args:
            corrections: The correction of a single image.
        """
        single = len(corrections) == 1
        expect(single, "the correction of one image", f"those of {len(corrections)}", "Bake them one by one.")
        with ExitStack() as stack:
            for network, bank in self.banks.items():
                stack.enter_context(bank.using(corrections.of_network(network)))
                stack.enter_context(bake(self.backbone.networks[network], bank))
            yield
