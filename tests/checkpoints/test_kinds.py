"""A run starts from any of the three kinds of sources, and from nothing that belongs elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dgsr.checkpoints.kinds import kind_of, start_from
from dgsr.checkpoints.pretrained import read_weights, save_pretrained
from dgsr.checkpoints.s3diff import load_s3diff, save_s3diff
from dgsr.checkpoints.trainer import under_generator, write_checkpoint
from dgsr.checks import UserError
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import Trainable
from tests import tiny

GOLDEN = Path(__file__).parents[1] / "golden"
FILE, BACKBONE = GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd"
RANKS = tiny.adapters(8, 4)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same trained adapter in each kind of source; the authors' format as they write it, and as we do."""
    folder = tmp_path_factory.mktemp("sources")
    trained = load_s3diff(FILE, BACKBONE)
    save_pretrained(trained, folder / "export")
    checkpoint = {
        "dgsr": {"fingerprint": trained.fingerprint()},
        "state_dict": under_generator(trained.trainable_state()),
    }
    write_checkpoint(checkpoint, folder / "last.ckpt")
    save_s3diff(trained, folder / "ours.pkl")
    paths = {"export": folder / "export", "training": folder / "last.ckpt", "s3diff": FILE}
    return paths | {"our s3diff": folder / "ours.pkl"}


@pytest.mark.parametrize("kind", ["export", "training", "s3diff", "our s3diff"])
def test_a_generator_starts_from_each_kind(sources: dict[str, Path], kind: str) -> None:
    assert kind_of(sources[kind]) == kind.removeprefix("our ")
    generator = OneStepGenerator.from_backbone(BACKBONE, adapters=RANKS)
    start_from(generator, sources[kind])
    expected = load_s3diff(FILE, BACKBONE).trainable_state()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in generator.trainable_state().items())


def test_complete_weights_are_for_a_run_that_trains_them_all(tmp_path: Path) -> None:
    trained = OneStepGenerator.tiny(seed=1, trainable="all")
    save_pretrained(trained, tmp_path)
    generator = OneStepGenerator.tiny(seed=2, trainable="all")
    start_from(generator, tmp_path)
    expected = trained.every_weight()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in generator.every_weight().items())
    trainables: list[Trainable] = ["adapter", "with_decoder"]
    for trainable in trainables:  # whose exports would lack the other networks
        other = OneStepGenerator.tiny(seed=2, trainable=trainable)
        with pytest.raises(UserError, match=rf"trainable={trainable}, but got all .* Set generator\.trainable=all"):
            start_from(other, tmp_path)
    again = OneStepGenerator.tiny(seed=1, trainable="adapter")
    start_from(again, tmp_path)  # the same networks
    assert again.fingerprint() == OneStepGenerator.tiny(seed=1, trainable="adapter").fingerprint()


def test_a_decoder_may_be_trained_from_where_an_adapter_over_it_ended(sources: dict[str, Path]) -> None:
    generator = OneStepGenerator.from_backbone(BACKBONE, trainable="with_decoder", adapters=RANKS)
    decoder = generator.vae.decoder.conv_out.weight.clone()
    start_from(generator, sources["export"])
    expected = read_weights(sources["export"])
    now = generator.trainable_state()
    assert expected.keys() < now.keys()
    assert all(torch.equal(tensor, now[name]) for name, tensor in expected.items())
    assert torch.equal(now["vae.decoder.conv_out.weight"], decoder)


def test_an_adapter_cannot_start_from_one_whose_decoder_was_trained(tmp_path: Path) -> None:
    save_pretrained(OneStepGenerator.from_backbone(BACKBONE, trainable="with_decoder", adapters=RANKS), tmp_path)
    generator = OneStepGenerator.from_backbone(BACKBONE, adapters=RANKS)
    with pytest.raises(UserError, match=r"vae\.decoder"):
        start_from(generator, tmp_path)


def test_another_rank_is_refused_by_name(sources: dict[str, Path]) -> None:
    generator = OneStepGenerator.from_backbone(BACKBONE, adapters=tiny.adapters(6, 4))
    with pytest.raises(UserError, match=r"conditioning\.unet\.fuse"):
        start_from(generator, sources["s3diff"])


@pytest.mark.parametrize("kind", ["export", "training"])
def test_another_backbone_is_refused(sources: dict[str, Path], kind: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(BACKBONE, other)
    weights = other / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({name: tensor * 1.1 for name, tensor in load_file(weights).items()}, weights)
    generator = OneStepGenerator.from_backbone(other, adapters=RANKS)
    with pytest.raises(UserError, match="trained on"):
        start_from(generator, sources[kind])


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(UserError, match=r"other\.pt, which holds weight"):
        kind_of(tmp_path / "other.pt")
    with pytest.raises(UserError, match="nowhere"):
        kind_of(tmp_path / "nowhere" / "at" / "all")
