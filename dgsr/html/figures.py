"""Embed matplotlib figures in a page as SVG."""

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
    """Embed a figure as SVG, with the title as alternative text."""
    file = BytesIO()
    drawing.savefig(file, format="svg", metadata={"Date": None})
    source = f"data:image/svg+xml;base64,{b64encode(file.getvalue()).decode()}"
    return Markup('<img class=figure alt="{}" src="{}">').format(title, source)


def histograms(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Markup:
    """Draw one panel per title, with a histogram of each of its series over the same bins."""
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
    """Draw one panel per title with its curves; curves of the same name share a colour.

    Args:
        panels: Pairs (name, points) by title; a point is (step, value).
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
    """Escape dollar signs, which matplotlib would parse as math."""
    return text.replace("$", r"\$")


def _panes(titles: Collection[str]) -> tuple[Figure, list[Axes]]:
    """Create a figure with one small pane per title."""
    from matplotlib.figure import Figure  # a slow import, deferred until it is needed

    columns = min(3, len(titles))
    rows = -(-len(titles) // columns)
    drawing = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    panes = [drawing.add_subplot(rows, columns, place) for place in range(1, len(titles) + 1)]
    for axes, title in zip(panes, titles, strict=True):
        axes.set_title(_plain(title), fontsize=9)
    return drawing, panes
