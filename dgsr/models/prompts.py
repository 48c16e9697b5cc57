"""Embeddings of the two prompts: encoded once, so that training and inference need no text encoder."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.backbones.interface import Backbone
from dgsr.models.hub import fetch
from dgsr.seeds import torch_generator
from dgsr.tensors import read_metadata, read_tensors, write_tensors
from dgsr.types import PromptEmbeddings

FILE = "prompts.safetensors"


class Prompts(nn.Module):
    """Hold the embeddings of a positive and a negative prompt, and their texts.

    Args:
        positive: Embedding of what the output should look like, (1, n, d).
        negative: Embedding of what the output should not look like, (1, n, d).
        texts: The positive and the negative text.
    """

    positive: Tensor
    negative: Tensor

    def __init__(self, positive: PromptEmbeddings, negative: PromptEmbeddings, texts: tuple[str, str]):
        super().__init__()
        self.register_buffer("positive", positive)
        self.register_buffer("negative", negative)
        self.texts = texts

    @classmethod
    def from_backbone(cls, backbone: Backbone, positive: str, negative: str) -> Prompts:
        """Return a backbone's embeddings of these texts: cached ones, else by its text encoder.

        Raises:
            UserError: The backbone has neither cached embeddings of these texts nor a text encoder.
        """
        cached = fetch(backbone.source, FILE)
        if cached is not None:
            prompts = cls.load(cached)
            if prompts.texts == (positive, negative):
                return prompts
        embeddings = backbone.embed(positive, negative)
        return cls(embeddings[0], embeddings[1], (positive, negative))

    @classmethod
    def random(cls, positive: str, negative: str, tokens: int, width: int) -> Prompts:
        """Return random embeddings that differ between texts, for networks without a text encoder."""

        def embed(text: str) -> Tensor:
            return torch.randn(1, tokens, width, generator=torch_generator(0, text))

        return cls(embed(positive), embed(negative), (positive, negative))

    @classmethod
    def load(cls, path: str | Path) -> Prompts:
        """Read embeddings and texts from a file.

        Raises:
            UserError: It is damaged or holds something else.
        """
        expected, remedy = "embeddings and texts of a positive and a negative prompt", "Export the prompts again."
        tensors, texts = read_tensors(Path(path), expected, remedy), read_metadata(Path(path))
        expect({"positive", "negative"} <= texts.keys() & tensors.keys(), expected, path, remedy)
        return cls(tensors["positive"], tensors["negative"], (texts["positive"], texts["negative"]))

    def save(self, path: str | Path) -> None:
        """Write embeddings and texts to a file that `load` reads."""
        tensors = {"positive": self.positive.contiguous().cpu(), "negative": self.negative.contiguous().cpu()}
        write_tensors(tensors, path, metadata=dict(zip(("positive", "negative"), self.texts, strict=True)))
