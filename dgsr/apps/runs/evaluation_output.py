"""What both evaluations, of folders and of a model, share: the loop over images, the table and the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from dgsr.checks import expect
from dgsr.evaluation import (
    Record,
    Results,
    Samples,
    measure_each,
    measure_sets,
    pictures,
    write_csv,
    write_json,
    write_page,
)
from dgsr.evaluation.ranks import Ranks
from dgsr.metrics import Suite


def survey(
    samples: Samples, suite: Suite, settings: Mapping[str, str], device: torch.device, ranks: Ranks
) -> Results | None:
    """Measure all samples, each on one of the ranks; None on all ranks but the first.

    Raises:
        UserError: None can be had, or no metric.
    """
    for lacking in ranks.gather([suite.missing]):  # what one rank lacks has no values on all images
        suite = suite.without(lacking)
    expect(bool(suite.each or suite.sets), "a metric that can be had", "none", " ".join(suite.missing.values()))
    mine = ranks.share(samples.names)
    found = measure_each(samples, mine, suite.each, device)
    outcomes = list(track(found, "evaluating", len(mine), console=Console(stderr=True), disable=not ranks.first))
    outcomes = ranks.gather([o if isinstance(o, Record) else str(o) for o in outcomes])
    if not ranks.first:
        return None
    records = sorted((o for o in outcomes if isinstance(o, Record)), key=lambda record: record.name)
    left_out = [o for o in outcomes if isinstance(o, str)]
    expect(bool(records), "images that can be used", "none", left_out[0] if left_out else "")
    sets = measure_sets(samples, [record.name for record in records], suite.sets, device)
    return Results(settings, records, suite, sets, left_out)


def publish(results: Results, samples: Samples, files: Mapping[str, Path], title: str) -> None:
    """Print averages and write files.

    Args:
        results: Of the survey.
        samples: Whose best and worst images the page shows.
        files: By kind: csv, json, html.
        title: Of the page.

    Raises:
        UserError: Images were left out, or files could not be written; after all else is done.
    """
    console = Console()
    console.print(_table(results))  # before anything is written, which may fail
    written, unwritten = [], []
    for kind, file in files.items():
        try:
            _write(kind, file, results, samples, title)
        except OSError as error:
            unwritten.append(f"{file} ({error.strerror})")
        else:
            written.append(f"{kind:>5}: {file}")
    for line in [*results.notes, *written]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    expect(not unwritten, "places to write the results to", ", ".join(unwritten), "The numbers are those above.")
    num_left_out = len(results.left_out)
    got = f"{num_left_out} of {len(results.records) + num_left_out} left out: {' '.join(results.left_out).rstrip('.')}"
    expect(not num_left_out, "images that can all be used", got, "The numbers above are those of the others.")


def _write(kind: str, file: Path, results: Results, samples: Samples, title: str) -> None:
    match kind:
        case "csv":
            write_csv(results, file)
        case "json":
            write_json(results, file)
        case _:
            write_page(results, file, title, lambda name: pictures(samples[name]))


def _table(results: Results) -> Table:
    """Lay out one row a metric, since terminals are narrow."""
    table = Table("", *results.columns, title=f"{len(results.records)} images, 95 % intervals")
    for name, metric in results.metrics.items():
        arrow = "↑" if metric.direction == "higher" else "↓"
        table.add_row(*map(escape, [f"{name} {arrow}\n{metric.variant}", *results.row(name)]))
    return table
