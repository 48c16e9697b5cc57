"""Write a degraded test set: photographs and their degraded versions, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track

from dgsr import files
from dgsr.apps.runs.folders import expect_none_failed, say, tell_kept
from dgsr.checks import UserError, expect
from dgsr.data import FixedPairs, Source
from dgsr.data.names import bare_names
from dgsr.data.pairs import Pair
from dgsr.degradation import Recipe, Spec, draw
from dgsr.images import write_image
from dgsr.training.data.degrading import Degrade

#: Folder -> suffix of its files. A recipe is written after its images.
ROLES = {"lq": "png", "hq": "png", "recipes": "json"}


def fixed_pairs(photographs: Source, crop_px: int | None, spec: Spec, seed: int, key: str) -> FixedPairs:
    """Pair photographs with fixed degradations, to measure a model or to write a set.

    Args:
        photographs: The sharp images.
        crop_px: See `FixedPairs`.
        spec: The ranges of the degradations.
        seed: Seed of the degradations, together with the images' names.
        key: Name of the crop in error messages.

    Raises:
        UserError: The crop is not a multiple of the scale.
    """
    fits = crop_px is None or (crop_px > 0 and crop_px % spec.scale == 0)
    expect(fits, f"{key} to be a multiple of the scale {spec.scale}", crop_px)
    return FixedPairs(photographs, crop_px, Degrade(spec), seed, spec.scale)


def write_set(pairs: FixedPairs, spec: Spec, folder: Path, overwrite: bool) -> None:
    """Write the pairs and their recipes, and list failures at the end.

    Args:
        pairs: The result of `fixed_pairs`.
        spec: The ranges of their degradations.
        folder: The folder of the set.
        overwrite: Replace existing pairs.

    Raises:
        UserError: A photograph cannot be read, or is too small.
    """
    sets = _files(pairs, folder)
    if overwrite:
        for file in (file for mine in sets for file in mine.values()):
            file.unlink(missing_ok=True)  # a failure or an interruption must not leave old pairs
    missing = [index for index, mine in enumerate(sets) if not all(file.exists() for file in mine.values())]
    console = Console(stderr=True)
    tell_kept(console, len(missing), len(sets))
    failed: list[str] = []
    for index in track(missing, "degrading", console=console, transient=True, disable=not console.is_interactive):
        try:
            _write(pairs[index], spec, sets[index])
        except UserError as error:
            failed.append(str(error))
    written = len(missing) - len(failed)
    if written:
        say(console, f"Wrote {written} {'pair' if written == 1 else 'pairs'} to {folder}.")
    expect_none_failed(failed, len(missing), "degraded")


def write_recipe(file: Path, recipe: Recipe) -> None:
    """Write a recipe as JSON."""
    files.write_text(file, recipe.to_json() + "\n")


def expect_no_others(pairs: FixedPairs, folder: Path) -> None:
    """Refuse to overwrite a set in a folder that also contains other pairs.

    Raises:
        UserError: It contains other pairs.
    """
    ours = {file for mine in _files(pairs, folder) for file in mine.values()}
    present = (file for role, ending in ROLES.items() for file in (folder / role).rglob(f"*.{ending}"))
    others = sorted(str(file.relative_to(folder)) for file in present if file not in ours)
    remedy = "Remove them, or name another --out DIR."
    expect(not others, f"{folder} to hold pairs of these photographs alone", ", ".join(others[:5]), remedy)


def _files(pairs: FixedPairs, folder: Path) -> list[dict[str, Path]]:
    names = bare_names([pairs.name(index) for index in range(len(pairs))])
    return [{role: folder / role / f"{name}.{ending}" for role, ending in ROLES.items()} for name in names]


def _write(pair: Pair, spec: Spec, places: Mapping[str, Path]) -> None:
    for role in ("lq", "hq"):
        write_image(places[role], pair[role])
    write_recipe(places["recipes"], draw(spec, int(pair["seed"]), tuple(pair["hq"].shape[1:])))
