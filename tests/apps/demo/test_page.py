"""The page hands the studio what its controls say, and shows what comes back."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.apps.demo.studio import Studio
from dgsr.checks import UserError
from dgsr.images import read_image, write_image
from dgsr.inference import Upscaler
from dgsr.models.estimator import DegradationEstimator
from tests import tiny

pytestmark = [
    pytest.mark.skipif(find_spec("gradio") is None, reason="needs Gradio, the extra [demo]"),
    # Gradio leaves event loops behind, unclosed.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

REST: tuple[Any, ...] = (2, 1.07, "wavelet", 0, "auto")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_image(tmp_path / "photo.png", torch.rand(3, 20, 24))
    return tmp_path / "photo.png"


@pytest.fixture
def page(tmp_path: Path, photo: Path) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        from dgsr.apps.demo.page import Page
    (tmp_path / "shown").mkdir()
    networks = tiny.generator().eval(), DegradationEstimator.random(0)
    studio = Studio(Upscaler(*networks, scale=2, guidance=1.3), tmp_path / "shown", max_pixels=10_000)
    yield Page(studio, "<my> model", [photo])
    gc.collect()  # before another test is blamed for them


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.png", "https://example.com/a.png"])
def test_urls_are_not_downloaded(page: Any, address: str) -> None:
    """As when a request names an address in place of an uploaded file."""
    from gradio.processing_utils import async_move_files_to_cache

    named = {"path": address, "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(UserError, match="an uploaded picture, but got the address http"):
        asyncio.run(async_move_files_to_cache(named, page.file, check_in_upload_folder=True))


def test_the_page_starts_with_the_models_settings(page: Any) -> None:
    assert (page.scale.value, page.guidance.value, page.color_fix.value, page.tile.value) == (2, 1.3, "wavelet", "auto")
    assert not page.seed.interactive  # this one draws no noise
    shown = str(page.blocks.get_config_file())
    assert "&lt;my&gt; model" in shown
    assert "<my>" not in shown


def test_no_analytics_and_no_public_api(page: Any) -> None:
    assert not page.blocks.analytics_enabled
    assert {event.api_visibility for event in page.blocks.fns.values()} == {"private"}
    assert {event.concurrency_limit for event in page.blocks.fns.values() if event.concurrency_id == "networks"} == {1}


def test_unchanged_sliders_use_the_unrounded_estimate(page: Any, photo: Path) -> None:
    opened = page._open(str(photo))
    estimate, blur, noise = opened[5], opened[6], opened[7]
    assert [blur["value"], noise["value"]] == estimate
    assert blur["info"] == f"estimated {estimate[0]:.2f}"
    as_estimated = page._upscale(str(photo), estimate, *estimate, *REST)
    page.studio.upscaler.guidance = 1.07
    expected = page.studio.upscaler(read_image(photo))
    torch.testing.assert_close(read_image(as_estimated[1]["value"][1]), expected, atol=0.6 / 255, rtol=0)
    assert as_estimated[3].startswith("48x40 px; blur ")
    assert " as estimated; " in as_estimated[3]
    by_hand = page._upscale(str(photo), estimate, 1.0, 0.0, *REST)
    assert "blur 1.00, noise 0.00 by hand" in by_hand[3]
    assert not torch.equal(read_image(by_hand[1]["value"][1]), expected)


def test_refusals_are_shown_and_clear_the_page(page: Any, tmp_path: Path) -> None:
    (tmp_path / "<b>.png").write_text("no picture")
    with pytest.warns(UserWarning, match=r"Expected a readable image, but got &lt;b&gt;\.png"):
        cleared = page._open(str(tmp_path / "<b>.png"))
    assert cleared == page._open(None)
    assert cleared[-1] == {"interactive": False, "__type__": "update"}
    with pytest.warns(UserWarning, match=r"at most 0\.01 megapixels"):
        unchanged = page._upscale(str(tmp_path / "photo.png"), [0.5, 0.5], 0.5, 0.5, 8, *REST[1:])
    assert unchanged == 4 * [{"__type__": "update"}]


def test_an_example_is_chosen_by_index(page: Any, photo: Path) -> None:
    from gradio import SelectData

    assert page._choose(SelectData(None, {"index": 0, "value": None})) == str(photo)
