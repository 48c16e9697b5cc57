"""`dgsr upscale`: enlarge an image, or every image of a folder."""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.apps.commands.model_arguments import add_machine, add_parts, add_source, device, load, memory_bytes, source_of
from dgsr.apps.runs.entry import RESUMABLE
from dgsr.checks import expect

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from rich.console import Console

    from dgsr.inference import Upscaler
    from dgsr.inference.files import FileUpscaling, Job
    from dgsr.inference.scores import GivenScores

ADVICE = RESUMABLE


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "upscale",
        help="enlarge an image, or every image of a folder",
        description="Enlarge an image, or every image of a folder, in one step of a trained model.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help="an image, or a folder of images")
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        nargs="?",
        help="file or folder to write (default: IN_sr.png, or the folder IN_sr, beside IN)",
    )
    add_source(parser)
    add_parts(parser)
    add_machine(parser)
    parser.add_argument("--scale", type=float, help="factor of enlargement, 1 to 8, 1.5 too (default: the model's)")
    parser.add_argument(
        "--guidance",
        type=float,
        help="strength of the push away from the negative prompt; 1 turns it off (default: the model's)",
    )
    parser.add_argument(
        "--color-fix",
        choices=("wavelet", "adain", "none"),
        default="wavelet",
        help="match the input's colours (default: wavelet)",
    )
    for name in ("blur", "noise"):
        parser.add_argument(f"--{name}", type=float, help=f"how much {name} to undo, 0 to 1 (default: as estimated)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise, for models that sample (default: 0)")
    parser.add_argument(
        "--tile",
        type=_tile,
        default="auto",
        metavar="PX",
        help="side in px of the tiles of large results, a multiple of 64, at least 192; 0: no tiles; "
        "auto: as large as memory allows (default)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        default=1,
        help="images of equal size taken together, which is faster on a GPU; results may then differ "
        "by rounding from those of single images (default: 1)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="write over results that are there; without it, a single one is refused, those in a folder are kept",
    )
    return parser


def run(arguments: Namespace) -> None:
    """Load the model and upscale the images one by one; report failed ones at the end."""
    from rich.console import Console

    from dgsr.apps.runs.folders import expect_none_failed, say, tell_kept
    from dgsr.inference.files import FileUpscaling

    _check(arguments)
    target = arguments.output or _beside(arguments.input)
    planned = _plan(arguments.input, target, arguments.overwrite)
    again = arguments.overwrite or not arguments.input.is_dir()
    missing = [job for job in planned if again or not job.target.exists()]
    console = Console(stderr=True)
    tell_kept(console, len(missing), len(planned))
    if not missing:
        return
    source = source_of(arguments.model)
    if source != arguments.model:
        say(console, f"The model is {source}.")
    given_scores = arguments.blur, arguments.noise

    def on_scores(*scores: float) -> None:
        if not arguments.input.is_dir():
            say(console, _scored(scores, given_scores))

    work = FileUpscaling(
        _upscaler(source, arguments),
        arguments.tile,
        arguments.batch,
        memory_bytes(arguments),
        given_scores=given_scores,
        on_scores=on_scores,
    )
    failed = _watched(work, missing, console)
    if len(failed) < len(missing):
        say(console, _written(target, None if arguments.input.is_file() else len(missing) - len(failed)))
    expect_none_failed(failed, len(missing), "upscaled")


def _check(arguments: Namespace) -> None:
    """Refuse numbers outside the supported ranges."""
    scale, guidance, tile = arguments.scale, arguments.guidance, arguments.tile
    expect(scale is None or 1 <= scale <= 8, "--scale of 1 to 8", scale)
    expect(guidance is None or math.isfinite(guidance), "a finite --guidance", guidance)
    for name in ("blur", "noise"):
        value = getattr(arguments, name)
        expect(value is None or 0 <= value <= 1, f"--{name} of 0 to 1", value)
    expect(arguments.batch >= 1, "--batch of 1 or more", arguments.batch)
    fits = tile in ("auto", 0) or (tile >= 192 and tile % 64 == 0)  # valid for overlapping tiles in all our networks
    expect(fits, "--tile of auto, 0, or a multiple of 64 from 192 on", tile)
    memory_bytes(arguments)


def _watched(work: FileUpscaling, jobs: list[Job], console: Console) -> list[str]:
    """Upscale the images with a progress bar; return the errors."""
    from contextlib import nullcontext

    from rich.progress import Progress

    failed: list[str] = []
    progress = Progress(console=console, transient=True)
    with progress if console.is_interactive else nullcontext():  # without a terminal it would print an empty line
        bar = progress.add_task("upscaling", total=len(jobs), visible=len(jobs) > 1)
        done = 0

        # Also show the bar for a single image that is upscaled in tiles.
        def show(share: float) -> None:
            progress.update(bar, completed=done + share, visible=True)

        work = replace(work, upscaler=work.upscaler.at(on_progress=show))
        for done, (_, error) in enumerate(work.run(jobs), start=1):
            progress.update(bar, completed=done)
            failed += [] if error is None else [str(error)]
    return failed


def _scored(scores: tuple[float, ...], given_scores: GivenScores) -> str:
    """Describe the scores, and whether they are given or estimated."""
    blur, noise = (
        f"{score:.2f} ({'estimated' if given is None else 'given'})"
        for score, given in zip(scores, given_scores, strict=True)
    )
    return f"Blur {blur}, noise {noise}."


def _written(target: Path, count: int | None) -> str:
    """Describe what was written: one image, or the number of images."""
    from dgsr.rasters import read_size

    if count is not None:
        return f"Wrote {count} {'image' if count == 1 else 'images'} to {target}."
    height, width = read_size(target)
    return f"Wrote {target}, {width}x{height}."


def _beside(source: Path) -> Path:
    """Return the default output path."""
    if not source.is_dir():
        return source.with_name(f"{source.stem}_sr.png")
    home = source.resolve()
    return home.with_name(f"{home.name}_sr")


def _plan(source: Path, target: Path, overwrite: bool) -> list[Job]:
    """Pair every image with its output file."""
    from dgsr.apps.runs.folders import source_outside
    from dgsr.data.names import bare_names
    from dgsr.inference.files import Job
    from dgsr.rasters import SUFFIXES

    if not source.is_dir():
        expect(source.exists(), "an image or a folder of images", f"{source}, which does not exist", "Check the path.")
        expect(not target.is_dir(), "the name of an image to write", target, "Name a file in it.")
        expect(target.suffix.lower() in SUFFIXES, f"an ending among {', '.join(SUFFIXES)}", target.name)
        expect(target.resolve() != source.resolve(), "another file to write to than IN", target)
        free = overwrite or not target.exists()
        expect(free, "OUT not to exist", target, "Name another file, or say --overwrite.")
        return [Job(source, target)]

    names = list(source_outside(source, [target], "IN").names)
    return [Job(source / name, target / f"{bare}.png") for name, bare in zip(names, bare_names(names), strict=True)]


def _upscaler(source: str, arguments: Namespace) -> Upscaler:
    from dgsr.inference import Upscaler

    place = device(arguments)
    settings = {name: getattr(arguments, name) for name in ("scale", "guidance", "color_fix", "seed", "precision")}
    given = {name: value for name, value in settings.items() if value is not None}
    upscaler = Upscaler.from_model(load(source, arguments), place, **given)
    expect(1 <= upscaler.scale <= 8, "a model with a scale of 1 to 8", upscaler.scale, "Say --scale.")
    return upscaler


def _tile(text: str) -> int | str:
    """Parse --tile."""
    if text != "auto" and not text.isdecimal():
        raise ArgumentTypeError(f"expected auto, 0, or a number of px, but got {text}")
    return text if text == "auto" else int(text)
