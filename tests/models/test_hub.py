"""Parts of a backbone in a folder, and without a network."""

from __future__ import annotations

import pytest

from dgsr.models.hub import fetch, fetch_folder, looks_like_hub_id


@pytest.mark.parametrize("name", ["stabilityai/sd-turbo", "me/model_1.5"])
def test_hub_ids(name):
    assert looks_like_hub_id(name)


@pytest.mark.parametrize("name", ["sd-turbo", "./models/sd", "/models/sd", "a/b/c", "models/", ""])
def test_paths_are_no_hub_ids(name):
    assert not looks_like_hub_id(name)


def test_local_files_and_folders(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "prompts.safetensors").touch()
    assert fetch(str(tmp_path), "prompts.safetensors") == tmp_path / "prompts.safetensors"
    assert fetch(str(tmp_path), "other.safetensors") is None
    assert fetch_folder(str(tmp_path), "unet") == tmp_path
    assert fetch_folder(str(tmp_path), "unet", "tokenizer") is None


def test_unreachable_files_are_none():
    assert fetch("nobody/nothing", "prompts.safetensors") is None
    assert fetch_folder("nobody/nothing", "unet") is None
