"""Build self-contained HTML reports, which need no network and no other files."""

from dgsr.html.figures import curves, figure, histograms
from dgsr.html.page import note, page, section, table
from dgsr.html.slider import slider

__all__ = ["curves", "figure", "histograms", "note", "page", "section", "slider", "table"]
