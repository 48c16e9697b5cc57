"""Test the degradation benchmark and its use of BasicSR."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

pytest.importorskip("cv2")
if find_spec("basicsr") is None:
    pytest.skip("basicsr is not installed", allow_module_level=True)

from benchmarks.basicsr_batches import apply_together, degrade_together
from benchmarks.degradation import OPERATORS, SPEC, main
from benchmarks.recipes import drawn_each, drawn_together, photographs
from dgsr.degradation import basicsr_backend, degrade
from dgsr.degradation.operators import GaussianNoise, PoissonNoise, Rescale, Resize


@pytest.mark.slow
def test_quick_run_prints_the_ratio_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    main(["--quick", "--out", str(tmp_path / "result.json")])
    assert torch.get_num_threads() == threads
    result = json.loads((tmp_path / "result.json").read_text())
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"ratio degradation \d+\.\d\d", last)
    first = result["rows"][0]
    assert float(last.split()[-1]) == pytest.approx(first["ratio"], abs=0.006)
    assert first["ratio"] == pytest.approx(first["basicsr_total"] / first["dgsr_total"], rel=0.01)
    assert {row["what"] for row in result["rows"]} > set(OPERATORS)
    assert set(result["peak_mib_per_sample"]) == {"dgsr", "basicsr"}


def test_basicsr_batches_equal_single_samples() -> None:
    images = photographs(3, 64)
    for drawn in (drawn_each, drawn_together):
        recipes = drawn(SPEC, 2, (64, 64), 3)
        for image, recipe, together in zip(images, recipes, degrade_together(images, recipes), strict=True):
            alone = degrade(image, recipe, "basicsr")
            assert together[0].shape == alone.shape
            # Only means are compared, because a batch has other noise.
            torch.testing.assert_close(together.mean(), alone.mean(), atol=0.02, rtol=0)


@pytest.mark.parametrize("name", [name for name in OPERATORS if "noise" not in name])
def test_batched_operator_equals_single_calls(name: str) -> None:
    images, operators = photographs(4, 64), (4 * OPERATORS[name])[:4]
    together = apply_together(operators, images)
    for image, operator, result in zip(images.split(1), operators, together.split(1), strict=True):
        torch.testing.assert_close(result, basicsr_backend.apply(operator, image), atol=2e-5, rtol=0)


def test_recipes_drawn_together_share_only_steps_and_sizes() -> None:
    for seed in range(5):
        recipes = drawn_together(SPEC, seed, (64, 64), 4)
        noises = set()
        for recipe in recipes:
            resizes = [operator for operator in recipe.operators if isinstance(operator, Rescale | Resize)]
            assert resizes == [step for step in recipes[0].operators if isinstance(step, Rescale | Resize)]
            noises.add(next(step for step in recipe.operators if isinstance(step, GaussianNoise | PoissonNoise)))
        assert len(noises) == 4
        assert len({type(noise) for noise in noises}) == 1
