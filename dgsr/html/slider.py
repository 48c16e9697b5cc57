"""Versions of one picture under a divider that is dragged over them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from io import BytesIO

from markupsafe import Markup
from PIL import Image as PillowImage

from dgsr.types import Image

#: Of the embedded WebP pictures: lossless ones would make a report of a dozen photographs 20 MB large.
_QUALITY = 95
_LONGEST = 16383  # side in px that WebP can hold


def slider(versions: Mapping[str, Image], caption: str = "") -> Markup:
    """Show two of the versions at a time, to the left and to the right of the divider; menus choose which.

    Args:
        versions: At least two by title, in [0, 1]; smaller ones are enlarged pixel by pixel to the largest's size.
        caption: What the picture is.
    """
    assert len(versions) >= 2, "a slider needs something to compare"
    height, width = max(tuple(image.shape[1:]) for image in versions.values())
    images = (
        Markup('<img alt="{}" src="{}" class="{}">').format(title, _data_uri(image), _class(place, image, height))
        for place, (title, image) in enumerate(versions.items())
    )
    return Markup(
        '<figure class=slider style="max-width:max({width}px,24em)">\n'
        '<div class=stage style="aspect-ratio:{width}/{height}">\n{images}\n'
        '<input type=range min=0 max=100 value=50 step=any aria-label="divider"></div>\n'
        "<figcaption>{left} <span>{caption}</span> {right}</figcaption>\n</figure>"
    ).format(
        width=width,
        height=height,
        images=Markup("\n").join(images),
        caption=caption,
        left=_menu("left", versions, 0),
        right=_menu("right", versions, 1),
    )


def _class(place: int, image: Image, height: int) -> str:
    side = ("left", "right")[place : place + 1]
    return " ".join([*side, "small"] if image.shape[1] < height else side)


def _menu(side: str, titles: Iterable[str], chosen: int) -> Markup:
    options = (
        Markup("<option{}>{}</option>").format(Markup(" selected") if place == chosen else "", title)
        for place, title in enumerate(titles)
    )
    return Markup('<select aria-label="{0}" class={0}>{1}</select>').format(side, Markup("").join(options))


def _data_uri(image: Image) -> str:
    pixels = (image.detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    file, picture = BytesIO(), PillowImage.fromarray(pixels)
    picture.thumbnail((_LONGEST, _LONGEST))  # only ever makes smaller
    picture.save(file, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
