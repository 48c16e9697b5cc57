"""Measure images, print the table and write the files, for evaluations of folders and of models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
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
from dgsr.metrics import Metric, Suite

_BUILD = "dgsr.metrics.build"


def build_suite(node: DictConfig) -> Suite:
    """Build the metrics of a config; the package's own that this machine lacks are reported, not refused.

    Raises:
        UserError: A name is not known, a value cannot be used, or the node returns no metrics.
    """
    if node.get("_target_") == _BUILD:
        return instantiate(node, _target_=f"{_BUILD}_available")
    metrics = instantiate(node)
    if isinstance(metrics, Suite):
        return metrics
    fits = isinstance(metrics, Mapping) and all(isinstance(metric, Metric) for metric in metrics.values())
    remedy = f"Let {node.get('_target_')} return a dict of metrics."
    expect(fits, "metrics by name from the node metrics", repr(metrics), remedy)
    return Suite(each=dict(metrics))


def measure_all(
    samples: Samples, suite: Suite, settings: Mapping[str, str], device: torch.device, ranks: Ranks
) -> Results | None:
    """Measure all samples, each on one of the ranks; None on all ranks but the first.

    Raises:
        UserError: No image or no metric can be used.
    """
    for lacking in ranks.gather([suite.missing]):  # a metric that one rank lacks is measured nowhere
        suite = suite.without(lacking)
    expect(bool(suite.each or suite.sets), "a metric that can be measured", "none", " ".join(suite.missing.values()))
    mine = ranks.share(samples.names)
    measured = measure_each(samples, mine, suite.each, device)
    outcomes = list(track(measured, "evaluating", len(mine), console=Console(stderr=True), disable=not ranks.first))
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
        results: What `measure_all` returned.
        samples: The page shows the best and the worst of them.
        files: By kind: csv, json, html.
        title: The title of the page.

    Raises:
        UserError: Images were skipped, or files could not be written; after all else is done.
    """
    console = Console()
    console.print(_table(results))  # first, since writing may fail
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
    expect(not unwritten, "places to write the results to", ", ".join(unwritten), "The results are printed above.")
    num_left_out = len(results.left_out)
    got = f"{num_left_out} of {len(results.records) + num_left_out} skipped: {' '.join(results.left_out).rstrip('.')}"
    expect(not num_left_out, "images that can all be used", got, "The results above are of the others.")


def _write(kind: str, file: Path, results: Results, samples: Samples, title: str) -> None:
    match kind:
        case "csv":
            write_csv(results, file)
        case "json":
            write_json(results, file)
        case _:
            write_page(results, file, title, lambda name: pictures(samples[name]))


def _table(results: Results) -> Table:
    """Lay out one row per metric, since terminals are narrow."""
    table = Table("", *results.columns, title=f"{len(results.records)} images, 95 % intervals")
    for name, metric in results.metrics.items():
        table.add_row(*map(escape, [f"{name} {metric.arrow}\n{metric.variant}", *results.row(name)]))
    return table
