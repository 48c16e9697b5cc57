"""Compare versions of an image with a draggable divider."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from io import BytesIO

from markupsafe import Markup
from PIL import Image as PillowImage

from dgsr.types import Image

#: WebP quality; with lossless pictures, a report of a dozen photographs would take 20 MB.
_QUALITY = 95
_MAX_SIDE_PX = 16383  # limit of WebP


def slider(versions: Mapping[str, Image], caption: str = "") -> Markup:
    """Show two versions at a time, left and right of a divider, selected by menus.

    Args:
        versions: At least two images in [0, 1] by title; smaller ones are enlarged to the largest by pixel repetition.
        caption: Caption below the picture.
    """
    assert len(versions) >= 2, "a slider needs two versions or more"
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
    picture.thumbnail((_MAX_SIDE_PX, _MAX_SIDE_PX))  # never enlarges
    picture.save(file, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{b64encode(file.getvalue()).decode()}"
