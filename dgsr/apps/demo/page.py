"""Lay out the demo's page: a picture and its degradation on the left, before and after under a slider on the right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils

from dgsr.apps.demo.studio import Settings, Studio
from dgsr.checks import UserError, refuse
from dgsr.rasters import SUFFIXES

_TITLE = "dgsr: degradation-guided super-resolution"
_TILES = (256, 512, 768, 1024)
_HEIGHT = 640  # of the pictures, in px


async def _no_download(url: str, cache_dir: str) -> str:
    refuse("an uploaded picture", f"the address {url}", "Download it, and choose the file.")


class Page:
    """The layout of the page and its event handlers.

    Args:
        studio: Opens and upscales pictures.
        model: Name of the model on the page.
        examples: Pictures to try.
    """

    def __init__(self, studio: Studio, model: str, examples: Sequence[Path]) -> None:
        self.studio, self.examples = studio, examples
        # Otherwise Gradio downloads any URL in a request, without a size limit.
        processing_utils.async_ssrf_protected_download = _no_download
        self.blocks = gr.Blocks(title=_TITLE, analytics_enabled=False, delete_cache=(600, 3600), fill_width=True)
        with self.blocks:
            made_for = f"for a scale of {studio.upscaler.scale:g}, on {studio.upscaler.device}"
            gr.HTML(f"<h1>dgsr</h1> <p>model <code>{escape(model)}</code>, {made_for}</p>", elem_id="head")
            with gr.Row():
                with gr.Column(scale=1, min_width=320):
                    self._add_controls()
                with gr.Column(scale=3, min_width=480):
                    self._add_views()
            self._connect()
        self.blocks.queue(max_size=20)

    def _add_controls(self) -> None:
        kinds: list[str] = [*SUFFIXES]
        self.file = gr.File(label="Picture", file_types=kinds, height=130, elem_id="file")
        shown = [str(path) for path in self.examples]
        self.gallery = gr.Gallery(
            shown,
            show_label=False,
            columns=3,
            height=115,
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_id="examples",
        )
        with gr.Group():
            dial: dict[str, Any] = {"step": 0.01, "precision": 2, "buttons": [], "interactive": False}
            self.blur = gr.Slider(0, 1, 0, label="Blur", elem_id="blur", **dial)
            self.noise = gr.Slider(0, 1, 0, label="Noise", **dial)
            self.back = gr.Button("Back to the estimate", size="sm", interactive=False)
        upscaler = self.studio.upscaler
        with gr.Group():
            self.scale = gr.Slider(1, 8, upscaler.scale, step=0.5, label="Scale")
            self.guidance = gr.Slider(1, max(3, upscaler.guidance), upscaler.guidance, step=0.01, label="Guidance")
        with gr.Accordion("Color fix, tiles, seed", open=False):
            self.color_fix = gr.Radio(["wavelet", "adain", "none"], value="wavelet", label="Color fix")
            sides = [side for side in _TILES if side % upscaler.generator.multiple == 0]
            tiles = [("auto", "auto"), ("none", 0), *((f"{side} px", side) for side in sides)]
            self.tile = gr.Dropdown(tiles, value="auto", label="Tiles")
            drawn = upscaler.generator.options.posterior == "sample"
            self.seed = gr.Number(
                0,
                precision=0,
                minimum=0,
                label="Seed",
                info=None if drawn else "This model draws no noise.",
                interactive=drawn,
            )
        self.run = gr.Button("Upscale", variant="primary", interactive=False, elem_id="run")

    def _add_views(self) -> None:
        self.estimate = gr.State(None)
        self.picture = gr.Image(
            label="Degraded", interactive=False, buttons=["fullscreen"], height=_HEIGHT, elem_id="picture"
        )
        self.slider = gr.ImageSlider(
            label="Bicubic | upscaled", buttons=["fullscreen"], visible=False, max_height=_HEIGHT, elem_id="slider"
        )
        with gr.Row():
            self.caption = gr.Markdown("Choose a picture.", elem_id="caption")
            self.download = gr.DownloadButton("Download PNG", visible=False, size="md", scale=0, elem_id="download")

    def _connect(self) -> None:
        dial = [self.blur, self.noise]
        # The networks serve one request at a time, and only the page.
        work: dict[str, Any] = {"concurrency_id": "networks", "concurrency_limit": 1, "api_visibility": "private"}
        self.gallery.select(self._choose, None, self.file, api_visibility="private")
        self.back.click(lambda estimate: estimate, self.estimate, dial, api_visibility="private")
        shown = [self.picture, self.slider, self.download, self.caption]
        opened = [self.file, *shown, self.estimate, *dial, self.back, self.run]
        self.file.change(self._open, self.file, opened, show_progress_on=self.picture, **work)
        settings = [self.file, self.estimate, *dial, self.scale, self.guidance, self.color_fix, self.seed, self.tile]
        self.run.click(self._upscale, settings, shown, show_progress_on=[self.picture, self.slider], **work)

    def _choose(self, event: gr.SelectData) -> str:
        return str(self.examples[event.index])

    def _open(self, file: str | None) -> list[Any]:
        """Show the chosen picture and its estimated degradation; None clears the page."""
        hidden, idle, active = gr.update(visible=False), gr.update(interactive=False), gr.update(interactive=True)
        nothing = [None, gr.update(value=None, visible=True), hidden, hidden, "Choose a picture.", None, *4 * [idle]]
        if file is None:
            return nothing
        try:
            opened = self.studio.open(Path(file))
        except UserError as error:
            _say(error)
            return nothing
        height, width = opened.size
        scores = [round(score, 2) for score in opened.scores]
        dial = [gr.update(value=score, interactive=True, info=f"estimated {score:.2f}") for score in scores]
        picture = gr.update(value=str(opened.picture), visible=True)
        return [gr.update(), picture, hidden, hidden, f"{width}x{height} px", scores, *dial, active, active]

    def _upscale(
        self,
        file: str,
        estimate: list[float],
        blur: int | float,
        noise: int | float,
        scale: int | float,
        guidance: int | float,
        color_fix: Any,
        seed: int,
        tile: Any,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (Gradio looks for it there)
    ) -> list[Any]:
        """Show the result; unchanged sliders stand for the unrounded estimate."""
        scores = None if [blur, noise] == estimate else (float(blur), float(noise))
        progress(0, desc="upscaling")
        try:
            upscaled = self.studio.upscale(
                Path(file),
                Settings(scores, scale, float(guidance), color_fix, seed, tile),
                lambda share: progress(share, desc="upscaling"),
            )
        except UserError as error:
            _say(error)
            return 4 * [gr.update()]
        (height, width), device = upscaled.size, self.studio.upscaler.device
        source = "as estimated" if scores is None else "by hand"
        caption = (
            f"{width}x{height} px; blur {blur:.2f}, noise {noise:.2f} {source}; {upscaled.seconds:.1f} s on {device}"
        )
        slider = gr.update(value=(str(upscaled.interpolated), str(upscaled.sr)), visible=True)
        return [gr.update(visible=False), slider, gr.update(value=str(upscaled.sr), visible=True), caption]


def _say(error: UserError) -> None:
    """Show an error on the page, escaped as HTML."""
    gr.Warning(escape(str(error)), duration=None)
