"""Reports as one HTML file each, which needs nothing beside it: no network, no server, no second file."""

from dgsr.html.figures import curves, figure, histograms
from dgsr.html.page import note, page, section, table
from dgsr.html.slider import slider

__all__ = ["curves", "figure", "histograms", "note", "page", "section", "slider", "table"]
