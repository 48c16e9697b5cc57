"""Your own operator is a class in a module that Python finds, named in the config of the degradation."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.utils import instantiate

from dgsr.apps.config.composing import composed
from dgsr.checks import UserError
from dgsr.degradation import ExtraOperator, Operator, Recipe, Spec, basicsr_backend, degrade, draw, preset
from dgsr.degradation.operators import Resize, Round, Sharpen

ROOT = Path(__file__).parents[2]
SIZE = (64, 48)

MODULE = '''
"""The module of a user."""
from dataclasses import dataclass, replace
from dgsr.degradation import ExtraOperator

@dataclass(frozen=True)
class Vignette(ExtraOperator):
    strength: float = 0.5
    center: tuple = (0.5, 0.5)

    def draw(self, draws):
        return replace(self, strength=draws.uniform(0, self.strength))

    def apply(self, images):
        rows = 1 - self.strength * images.new_ones(images.shape[2]).cumsum(0) / images.shape[2]
        return images * rows[:, None]
'''
ADD = ["+degradation.extra.vignette={_target_: mine.Vignette, prob: 0.5, center: [0.2, 0.8]}"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on the path of Python with the user's module in it."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return tmp_path


def spec_of(*words: str) -> Spec:
    return instantiate(composed("train", ["experiment=quick", *words]).degradation)


def without_extra(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, operators=tuple(o for o in recipe.operators if not isinstance(o, ExtraOperator)))


@pytest.mark.usefixtures("folder")
def test_a_config_adds_an_operator_and_changes_no_other_draw() -> None:
    spec, plain = spec_of(*ADD), preset("s3diff")
    recipes = [draw(spec, seed, SIZE) for seed in range(100)]
    assert recipes == [draw(spec, seed, SIZE) for seed in range(100)]
    assert [without_extra(recipe) for recipe in recipes] == [draw(plain, seed, SIZE) for seed in range(100)]
    drawn: list[Any] = [o for recipe in recipes for o in recipe.operators if isinstance(o, ExtraOperator)]
    strengths = [operator.strength for operator in drawn]
    assert 30 < len(strengths) < 70
    assert len(set(strengths)) == len(strengths)
    assert 0 <= min(strengths) < max(strengths) <= 0.5


@pytest.mark.usefixtures("folder")
def test_a_sample_with_it_follows_from_its_seed() -> None:
    spec = spec_of(*ADD, "degradation.extra.vignette.prob=1.0")
    hq, recipe = torch.rand(3, *SIZE), draw(spec, 1, SIZE)
    lq = degrade(hq, recipe)
    assert torch.equal(lq, degrade(hq, draw(spec, 1, SIZE)))
    assert not torch.equal(lq, degrade(hq, without_extra(recipe)))


@pytest.mark.usefixtures("folder")
def test_a_second_operator_leaves_the_draws_of_the_first() -> None:
    first = spec_of(*ADD)
    both = spec_of("+degradation.extra.before={_target_: mine.Vignette, at: end}", *ADD)
    for seed in range(20):
        alone, beside = draw(first, seed, SIZE), draw(both, seed, SIZE)
        assert alone.operators == tuple(o for o in beside.operators if getattr(o, "at", "start") == "start")


@pytest.mark.usefixtures("folder")
def test_the_recipe_records_it_and_is_read_back_with_its_class_alone() -> None:
    spec = spec_of(*ADD)
    recipe = next(r for r in (draw(spec, seed, SIZE) for seed in range(20)) if r != without_extra(r))
    text = recipe.to_json()
    [entry] = [entry for entry in json.loads(text)["operators"] if "." in entry["do"]]
    assert entry["do"] == "mine.Vignette"
    assert (entry["prob"], entry["at"], entry["center"]) == (0.5, "start", [0.2, 0.8])
    copy = Recipe.from_json(text, extra=map(type, spec.extra.values()))
    assert copy == recipe
    assert hash(copy) == hash(recipe)
    with pytest.raises(UserError, match=r"^Expected an operator out of Blur, .*, but got mine\.Vignette\. Pass the cl"):
        Recipe.from_json(text)


def test_reading_a_recipe_imports_nothing(folder: Path) -> None:
    recipe = draw(preset("none"), 0, SIZE)
    (folder / "evil.py").write_text("raise AssertionError('imported')")
    for name in ("evil.Operator", "dgsr.degradation.operators.Blur", "os.system"):
        with pytest.raises(UserError, match=f"but got {name}"):
            Recipe.from_json(recipe.to_json().replace('"Resize"', f'"{name}"'))
    assert "evil" not in sys.modules


@dataclasses.dataclass(frozen=True)
class Darken(ExtraOperator):
    """An operator whose parameter is a NumPy number once drawn."""

    steps: int = 4

    def draw(self, draws: Any) -> Operator:
        return dataclasses.replace(self, steps=draws.integers(1, self.steps))

    def apply(self, images: torch.Tensor) -> torch.Tensor:
        return images / self.steps


@dataclasses.dataclass(frozen=True)
class Crop(ExtraOperator):
    """An operator that changes the size of the image, which it must not do at the end."""

    def apply(self, images: torch.Tensor) -> torch.Tensor:
        return images[..., 1:, 1:]


def test_operators_come_first_or_last_in_their_order() -> None:
    extra = {"a": Darken(at="end"), "b": Darken(at="start"), "c": Crop(at="start")}
    recipe = draw(preset("real_esrgan", extra=extra), 0, SIZE)
    kinds = [type(operator) for operator in recipe.operators]
    assert kinds[:3] == [Sharpen, Darken, Crop]
    assert kinds[-2:] == [Darken, Round]
    assert Recipe.from_json(recipe.to_json(), extra=[Darken, Crop]) == recipe


def test_clean_samples_stay_clean_and_a_mere_reduction_does_not() -> None:
    clean = draw(preset("s3diff", clean_prob=1.0, extra={"a": Darken()}), 0, SIZE)
    assert clean.clean
    assert [type(operator) for operator in clean.operators] == [Resize]
    reduced = draw(preset("none", extra={"a": Darken()}), 0, SIZE)
    assert not reduced.clean
    assert [type(operator) for operator in reduced.operators] == [Darken, Resize]


def test_the_basicsr_backend_applies_them_too() -> None:
    images = torch.rand(1, 3, 8, 8)
    assert torch.equal(basicsr_backend.apply(Darken(steps=2), images), images / 2)


def test_the_size_of_the_result_is_checked() -> None:
    recipe = draw(preset("none", extra={"a": Crop(at="end")}), 0, SIZE)
    with pytest.raises(UserError, match=r"recipe's size \(16, 12\), but got \(15, 11\)\. Let extra operators keep"):
        degrade(torch.rand(3, *SIZE), recipe)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (Sharpen(), r"an extra operator for extra\.mine, but got Sharpen\(\)"),
        (Darken(prob=1.5), r"extra\.mine\.prob to be a probability, but got 1\.5"),
        (Darken(at="middle"), r"extra\.mine\.at to be start or end, but got middle"),  # type: ignore[arg-type]
    ],
)
def test_wrong_extra_operators_are_refused(extra: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        preset("s3diff", extra={"mine": extra})


@pytest.mark.slow
def test_a_run_trains_with_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        MODULE.replace("        rows", "        from pathlib import Path; Path('applied').touch()\n        rows")
    )
    variables = {"DGSR_LOGS": str(tmp_path / "logs"), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    small = ["debug=fdr", "trainer=cpu", "objective.losses.lpips.weight=0", "metrics.names=[psnr]", "data.val.limit=1"]
    monitor = "callbacks.checkpoints.monitor=psnr"
    command = [sys.executable, str(ROOT / "train.py"), *small, monitor, *ADD, "degradation.extra.vignette.prob=1.0"]
    env = os.environ | variables
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (tmp_path / "applied").exists()
