"""Write example pictures for the demo: degraded photographs of the package."""

from __future__ import annotations

from pathlib import Path

from dgsr.data import bundled
from dgsr.data.crops import center_crop
from dgsr.degradation import degrade, draw, preset
from dgsr.images import write_image

_SEEDS = {"chelsea-0": 1, "red-maple-0": 3, "astronaut-0": 5}  # a different degradation for each


def write_examples(folder: Path) -> list[Path]:
    """Degrade some photographs by the preset `s3diff`, always with the same seeds."""
    source, spec = bundled("val"), preset("s3diff")
    places = {Path(source.name(index)).stem: index for index in range(len(source))}
    files = []
    for name, seed in _SEEDS.items():
        photo = source[places[name]]
        height, width = (side // spec.scale * spec.scale for side in photo.shape[1:])
        files.append(folder / f"{name}.png")
        lq = degrade(center_crop(photo, height, width), draw(spec, seed, (height, width)))
        write_image(files[-1], lq)
    return files
