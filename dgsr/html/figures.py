"""Drawings of matplotlib inside a page, as vectors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 20


def figure(drawing: Figure, title: str) -> Markup:
    """Embed a drawing; the title is for those who cannot see it."""
    file = BytesIO()
    drawing.savefig(file, format="svg", metadata={"Date": None})
    source = f"data:image/svg+xml;base64,{b64encode(file.getvalue()).decode()}"
    return Markup('<img class=figure alt="{}" src="{}">').format(title, source)


def histograms(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Markup:
    """Draw a panel for each title, with one histogram for each of its series, over the same bins."""
    from matplotlib.ticker import MaxNLocator

    drawing, panes = _panes(panels)
    for axes, series in zip(panes, panels.values(), strict=True):
        edges = np.histogram_bin_edges(np.concatenate([np.asarray(values) for values in series.values()]), _BINS)
        for name, values in series.items():
            axes.hist(values, bins=edges.tolist(), histtype="stepfilled", alpha=0.5, label=_plain(name))
        axes.set_ylabel("images", fontsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=7)
    return figure(drawing, f"histograms of {', '.join(panels)}")


def curves(panels: Mapping[str, Sequence[tuple[str, Sequence[tuple[int, float]]]]]) -> Markup:
    """Draw a panel for each title, with its curves over one another; those of one name share a colour.

    Args:
        panels: For each title, pairs of a name and points (step, value).
    """
    names = list(dict.fromkeys(name for series in panels.values() for name, _ in series))
    drawing, panes = _panes(panels)
    for axes, series in zip(panes, panels.values(), strict=True):
        for name, points in series:
            axes.plot(*zip(*points, strict=True), color=f"C{names.index(name)}", linewidth=1, label=_plain(name))
        axes.set_xlabel("step", fontsize=8)
        axes.grid(alpha=0.3)
    lines = {str(line.get_label()): line for axes in panes for line in axes.lines}
    drawing.legend(lines.values(), lines, loc="outside upper left", ncols=6, fontsize=8)
    return figure(drawing, f"curves of {', '.join(panels)}")


def _plain(text: str) -> str:
    """Escape what matplotlib takes for the bounds of a formula."""
    return text.replace("$", r"\$")


def _panes(titles: Collection[str]) -> tuple[Figure, list[Axes]]:
    """Lay out a small pane for each title."""
    from matplotlib.figure import Figure  # here, because it costs half a second to import and most runs draw once

    columns = min(3, len(titles))
    rows = -(-len(titles) // columns)
    drawing = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    panes = [drawing.add_subplot(rows, columns, place) for place in range(1, len(titles) + 1)]
    for axes, title in zip(panes, titles, strict=True):
        axes.set_title(_plain(title), fontsize=9)
    return drawing, panes
