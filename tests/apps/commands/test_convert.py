"""`dgsr convert`: there and back again, and what no format can hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.apps.cli import main
from dgsr.checkpoints import load_model, load_pretrained, load_s3diff, save_pretrained, save_training
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

GOLDEN = Path(__file__).parents[2] / "golden"
FILE, BACKBONE = GOLDEN / "s3diff.pkl", GOLDEN / "tiny-sd"


def _run(*arguments: object) -> None:
    main(["convert", *map(str, arguments)])


def _refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as stop:
        _run(*arguments)
    assert stop.value.code == 1
    return capsys.readouterr().err


def _same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, dict):
        assert isinstance(ours, dict)
        return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in theirs)
    return torch.equal(ours, theirs) if isinstance(theirs, torch.Tensor) else ours == theirs  # pyright: ignore


def test_the_authors_file_survives_both_formats_bit_for_bit(tmp_path: Path) -> None:
    _run(FILE, tmp_path / "export", "--backbone", BACKBONE)
    _run(tmp_path / "export", tmp_path / "a.ckpt")
    _run(tmp_path / "a.ckpt", tmp_path / "again" / "s3diff.pkl")
    again, original = (torch.load(path, weights_only=True) for path in (tmp_path / "again" / "s3diff.pkl", FILE))
    again.pop("dgsr")  # what the format has no place for
    assert _same(again, original)


def test_the_estimator_goes_along(tmp_path: Path) -> None:
    estimator = DegradationEstimator.random(3)
    torch.save(estimator.state_dict(), tmp_path / "de_net.pth")
    _run(FILE, tmp_path / "export", "--backbone", BACKBONE, "--estimator", tmp_path / "de_net.pth")
    _run(tmp_path / "export", tmp_path / "a.ckpt")
    (tmp_path / "moved").mkdir()
    for file in (tmp_path / "a.ckpt", tmp_path / "a.estimator.safetensors"):
        file.rename(tmp_path / "moved" / file.name)
    for source in ("export", "moved/a.ckpt"):
        found = load_model(str(tmp_path / source)).estimator
        assert found is not None
        assert torch.equal(found.get_parameter("conv_first.0.weight"), estimator.get_parameter("conv_first.0.weight"))


def test_an_existing_estimator_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    DegradationEstimator.random(3, channels=(8, 8, 8, 8)).save(tmp_path / "own.safetensors")
    (tmp_path / "a.estimator.safetensors").write_bytes(b"mine")
    given = ("--backbone", BACKBONE, "--estimator", tmp_path / "own.safetensors")
    assert "a.estimator.safetensors" in _refusal(capsys, FILE, tmp_path / "a.ckpt", *given)
    assert (tmp_path / "a.estimator.safetensors").read_bytes() == b"mine"
    assert not (tmp_path / "a.ckpt").exists()


def test_every_format_keeps_scale_and_guidance(tmp_path: Path) -> None:
    save_pretrained(load_s3diff(FILE, BACKBONE), tmp_path / "first", scale=2, guidance=1.2)
    source = tmp_path / "first"
    for name in ("a.pkl", "a.ckpt", "again"):
        _run(source, tmp_path / name, "--backbone", BACKBONE)
        model = load_model(str(tmp_path / name), str(BACKBONE))
        assert (model.scale, model.guidance) == (2, 1.2)
        source = tmp_path / name


def test_half_precision_keeps_weights_within_rounding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_pretrained(OneStepGenerator.tiny(trainable="all", seed=4), tmp_path / "full")
    _run(tmp_path / "full", tmp_path / "half", "--half")
    full, half = ((tmp_path / name / "generator.safetensors").stat().st_size for name in ("full", "half"))
    assert half < 0.6 * full
    exact, rounded = (load_pretrained(tmp_path / name).every_weight() for name in ("full", "half"))
    assert {weight.dtype for weight in rounded.values()} == {torch.float32}
    assert all(torch.allclose(rounded[name], weight, rtol=1e-3, atol=1e-7) for name, weight in exact.items())
    assert "--half with a folder" in _refusal(capsys, tmp_path / "full", tmp_path / "a.pkl", "--half")


def test_a_fully_trained_tiny_generator_survives_conversion(tmp_path: Path) -> None:
    generator = OneStepGenerator.tiny(trainable="all", seed=4)
    save_pretrained(generator, tmp_path / "export")
    _run(tmp_path / "export", tmp_path / "a.ckpt")
    _run(tmp_path / "a.ckpt", tmp_path / "again")
    again = load_pretrained(tmp_path / "again").every_weight()
    assert all(torch.equal(tensor, again[name]) for name, tensor in generator.every_weight().items())


def test_two_models_are_interpolated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, other = (OneStepGenerator.tiny(trainable="all", seed=seed) for seed in (1, 2))
    for name, generator in {"mine": mine, "other": other}.items():
        save_pretrained(generator, tmp_path / name)
    _run(tmp_path / "mine", tmp_path / "between", "--toward", tmp_path / "other", "--share", 0.2)
    found, theirs = load_pretrained(tmp_path / "between").every_weight(), other.every_weight()
    for name, tensor in mine.every_weight().items():
        torch.testing.assert_close(found[name], tensor.lerp(theirs[name], 0.2))
    refused = _refusal(capsys, tmp_path / "mine", tmp_path / "x", "--toward", tmp_path / "other", "--share", 2)
    assert "--share of 0 to 1" in refused
    assert "--toward with --share" in _refusal(capsys, tmp_path / "mine", tmp_path / "x", "--share", 0.2)


def test_last_is_the_newest_training_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path / "logs"))
    generator = OneStepGenerator.tiny(trainable="all", seed=4)
    save_training(generator, tmp_path / "logs" / "train" / "runs" / "a" / "checkpoints" / "last.ckpt")
    _run("last", tmp_path / "export")
    assert load_pretrained(tmp_path / "export").fingerprint() == generator.fingerprint()


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").mkdir()
    assert "a path that does not exist" in _refusal(capsys, FILE, tmp_path / "taken", "--backbone", BACKBONE)
    assert "--estimator, but got a.pkl" in _refusal(capsys, FILE, "a.pkl", "--estimator", "de_net.pth")
    (tmp_path / "file").touch()
    for name in ("x", "x.ckpt", "x.pkl"):
        assert "file" in _refusal(capsys, FILE, tmp_path / "file" / name, "--backbone", BACKBONE)
    torch.save({"code": Path("code")}, tmp_path / "code.pkl")
    assert "weights_only=True" in _refusal(capsys, tmp_path / "code.pkl", tmp_path / "out")
    save_pretrained(OneStepGenerator.tiny(trainable="all"), tmp_path / "tiny")
    assert "save_pretrained" in _refusal(capsys, tmp_path / "tiny", tmp_path / "tiny.pkl")
    content = torch.load(FILE, weights_only=True)
    content["state_dict_vae"].popitem()
    torch.save(content, tmp_path / "partial.pkl")
    assert "vae.encoder" in _refusal(capsys, tmp_path / "partial.pkl", tmp_path / "out", "--backbone", BACKBONE)
