"""Serve the demo's page, by default on this machine only, without network access."""

from __future__ import annotations

import os
import signal
import threading
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from dgsr.apps.demo.examples import write_examples
from dgsr.apps.demo.studio import Studio
from dgsr.checks import refuse
from dgsr.inference import Upscaler

# Installed fonts only; nothing is downloaded.
_FONTS, _MONOSPACE = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")

# The browser may load resources from this server only.
_POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'"


def serve(
    upscaler: Upscaler,
    model: str,
    address: tuple[str, int],
    max_pixels: int,
    max_bytes: int,
    memory: int | None,
) -> None:
    """Serve the page until Ctrl-C or SIGTERM, then delete all uploads and results.

    Args:
        upscaler: Upscales with the model.
        model: Name of the model on the page.
        address: Host and port.
        max_pixels: Largest number of pixels of an uploaded picture or a result.
        max_bytes: Largest size of an uploaded file.
        memory: Bytes that upscaling may use; None uses what is free.

    Raises:
        UserError: The address is already in use.
    """
    # A request may still be running when the server stops.
    with TemporaryDirectory(prefix="dgsr-demo-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = f"{folder}/gradio"  # read when Gradio is imported
        from gradio.themes import Default

        from dgsr.apps.demo.page import Page

        shown = Path(folder, "shown")
        shown.mkdir()
        page = Page(Studio(upscaler, shown, max_pixels, memory), model, write_examples(Path(folder)))
        host, port = address
        try:
            _, url, _ = page.blocks.launch(
                server_name=host,
                server_port=port,
                max_file_size=max_bytes,
                share=False,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=[],
                quiet=True,
                prevent_thread_lock=True,
                _frontend=False,  # skip the health check, which times out on a busy machine
                theme=Default(primary_hue="indigo", neutral_hue="slate", font=_FONTS, font_mono=_MONOSPACE),
                css=files("dgsr.apps.demo").joinpath("page.css").read_text("utf-8"),
                head=f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            )
        except OSError as error:
            refuse("a free address", f"{host}:{port} ({error})", "Choose another with --port or --host.")
        Console(stderr=True).print(f"The demo is at {url} until Ctrl-C.")
        _wait()
        page.blocks.close(verbose=False)


def _wait() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
