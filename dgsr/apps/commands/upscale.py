"""`dgsr upscale`: enlarge an image, or every image of a folder."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.checks import UserError, expect

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from dgsr.inference import Upscaler

_GIB = 2**30


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Name the arguments."""
    parser = commands.add_parser(
        "upscale",
        help="enlarge an image, or every image of a folder",
        description="Enlarge an image, or every image of a folder, in one step of a trained model.",
    )
    parser.add_argument("input", type=Path, metavar="IN", help="an image, or a folder of images")
    parser.add_argument("output", type=Path, metavar="OUT", nargs="?", help="where to (default: beside IN, named _sr)")
    parser.add_argument(
        "--model", help="exported folder, hub id, training checkpoint or s3diff.pkl (default: the last training run)"
    )
    parser.add_argument("--backbone", metavar="PATH", help="diffusion model, where the recorded one is not here")
    parser.add_argument("--estimator", metavar="FILE", help="weights of the degradation estimator, if not in the model")
    parser.add_argument(
        "--weights",
        choices=("auto", "raw", "ema"),
        default="auto",
        help="of a training checkpoint: the last step's or their average (default: the average, if there is one)",
    )
    parser.add_argument("--scale", type=int, help="factor of enlargement (default: the model's)")
    parser.add_argument(
        "--guidance", type=float, help="away from the negative prompt; 1 is none (default: the model's)"
    )
    parser.add_argument("--color-fix", choices=("wavelet", "adain", "none"), default="wavelet", help="default: wavelet")
    parser.add_argument("--seed", type=int, default=0, help="of the noise, for models that sample (default: 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, … (default: auto)")
    parser.add_argument("--memory", type=float, metavar="GIB", help="refuse what takes more (default: what is free)")
    return parser


def run(arguments: Namespace) -> None:
    """Load the model, then enlarge one image after the other; those that fail are named at the end."""
    from rich.console import Console
    from rich.progress import track

    planned = _plan(arguments.input, arguments.output)
    upscaler = _upscaler(arguments)
    limit = None if arguments.memory is None else int(arguments.memory * _GIB)
    failed: list[str] = []
    for source, target in track(planned, "upscaling", console=Console(stderr=True), disable=len(planned) == 1):
        try:
            _upscale(upscaler, source, target, limit)
        except UserError as error:
            failed.append(str(error))
    if failed:
        summary = [f"{len(failed)} of {len(planned)} images could not be upscaled."] if len(planned) > 1 else []
        raise UserError("\n".join([*failed, *summary]))


def _plan(source: Path, target: Path | None) -> list[tuple[Path, Path]]:
    """Pair every image with the file it will be written to."""
    if not source.is_dir():
        expect(target is None or not target.is_dir(), "the name of an image to write", target, "Name a file in it.")
        return [(source, target or source.with_name(f"{source.stem}_sr.png"))]
    from dgsr.data import FolderSource

    folder = target or source.with_name(f"{source.resolve().name}_sr")
    inside = source.resolve() in (folder.resolve(), *folder.resolve().parents)
    expect(not inside, f"a folder outside {source} to write to", folder, "A second call would upscale the first's.")
    names = [Path(name) for name in FolderSource(source, key="IN").names]
    taken = Counter(name.with_suffix("") for name in names)
    unique = (name.with_suffix("") if taken[name.with_suffix("")] == 1 else name for name in names)
    return [(source / name, folder / f"{stem}.png") for name, stem in zip(names, unique, strict=True)]


def _upscaler(arguments: Namespace) -> Upscaler:
    from functools import partial

    from dgsr.apps.loading import device_of, last_model, load_model
    from dgsr.inference import Upscaler

    device = device_of(arguments.device)
    model = load_model(arguments.model or last_model(), arguments.backbone, arguments.estimator, arguments.weights)
    scale = model.scale if arguments.scale is None else arguments.scale
    guidance = model.guidance if arguments.guidance is None else arguments.guidance
    expect(scale >= 1, "--scale of 1 or more", scale)
    build = partial(Upscaler, scale=scale, guidance=guidance, color_fix=arguments.color_fix, seed=arguments.seed)
    return model.upscaler(build, device)


def _upscale(upscaler: Upscaler, source: Path, target: Path, limit: int | None) -> None:
    from dgsr.images import read_image, write_image
    from dgsr.inference.memory import expect_room

    image = read_image(source)
    device = next(upscaler.generator.parameters()).device
    height, width = (side * upscaler.scale for side in image.shape[1:])
    with expect_room(upscaler.generator, height, width, limit, str(source)):
        write_image(target, upscaler(image.to(device)))
