"""`dgsr degrade`: what it draws, writes, prints and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.apps.cli import main
from dgsr.degradation import Recipe, degrade, draw, preset
from dgsr.degradation.presets import PRESETS
from dgsr.images import read_image, write_image


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


def test_a_seed_gives_the_image_that_the_library_gives(photo: Path, tmp_path: Path) -> None:
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
    assert "--crop only with" in _refusal(capsys, photo, "--recipe", broken, "--crop", 64)
    assert "--crop no larger" in _refusal(capsys, photo, "--crop", 512)
    for side in (-8, 0, 3):
        assert "--crop of 4 px or more" in _refusal(capsys, photo, f"--crop={side}")
    assert "at least 32x32" in _refusal(capsys, photo, "--crop", 16)
    assert "--grid with --steps" in _refusal(capsys, photo, "--steps")
    assert "one sample for --out" in _refusal(capsys, photo, "--n", 2, "--out", tmp_path / "lq.png")
    assert "--n of 1" in _refusal(capsys, photo, "--n", 0)


def test_a_recipe_for_a_larger_photograph_is_refused(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "large.json"
    recipe.write_text(draw(preset("s3diff"), 0, (128, 64)).to_json())
    assert "a photograph of at least 64x128 pixels, but got 91x70" in _refusal(capsys, photo, "--recipe", recipe)
