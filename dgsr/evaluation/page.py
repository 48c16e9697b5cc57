"""Write the HTML report of an evaluation: averages, histograms, best and worst images, and values per image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from dgsr.evaluation.results import Results
from dgsr.html import histograms, note, page, section, slider, table
from dgsr.types import Image

_MAX_SHOWN = 4  # best images, and worst images


def write_page(results: Results, path: Path, title: str, versions: Callable[[str], Mapping[str, Image]]) -> None:
    """Write a self-contained HTML file.

    Args:
        results: The results to report.
        path: The file to write.
        title: The page's title.
        versions: Returns the versions of an image by title, in the order of the slider's menus; an image with a single
            version is not shown.
    """
    parts = [
        section("Averages", [_averages(results), *map(note, _remarks(results))]),
        *_histograms(results),
        *_pictures(results, versions),
        section("Every image", [_images(results)]),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(title, parts), encoding="utf-8", errors="backslashreplace")  # file names may be invalid UTF-8


def _averages(results: Results) -> Markup:
    """Build a table with one row per metric."""
    metrics = results.metrics.items()
    rows = ([f"{name} {metric.arrow} {metric.variant}", *results.row(name)] for name, metric in metrics)
    return table(["", *results.columns], rows)


def _remarks(results: Results) -> Iterator[str]:
    yield (
        f"{len(results.records)} images. Brackets: 95 % interval of the average, bootstrapped over images; p: paired "
        "permutation test, not corrected for the number of metrics. The pictures on this page are compressed."
    )
    yield from (f"{name}: {value}" for name, value in results.settings.items())
    yield from results.notes
    if results.left_out:
        yield f"{len(results.left_out)} skipped: {' '.join(results.left_out)}"


def _histograms(results: Results) -> Iterator[Markup]:
    panels = {
        f"{name} ({metric.variant})": {series: results.column(series, name) for series in results.series}
        for name, metric in results.suite.each.items()
        if results.averages["sr"][name] is not None
    }
    if panels:
        yield section("Histograms", [histograms(panels)])


def _pictures(results: Results, versions: Callable[[str], Mapping[str, Image]]) -> Iterator[Markup]:
    """Show the best and the worst images, ranked by LPIPS if measured, otherwise by the first metric."""
    measured = [name for name in results.suite.each if results.averages["sr"][name] is not None]
    if not measured:
        return
    name = "lpips" if "lpips" in measured else measured[0]
    values = {r.name: value for r in results.records if (value := r.values["sr"][name]) is not None}
    ranked = sorted(values, key=values.__getitem__, reverse=results.suite.each[name].direction == "higher")
    cut = min(_MAX_SHOWN, -(-len(ranked) // 2))
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
