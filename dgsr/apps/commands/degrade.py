"""`dgsr degrade`: degrade one photograph to inspect it, or a folder to create a test set."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dgsr.apps.config.spelling import alike
from dgsr.apps.runs.entry import RESUMABLE
from dgsr.checks import expect, refuse

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from dgsr.degradation import Recipe, Spec
    from dgsr.types import Image

_DEFAULT_PRESET = "s3diff"
ADVICE = RESUMABLE


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "degrade",
        help="degrade a photograph and print its recipe, or turn a folder into a test set",
        description="Degrade a photograph, cut around its middle to a multiple of the scale, and print the numbers; or "
        "degrade every photograph of a folder into lq/ beside hq/ and recipes/, as evaluate.py does.",
    )
    parser.add_argument("photo", type=Path, help="the sharp photograph, or a folder of such")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--preset",
        default=_DEFAULT_PRESET,
        help="whose recipes are drawn: s3diff, real_esrgan, bsrgan_like, bicubic, none (default: %(default)s)",
    )
    source.add_argument(
        "--recipe", type=Path, metavar="JSON", help="replay this one; the photograph is cut to its size"
    )
    parser.add_argument("--scale", type=int, help="sharp pixels per degraded pixel, along each side (default: 4)")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the first sample, the others count up; of a folder (default: %(default)s)",
    )
    parser.add_argument("--n", type=int, default=1, help="number of samples (default: %(default)s)")
    parser.add_argument(
        "--crop", type=int, metavar="PX", help="cut out only a square of this side; in a folder at most"
    )
    parser.add_argument("--grid", type=Path, metavar="IMAGE", help="draw the samples, their numbers beneath")
    parser.add_argument("--steps", action="store_true", help="with --grid: draw one sample after each operator instead")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the degraded image, or the folder's test set")
    parser.add_argument("--save-recipe", type=Path, metavar="JSON", help="write the numbers, for --recipe")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="write over OUT and recipes; without it, single files are refused, those of a folder are kept",
    )
    return parser


def run(arguments: Namespace) -> None:
    """Degrade one photograph or a folder of photographs."""
    (_degrade_folder if arguments.photo.is_dir() else _degrade_photo)(arguments)


def _degrade_folder(arguments: Namespace) -> None:
    """Write a test set with one degradation."""
    from dgsr import __version__
    from dgsr.apps.runs.degraded_set import ROLES, expect_no_others, fixed_pairs, write_set
    from dgsr.apps.runs.folders import source_outside
    from dgsr.evaluation import expect_same_settings

    out: Path | None = arguments.out
    for name in ("grid", "steps", "recipe", "save_recipe"):
        alone = not getattr(arguments, name)
        expect(alone, f"a single photograph for {_option(name)}", f"the folder {arguments.photo}", "Leave it out.")
    expect(arguments.n == 1, "one sample of each photograph in a folder", f"--n {arguments.n}", "Leave --n out.")
    if out is None:
        refuse("--out with a folder", "none", "Name a folder to write to.")
    spec = _spec(arguments)
    source = source_outside(arguments.photo, [out / role for role in ROLES], "photo")
    pairs = fixed_pairs(source, arguments.crop, spec, arguments.seed, "--crop")
    made_of = {"dgsr": __version__, "photographs": str(arguments.photo.resolve())}
    how = {"preset": arguments.preset, "scale": spec.scale, "seed": arguments.seed, "crop_px": arguments.crop}
    if arguments.overwrite:
        expect_no_others(pairs, out)
    expect_same_settings(out, made_of | how, overwrite=arguments.overwrite, folder_option="--out DIR")
    write_set(pairs, spec, out, arguments.overwrite)


def _degrade_photo(arguments: Namespace) -> None:
    """Draw or read recipes, apply them, and write the requested files."""
    from dgsr.apps.runs.degraded_set import write_recipe
    from dgsr.degradation import degrade
    from dgsr.images import read_image, write_image
    from dgsr.pictures import gallery

    _expect_sensible(arguments)
    photo = read_image(arguments.photo)
    if arguments.recipe is None:
        photo, recipes = _drawn(photo, arguments)
    else:
        photo, recipes = _replayed(photo, arguments.recipe)
    for number, recipe in enumerate(recipes):
        sys.stdout.write(f"{arguments.recipe or f'seed {arguments.seed + number}'}: {recipe}\n")
    if arguments.grid:
        pictures, captions = _steps(photo, recipes[0]) if arguments.steps else _samples(photo, recipes, arguments)
        write_image(arguments.grid, gallery(pictures, captions))
    if arguments.out:
        write_image(arguments.out, degrade(photo, recipes[0]))
    if arguments.save_recipe:
        write_recipe(arguments.save_recipe, recipes[0])


def _expect_sensible(arguments: Namespace) -> None:
    expect(arguments.n >= 1, "--n of 1 or more", arguments.n)
    expect(not arguments.steps or arguments.grid is not None, "--grid with --steps", "none", "Name an image to draw.")
    single = [name for name in ("out", "save_recipe", "steps", "recipe") if getattr(arguments, name)]
    for name in ("crop", "scale"):
        alone = arguments.recipe is None or getattr(arguments, name) is None
        expect(alone, f"{_option(name)} only with a --preset", "--recipe, which decides both sizes", "Leave it out.")
    for name in single:
        expect(arguments.n == 1, f"one sample for {_option(name)}", f"--n {arguments.n}", "Leave --n out.")
    taken = {arguments.photo.resolve()}
    for name in ("out", "grid", "save_recipe"):
        file: Path | None = getattr(arguments, name)
        if file is None:
            continue
        free = arguments.overwrite or not file.exists()
        expect(free, f"{_option(name)} not to exist", file, "Name another file, or say --overwrite.")
        expect(file.resolve() not in taken, "another file for each output than the photograph and the others", file)
        taken.add(file.resolve())


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _spec(arguments: Namespace) -> Spec:
    """Return the requested degradation."""
    from dgsr.degradation import preset
    from dgsr.degradation.presets import PRESETS

    if arguments.preset not in PRESETS:
        similar = alike(arguments.preset, PRESETS)
        remedy = f"Did you mean {' or '.join(similar)}?" if similar else ""
        refuse(f"a preset out of {', '.join(PRESETS)}", arguments.preset, remedy)
    return preset(arguments.preset, scale=4 if arguments.scale is None else arguments.scale)


def _drawn(photo: Image, arguments: Namespace) -> tuple[Image, list[Recipe]]:
    from dgsr.data.crops import center_crop
    from dgsr.degradation import draw

    spec = _spec(arguments)
    sides = [side if arguments.crop is None else arguments.crop for side in photo.shape[1:]]
    expect(min(sides) >= spec.scale, f"sides and --crop of {spec.scale} px or more", min(sides))
    height, width = (side // spec.scale * spec.scale for side in sides)
    fits = height <= photo.shape[1] and width <= photo.shape[2]
    expect(fits, "--crop no larger than the photograph", arguments.crop)
    photo = center_crop(photo, height, width).contiguous()
    return photo, [draw(spec, arguments.seed + number, (height, width)) for number in range(arguments.n)]


def _replayed(photo: Image, file: Path) -> tuple[Image, list[Recipe]]:
    from dgsr.data.crops import center_crop
    from dgsr.degradation import Recipe

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse("the JSON of a recipe", f"{file} ({error})", "Write one with --save-recipe.")
    recipe = Recipe.from_json(text)
    fits = recipe.size[0] <= photo.shape[1] and recipe.size[1] <= photo.shape[2]
    expect(fits, f"a photograph of at least {_px(recipe.size)} pixels", _px(photo.shape[1:]))
    return center_crop(photo, *recipe.size).contiguous(), [recipe]


def _samples(photo: Image, recipes: Sequence[Recipe], arguments: Namespace) -> tuple[list[Image], list[list[str]]]:
    from dgsr.degradation import degrade

    names = [arguments.recipe.name] if arguments.recipe else [f"seed {arguments.seed + n}" for n in range(len(recipes))]
    strengths = (f"blur {recipe.blur:.2f}, noise {recipe.noise:.2f}" for recipe in recipes)
    captions = [
        [f"{name}: {strength}", *recipe.describe()]
        for name, strength, recipe in zip(names, strengths, recipes, strict=True)
    ]
    return [degrade(photo, recipe) for recipe in recipes], captions


def _steps(photo: Image, recipe: Recipe) -> tuple[list[Image], list[list[str]]]:
    from dgsr.degradation import degrade_steps

    steps = [(str(operator), image) for operator, image in degrade_steps(photo, recipe)]
    named = [("the photograph", photo), *steps]
    captions = [[name, _px(image.shape[1:])] for name, image in named]
    return [image for _, image in named], captions


def _px(size: Sequence[int]) -> str:
    """Format (height, width) as width x height."""
    height, width = size
    return f"{width}x{height}"
