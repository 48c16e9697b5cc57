"""Load backbones from folders; refuse what is no backbone of a known family."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dgsr.checks import UserError
from dgsr.models.backbones.loading import build_backbone, load_backbone, outline_backbone

FOLDER = Path(__file__).parents[2] / "golden" / "tiny-sd"


def test_a_diffusers_folder():
    backbone = load_backbone(FOLDER)
    assert backbone.prediction == "epsilon"
    assert backbone.source == str(FOLDER)
    assert sum(parameter.numel() for parameter in backbone.unet.parameters()) > 100_000


def test_an_outline_has_the_shapes_but_no_weights():
    outline, backbone = outline_backbone(FOLDER), load_backbone(FOLDER)
    assert outline.architecture() == backbone.architecture()
    for theirs, ours in ((backbone.unet, outline.unet), (backbone.vae, outline.vae)):
        shapes = [{name: p.shape for name, p in network.named_parameters()} for network in (theirs, ours)]
        assert shapes[0] == shapes[1]
        assert all(parameter.is_meta for parameter in ours.parameters())


def test_refuses_a_missing_folder():
    with pytest.raises(UserError, match=r"generator\.path"):
        load_backbone("./no/such/folder")


def test_refuses_a_folder_without_networks(tmp_path):
    with pytest.raises(UserError, match="unet, vae and scheduler"):
        load_backbone(tmp_path)


def test_refuses_a_hub_that_cannot_be_reached():
    with pytest.raises(UserError, match=r"cache does not hold.*doctor --fetch .*=nobody/nothing.*path=FOLDER"):
        load_backbone("nobody/nothing")


def copied(folder: Path, part: str, **changes: object) -> Path:
    """Copy the folder's configurations, with changes to one."""
    for path in FOLDER.glob("*/*.json"):
        config = json.loads(path.read_text())
        if path.parent.name == part:
            config |= changes
        target = folder / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("part", "changes", "difference"),
    [
        ("unet", {"addition_embed_type": "text_time"}, "further embeddings, such as SDXL's"),
        ("unet", {"class_embed_type": "projection"}, "further embeddings"),
        ("unet", {"in_channels": 9}, "a UNet of 9 channels"),
        ("unet", {"_class_name": "UNet2DModel"}, "a UNet2DModel as its denoiser"),
        ("vae", {"_class_name": "AutoencoderTiny"}, "an? AutoencoderTiny as its autoencoder"),
        ("scheduler", {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "FlowMatchEulerDiscreteScheduler"),
        ("scheduler", {"prediction_type": "flow_prediction"}, "predicts flow_prediction"),
    ],
)
def test_another_family_is_refused_by_its_difference(
    tmp_path: Path, part: str, changes: dict[str, object], difference: str
) -> None:
    folder = copied(tmp_path, part, **changes)
    with pytest.raises(UserError, match=f"^Expected a backbone of the family of Stable Diffusion 1, 2.*{difference}"):
        outline_backbone(folder)


@pytest.mark.parametrize("pipeline", ["StableDiffusionXLPipeline", "FluxPipeline", "StableDiffusion3Pipeline"])
def test_another_pipeline_is_refused_by_name(tmp_path: Path, pipeline: str) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    with pytest.raises(UserError, match=f"family of Stable Diffusion.*{pipeline}.*generator.path="):
        load_backbone(tmp_path)


def test_the_networks_decide_and_not_the_name_of_the_pipeline(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "model")
    (tmp_path / "model" / "model_index.json").write_text('{"_class_name": "StableDiffusionControlNetPipeline"}')
    assert load_backbone(tmp_path / "model").architecture() == load_backbone(FOLDER).architecture()


def test_a_folder_with_a_transformer_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "config.json").write_text('{"_class_name": "SD3Transformer2DModel"}')
    with pytest.raises(UserError, match=r"family of Stable Diffusion.*SD3Transformer2DModel"):
        load_backbone(tmp_path)


@pytest.mark.parametrize("damage", ["", "{", "[]"])
def test_a_damaged_configuration_is_one_sentence(tmp_path: Path, damage: str) -> None:
    folder = copied(tmp_path, "unet")
    (folder / "unet" / "config.json").write_text(damage)
    with pytest.raises(UserError, match=r"^Expected .*\.$"):
        outline_backbone(folder)


def test_networks_are_built_again_from_their_architecture() -> None:
    backbone = load_backbone(FOLDER)
    assert build_backbone(backbone.architecture(), "again").architecture() == backbone.architecture()
    with pytest.raises(UserError, match="family of Stable Diffusion"):
        build_backbone({"transformer": {}}, "other")


def test_the_architecture_does_not_depend_on_where_it_came_from(tmp_path):
    backbone = load_backbone(FOLDER)
    backbone.unet.save_pretrained(tmp_path / "unet")
    backbone.vae.save_pretrained(tmp_path / "vae")
    backbone.scheduler.save_pretrained(tmp_path / "scheduler")
    assert load_backbone(tmp_path).architecture() == backbone.architecture()
