"""Embeddings of the two prompts: encoded once, so that the text encoder never takes part in training or inference."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dgsr.checks import expect, refuse
from dgsr.models.hub import fetch, fetch_folder
from dgsr.models.tensors import write_tensors
from dgsr.seeds import torch_generator
from dgsr.types import PromptEmbeddings

FILE = "prompts.safetensors"

#: Length of every embedding that CLIP's text encoders give.
CLIP_TOKENS = 77


class Prompts(nn.Module):
    """Hold the embeddings of a positive and a negative prompt, and their texts.

    Args:
        positive: Embedding of what the output should look like, (1, n, d).
        negative: Embedding of what it should not look like, (1, n, d).
        texts: What was embedded: the positive and the negative text.
    """

    positive: Tensor
    negative: Tensor

    def __init__(self, positive: PromptEmbeddings, negative: PromptEmbeddings, texts: tuple[str, str]):
        super().__init__()
        self.register_buffer("positive", positive)
        self.register_buffer("negative", negative)
        self.texts = texts

    @classmethod
    def of(cls, source: str, positive: str, negative: str) -> Prompts:
        """Return the embeddings of these texts for a backbone: cached ones, else by its text encoder.

        Raises:
            UserError: The backbone has neither cached embeddings of these texts nor a text encoder.
        """
        cached = fetch(source, FILE)
        if cached is not None:
            prompts = cls.load(cached)
            if prompts.texts == (positive, negative):
                return prompts
        folder = fetch_folder(source, "text_encoder", "tokenizer")
        if folder is None:
            refuse(
                f"embeddings of the two prompts ({FILE}) or a text encoder",
                f"neither in {source}",
                "Use generator.positive_prompt and .negative_prompt as cached there, or a complete backbone.",
            )
        embeddings = _encode(folder, positive, negative)
        return cls(embeddings[0], embeddings[1], (positive, negative))

    @classmethod
    def random(cls, positive: str, negative: str, tokens: int, width: int) -> Prompts:
        """Return embeddings that mean nothing but differ between texts, for networks that know no language."""

        def embed(text: str) -> Tensor:
            return torch.randn(1, tokens, width, generator=torch_generator(0, text))

        return cls(embed(positive), embed(negative), (positive, negative))

    @classmethod
    def load(cls, path: str | Path) -> Prompts:
        """Read embeddings and texts from a file.

        Raises:
            UserError: It is damaged or holds something else.
        """
        what, remedy = "embeddings and texts of a positive and a negative prompt", "Export the prompts anew."
        try:
            with safe_open(path, framework="pt") as file:
                texts = file.metadata() or {}
                expect({"positive", "negative"} <= texts.keys() & file.keys(), what, path, remedy)
                embeddings = (file.get_tensor("positive"), file.get_tensor("negative"))
        except SafetensorError as error:
            refuse(what, f"{path} ({error})", remedy)
        return cls(*embeddings, (texts["positive"], texts["negative"]))

    def save(self, path: str | Path) -> None:
        """Write embeddings and texts to a file that `load` reads."""
        tensors = {"positive": self.positive.contiguous().cpu(), "negative": self.negative.contiguous().cpu()}
        write_tensors(tensors, path, metadata=dict(zip(("positive", "negative"), self.texts, strict=True)))


def _encode(folder: Path, *texts: str) -> list[Tensor]:
    from transformers import CLIPTextModel, CLIPTokenizer  # slow to import, and most runs have cached embeddings

    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder")
    with torch.no_grad():
        return [
            encoder(
                tokenizer(
                    text,
                    max_length=tokenizer.model_max_length,
                    padding="max_length",
                    truncation=True,
                    return_tensors="pt",
                ).input_ids
            )[0]
            for text in texts
        ]
