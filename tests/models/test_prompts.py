"""Embeddings of prompts: cached, encoded, or refused."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from dgsr.checks import UserError
from dgsr.models.prompts import FILE, Prompts
from tests import tiny


def backbone_at(folder):
    backbone = tiny.backbone()
    backbone.source = str(folder)
    return backbone


def test_a_saved_cache_is_read_back(tmp_path):
    prompts = Prompts.random("sharp", "blurred", tokens=5, width=8)
    prompts.save(tmp_path / FILE)
    again = Prompts.from_backbone(backbone_at(tmp_path), "sharp", "blurred")
    assert torch.equal(again.positive, prompts.positive)
    assert torch.equal(again.negative, prompts.negative)


@pytest.mark.parametrize("kept", [0, 5, 200, -7])
def test_a_damaged_cache_is_one_sentence(tmp_path, kept):
    Prompts.random("sharp", "blurred", tokens=5, width=8).save(tmp_path / FILE)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:kept])
    with pytest.raises(UserError, match=rf"^Expected embeddings .*{FILE} \(.*It may be damaged; get it again\.$"):
        Prompts.load(tmp_path / FILE)


def test_a_cache_of_other_texts_is_not_used(tmp_path):
    Prompts.random("sharp", "blurred", tokens=5, width=8).save(tmp_path / FILE)
    with pytest.raises(UserError, match="positive_prompt"):
        Prompts.from_backbone(backbone_at(tmp_path), "sharper", "blurred")


def test_neither_cache_nor_encoder_is_refused(tmp_path):
    with pytest.raises(UserError, match="text encoder"):
        Prompts.from_backbone(backbone_at(tmp_path), "sharp", "blurred")


def test_random_embeddings_belong_to_their_text():
    first, second = Prompts.random("a", "b", 5, 8), Prompts.random("b", "a", 5, 8)
    assert torch.equal(first.positive, second.negative)
    assert not torch.equal(first.positive, first.negative)


@pytest.fixture
def folder_with_encoder(tmp_path):
    """A text encoder with random weights and a vocabulary of single letters."""
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = tmp_path / "vocab.json"
    vocabulary.write_text(json.dumps({name: index for index, name in enumerate(names)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(vocabulary), str(tmp_path / "merges.txt"), model_max_length=77)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    config = CLIPTextConfig(
        vocab_size=len(names),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=len(names) - 2,
        eos_token_id=len(names) - 1,
    )
    CLIPTextModel(config).save_pretrained(tmp_path / "text_encoder")
    return tmp_path


def test_the_backbones_encoder_is_used(folder_with_encoder):
    prompts = Prompts.from_backbone(backbone_at(folder_with_encoder), "sharp", "blurred")
    assert prompts.positive.shape == (1, 77, 16)
    assert not torch.allclose(prompts.positive, prompts.negative)
    assert not prompts.positive.requires_grad
