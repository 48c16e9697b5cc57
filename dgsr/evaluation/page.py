"""Write what an evaluation found for people: averages, histograms, the best and the worst images, every image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from dgsr.evaluation.results import Results
from dgsr.html import histograms, note, page, section, slider, table
from dgsr.types import Image

_EXTREMES = 4  # so many of the best, and of the worst images
_ARROWS = {"higher": "↑", "lower": "↓"}


def write_page(results: Results, path: Path, title: str, versions: Callable[[str], Mapping[str, Image]]) -> None:
    """Write one HTML file that needs nothing beside it.

    Args:
        results: Of the evaluation.
        path: The file.
        title: Of the page.
        versions: Image's name to its versions by title, what one compares first in front; one alone is not shown.
    """
    parts = [
        section("Averages", [_averages(results), *map(note, _remarks(results))]),
        *_histograms(results),
        *_pictures(results, versions),
        section("Every image", [_images(results)]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(title, parts), encoding="utf-8", errors="backslashreplace")  # for names that are no text


def _averages(results: Results) -> Markup:
    """Lay out one row a metric."""
    names = (f"{name} {_ARROWS[metric.direction]} {metric.variant}" for name, metric in results.metrics.items())
    rows = ([name, *results.row(metric)] for name, metric in zip(names, results.metrics, strict=True))
    return table(["", *results.columns], rows)


def _remarks(results: Results) -> Iterator[str]:
    yield (
        f"{len(results.records)} images. In brackets the 95 % interval of the average, bootstrapped over images; p is "
        "that of a paired permutation test, not corrected for the number of metrics. Pictures are compressed for this "
        "page."
    )
    yield from (f"{name}: {value}" for name, value in results.settings.items())
    yield from results.notes
    if results.left_out:
        yield f"{len(results.left_out)} left out: {' '.join(results.left_out)}"


def _histograms(results: Results) -> Iterator[Markup]:
    panels = {
        f"{name} ({metric.variant})": {series: results.column(series, name) for series in results.series}
        for name, metric in results.suite.each.items()
        if results.averages["sr"][name] is not None
    }
    if panels:
        yield section("Histograms", [histograms(panels)])


def _pictures(results: Results, versions: Callable[[str], Mapping[str, Image]]) -> Iterator[Markup]:
    """Show the images at both ends of a ranking, or all if they are few; by LPIPS, where it was measured."""
    measured = [name for name in results.suite.each if results.averages["sr"][name] is not None]
    if not measured:
        return
    name = "lpips" if "lpips" in measured else measured[0]
    values = {r.name: value for r in results.records if (value := r.values["sr"][name]) is not None}
    ranked = sorted(values, key=values.__getitem__, reverse=results.suite.each[name].direction == "higher")
    cut = min(_EXTREMES, -(-len(ranked) // 2))
    for heading, names in {"Best": ranked[:cut], "Worst": ranked[cut:][::-1][:cut]}.items():
        shown = {f"{image}: {name} {values[image]:.4f}": versions(image) for image in names}
        sliders = [slider(images, caption) for caption, images in shown.items() if len(images) > 1]
        if sliders:
            yield section(f"{heading} by {name}", sliders)


def _images(results: Results) -> Markup:
    columns = [(series, name) for series in results.series for name in results.suite.each]
    headings = [name if series == "sr" else f"{name}\n{series}" for series, name in columns]
    rows = ([r.name, *(_cell(r.values[series][name]) for series, name in columns)] for r in results.records)
    return table(["name", *headings], rows)


def _cell(value: float | None) -> float | str:
    return "-" if value is None else value
