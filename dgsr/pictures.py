"""Draw grids of images with titles or captions, and curves over steps."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from PIL import ImageDraw
from torch import Tensor
from torch.nn.functional import interpolate

_TITLE_PX = 16
_LINE_PX = 13
_LETTER_PX = 6  # slightly above the mean width of a letter

#: An image in [0, 1] of any size.
Picture = Float[Tensor, "3 _ _"]


def grid(columns: Mapping[str, Sequence[Picture]], gap_px: int = 4) -> Picture:
    """Lay out images in [0, 1] in columns under titles, on white.

    Smaller images are enlarged by pixel repetition to the largest of their row; rows may differ in size.
    """
    rows = [_level(row) for row in zip(*columns.values(), strict=True)]
    width = max(image.shape[2] for row in rows for image in row) + gap_px
    heights = [row[0].shape[1] + gap_px for row in rows]
    picture = torch.ones(3, _TITLE_PX + sum(heights), width * len(columns))
    top = _TITLE_PX
    for row, height in zip(rows, heights, strict=True):
        for column, image in enumerate(row):
            left = column * width
            picture[:, top : top + image.shape[1], left : left + image.shape[2]] = image
        top += height
    for column, title in enumerate(columns):
        picture[:, :_TITLE_PX, column * width : (column + 1) * width] = _title(title, width)
    return picture


def _level(row: Sequence[Picture]) -> list[Picture]:
    """Enlarge the images of a row to the size of the largest."""
    height, width = max(tuple(image.shape[1:]) for image in row)
    return [interpolate(image[None].float().cpu().clamp(0, 1), (height, width))[0] for image in row]


def _title(text: str, width: int) -> Float[Tensor, "1 h w"]:
    return _text([text], width, _TITLE_PX)


def _text(lines: Sequence[str], width: int, line_px: int = _LINE_PX) -> Float[Tensor, "1 h w"]:
    drawn = PillowImage.new("L", (width, line_px * len(lines)), 255)
    for number, line in enumerate(lines):
        ImageDraw.Draw(drawn).text((2, number * line_px + 2), line, fill=0)
    return torch.frombuffer(bytearray(drawn.tobytes()), dtype=torch.uint8).view(1, -1, width) / 255


def gallery(pictures: Sequence[Picture], captions: Sequence[Sequence[str]], gap_px: int = 8) -> Picture:
    """Lay out images in [0, 1] in a nearly square grid, each above its caption.

    Each image is enlarged by pixel repetition, by the largest integer factor that fits into the size of the largest
    image, or into 256 pixels if that is larger.
    """
    room = max(256, *(side for picture in pictures for side in picture.shape[1:]))
    enlarged = [_repeat(picture, max(1, room // max(picture.shape[1:]))) for picture in pictures]
    height, width = (max(picture.shape[axis] for picture in enlarged) for axis in (1, 2))
    texts = [_wrapped(lines, max(width, 256)) for lines in captions]
    cell = (height + _LINE_PX * max(map(len, texts)) + 2 * gap_px, max(width, 256) + gap_px)
    columns = math.ceil(math.sqrt(len(pictures)))
    canvas = torch.ones(3, -(-len(pictures) // columns) * cell[0], columns * cell[1])
    for place, (picture, lines) in enumerate(zip(enlarged, texts, strict=True)):
        top, left = place // columns * cell[0], place % columns * cell[1]
        canvas[:, top : top + picture.shape[1], left : left + picture.shape[2]] = picture
        top += height + 2
        canvas[:, top : top + _LINE_PX * len(lines), left : left + cell[1]] = _text(lines, cell[1])
    return canvas


def _repeat(picture: Picture, times: int) -> Picture:
    return picture.float().cpu().clamp(0, 1).repeat_interleave(times, 1).repeat_interleave(times, 2)


def _wrapped(lines: Sequence[str], width: int) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, width // _LETTER_PX, subsequent_indent="  ")]


def curves(series: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    """Draw each series over steps in a separate panel, and write the figure to a file."""
    from matplotlib.figure import Figure  # a slow import, deferred until it is needed

    columns = min(3, max(1, len(series)))
    num_rows = -(-len(series) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.8 * max(1, num_rows)), layout="constrained")
    for position, (name, points) in enumerate(series.items(), start=1):
        axes = figure.add_subplot(max(1, num_rows), columns, position)
        axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 30 else None, markersize=3, linewidth=1)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)
