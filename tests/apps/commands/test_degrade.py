"""`dgsr degrade`: what it draws, writes, prints and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.apps.cli import main
from dgsr.apps.runs.evaluation import run_evaluation
from dgsr.checkpoints import save_pretrained
from dgsr.degradation import Recipe, degrade, draw, preset
from dgsr.degradation.presets import PRESETS
from dgsr.images import read_image, write_image
from dgsr.models import DegradationEstimator, OneStepGenerator
from tests.apps.runs.test_evaluation import config


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    coarse = torch.rand(1, 3, 9, 12)
    path = tmp_path / "photo.png"
    write_image(path, torch.nn.functional.interpolate(coarse, (70, 91), mode="bilinear")[0])
    return path


def _run(*arguments: object) -> None:
    main(["degrade", *map(str, arguments)])


def _refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as stop:
        _run(*arguments)
    words = capsys.readouterr().err
    assert stop.value.code == 1
    assert words.count("\n") == 1
    return words


def test_help_names_the_presets(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run("--help")
    assert f"drawn: {', '.join(PRESETS)} (default" in " ".join(capsys.readouterr().out.split())


def test_the_same_seed_gives_the_same_image_as_the_library(photo: Path, tmp_path: Path) -> None:
    _run(photo, "--preset", "real_esrgan", "--seed", 5, "--out", tmp_path / "lq.png")
    middle = read_image(photo)[:, 1:69, 1:89]
    lq = degrade(middle, draw(preset("real_esrgan"), 5, (68, 88)))
    torch.testing.assert_close(read_image(tmp_path / "lq.png"), lq, atol=0.6 / 255, rtol=0)


def test_a_saved_recipe_gives_the_same_image(photo: Path, tmp_path: Path) -> None:
    first, second, recipe = tmp_path / "1.png", tmp_path / "2.png", tmp_path / "new" / "recipe.json"
    _run(photo, "--seed", 3, "--crop", 64, "--out", first, "--save-recipe", recipe)
    assert Recipe.from_json(recipe.read_text()) == draw(preset("s3diff"), 3, (64, 64))
    _run(photo, "--recipe", recipe, "--out", second)
    assert first.read_bytes() == second.read_bytes()


def test_every_sample_is_printed_and_drawn(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(photo, "--seed", 7, "--n", 3, "--grid", tmp_path / "grid.png")
    words = capsys.readouterr().out
    for seed in (7, 8, 9):
        assert f"seed {seed}: {draw(preset('s3diff'), seed, (68, 88))}\n" in words
    grid = read_image(tmp_path / "grid.png")
    assert grid.shape[2] == 2 * (256 + 8)  # two columns of samples, each enlarged from 22 to 242 pixels
    first = degrade(read_image(photo)[:, 1:69, 1:89], draw(preset("s3diff"), 7, (68, 88)))
    torch.testing.assert_close(grid[:, 5:187:11, 5:242:11], first, atol=0.6 / 255, rtol=0)


def test_steps_begin_with_the_photograph_and_end_with_lq(photo: Path, tmp_path: Path) -> None:
    _run(photo, "--preset", "bicubic", "--steps", "--grid", tmp_path / "steps.png")
    steps, sharp = read_image(tmp_path / "steps.png"), read_image(photo)[:, 1:69, 1:89]
    assert torch.equal(steps[:, 0:136:2, 0:176:2], sharp)  # twice as large
    lq = degrade(sharp, draw(preset("bicubic"), 0, (68, 88)))
    torch.testing.assert_close(steps[:, 5:187:11, 269:506:11], lq, atol=0.6 / 255, rtol=0)


def test_mistakes_are_refused_in_one_line(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"size": [64')
    assert "Did you mean s3diff?" in _refusal(capsys, photo, "--preset", "s3dif")
    assert "JSON of a recipe" in _refusal(capsys, photo, "--recipe", broken)
    assert "missing.json" in _refusal(capsys, photo, "--recipe", tmp_path / "missing.json")
    for option in ("--crop", "--scale"):
        assert f"{option} only with" in _refusal(capsys, photo, "--recipe", broken, option, 64)
    assert "a scale from 1 to 16" in _refusal(capsys, photo, "--scale", 0)
    assert "--crop no larger" in _refusal(capsys, photo, "--crop", 512)
    for side in (-8, 0, 3):
        assert "--crop of 4 px or more" in _refusal(capsys, photo, f"--crop={side}")
    assert "at least 32x32" in _refusal(capsys, photo, "--crop", 16)
    assert "--grid with --steps" in _refusal(capsys, photo, "--steps")
    assert "one sample for --out" in _refusal(capsys, photo, "--n", 2, "--out", tmp_path / "lq.png")
    assert "--n of 1" in _refusal(capsys, photo, "--n", 0)


def test_a_photograph_at_another_scale(photo: Path, tmp_path: Path) -> None:
    _run(photo, "--scale", 3, "--seed", 2, "--out", tmp_path / "lq.png")
    lq = degrade(read_image(photo)[:, :69, :90], draw(preset("s3diff", scale=3), 2, (69, 90)))
    torch.testing.assert_close(read_image(tmp_path / "lq.png"), lq, atol=0.6 / 255, rtol=0)


def test_an_existing_file_is_kept(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = photo.read_bytes()
    assert "--out not to exist" in _refusal(capsys, photo, "--out", photo)
    assert "--grid not to exist" in _refusal(capsys, photo, "--grid", photo)
    new = tmp_path / "new.png"
    for given in (("--out", photo), ("--grid", photo), ("--out", new, "--grid", new)):
        assert "another file for each output" in _refusal(capsys, photo, *given, "--overwrite")
    recipe = tmp_path / "recipe.json"
    recipe.write_text("mine")
    assert "say --overwrite" in _refusal(capsys, photo, "--save-recipe", recipe)
    assert (photo.read_bytes(), recipe.read_text()) == (before, "mine")
    _run(photo, "--save-recipe", recipe, "--overwrite")
    assert Recipe.from_json(recipe.read_text()) == draw(preset("s3diff"), 0, (68, 88))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, height in {"a.png": 40, "deep/b.jpg": 45}.items():
        write_image(tmp_path / "photos" / name, torch.rand(3, height, 43))
    return tmp_path / "photos"


def _images(folder: Path) -> dict[str, bytes]:
    files = (file for role in ("lq", "hq") for file in (folder / role).rglob("*.png"))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize("scale", [2, 4])
def test_a_folder_is_degraded_as_in_evaluation(photos: Path, tmp_path: Path, scale: int) -> None:
    tiny, out = OneStepGenerator.tiny(trainable="all"), tmp_path / "set"
    save_pretrained(tiny, tmp_path / "model", estimator=DegradationEstimator.random(0), scale=scale)
    _run(photos, "--out", out, "--scale", scale, "--preset", "real_esrgan", "--seed", 3, "--crop", 40)
    data = [f"data.eval.{key}" for key in (f"hq={photos}", "preset=real_esrgan", "seed=3", "crop_px=40")]
    run_evaluation(config(tmp_path / "model", tmp_path / "run", *data))
    assert _images(out) == _images(tmp_path / "run")
    assert set(_images(out)) == {f"{role}/{name}.png" for role in ("lq", "hq") for name in ("a", "deep/b")}


def test_the_recipes_of_a_folder_can_be_replayed(photos: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "set", tmp_path / "again.png"
    _run(photos, "--out", out, "--preset", "real_esrgan")
    _run(photos / "deep" / "b.jpg", "--recipe", out / "recipes" / "deep" / "b.json", "--out", again)
    assert again.read_bytes() == (out / "lq" / "deep" / "b.png").read_bytes()


def test_a_test_set_has_one_degradation(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "set"
    _run(photos, "--out", out)
    assert capsys.readouterr().err == f"Wrote 2 pairs to {out}.\n"
    first = _images(out)
    _run(photos, "--out", out)
    assert capsys.readouterr().err == "2 of 2 images are there already.\n"
    for option, value in {"--seed": 1, "--scale": 2, "--preset": "bicubic", "--crop": 36}.items():
        words = _refusal(capsys, photos, "--out", out, option, value)
        assert f"={value} instead of" in words
        assert words.endswith("Use the earlier settings, or another folder: --out DIR.\n")
    assert _images(out) == first
    _run(photos, "--out", out, "--seed", 1, "--overwrite")
    assert _images(out) != first


def test_single_image_options_are_refused_for_a_folder(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--out with a folder" in _refusal(capsys, photos)
    out = ["--out", tmp_path / "set"]
    for option in ("--grid", "--recipe", "--save-recipe"):
        assert f"a single photograph for {option}" in _refusal(capsys, photos, *out, option, tmp_path / "x")
    assert "a single photograph for --steps" in _refusal(capsys, photos, *out, "--steps")
    assert "one sample of each" in _refusal(capsys, photos, *out, "--n", 2)
    assert "multiple of the scale 4" in _refusal(capsys, photos, *out, "--crop", 38)
    assert "a folder outside" in _refusal(capsys, photos, "--out", photos / "set")
    (tmp_path / "photos").rename(tmp_path / "hq")
    assert "a folder outside" in _refusal(capsys, tmp_path / "hq", "--out", tmp_path, "--overwrite")
    write_image(tmp_path / "mine" / "lq" / "a.png", torch.rand(3, 10, 10))
    assert "Choose another folder: --out DIR" in _refusal(capsys, tmp_path / "hq", "--out", tmp_path / "mine")


def test_a_recipe_for_a_larger_photograph_is_refused(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "large.json"
    recipe.write_text(draw(preset("s3diff"), 0, (128, 64)).to_json())
    assert "a photograph of at least 64x128 pixels, but got 91x70" in _refusal(capsys, photo, "--recipe", recipe)
