"""`dgsr demo`: upscale in the browser and adjust the estimated degradation."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dgsr.apps.commands.model_arguments import add_machine, add_parts, add_source, device, load, memory_bytes, source_of
from dgsr.checks import expect

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "demo",
        help="upscale in the browser",
        description="Serve a page that upscales pictures and compares them under a slider, for this machine alone.",
    )
    add_source(parser)
    add_parts(parser)
    add_machine(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to serve at; 0.0.0.0: all (default: %(default)s)")
    parser.add_argument("--port", type=int, default=7860, help="default: %(default)s")
    parser.add_argument(
        "--max-megapixels", type=float, default=16, help="of a picture, uploaded or made (default: %(default)s)"
    )
    parser.add_argument("--max-megabytes", type=float, default=32, help="of an uploaded file (default: %(default)s)")
    return parser


def run(arguments: Namespace) -> None:
    """Load the model and serve the page until Ctrl-C."""
    import math

    from dgsr.inference import Upscaler

    expect(find_spec("gradio") is not None, "Gradio to be installed", "none", 'Run: pip install "dgsr[demo]"')
    expect(0 < arguments.port < 2**16, "--port of 1 to 65535", arguments.port)
    expect(0 < arguments.max_megapixels < math.inf, "--max-megapixels above 0", arguments.max_megapixels)
    expect(0 < arguments.max_megabytes < math.inf, "--max-megabytes above 0", arguments.max_megabytes)
    source, place = source_of(arguments.model), device(arguments)
    upscaler = Upscaler.from_model(load(source, arguments), place, precision=arguments.precision)

    from dgsr.apps.demo.server import serve

    serve(
        upscaler,
        source,
        (arguments.host, arguments.port),
        max_pixels=int(arguments.max_megapixels * 1e6),
        max_bytes=int(arguments.max_megabytes * 2**20),
        memory=memory_bytes(arguments),
    )
