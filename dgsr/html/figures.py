"""Drawings of matplotlib inside a page, as vectors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
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
    # Here, because it costs half a second to import and most runs draw once.
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    columns = min(3, len(panels))
    drawing = Figure(figsize=(4 * columns, 2.6 * -(-len(panels) // columns)), layout="constrained")
    for place, (title, series) in enumerate(panels.items(), start=1):
        axes = drawing.add_subplot(-(-len(panels) // columns), columns, place)
        edges = np.histogram_bin_edges(np.concatenate([np.asarray(values) for values in series.values()]), _BINS)
        for name, values in series.items():
            axes.hist(values, bins=edges.tolist(), histtype="stepfilled", alpha=0.5, label=name)
        axes.set_title(title, fontsize=9)
        axes.set_ylabel("images", fontsize=8)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=7)
    return figure(drawing, f"histograms of {', '.join(panels)}")
