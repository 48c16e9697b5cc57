"""Write the report of a sweep: an HTML page, and its table as Markdown and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from dgsr.checks import UserError
from dgsr.evaluation.statistics import Interval
from dgsr.evaluation.trials import DEGRADED, SHARP, Trial, Variant, changes, compare, metrics_of, variants, varying
from dgsr.html import curves, note, page, section, slider, table
from dgsr.images import read_image
from dgsr.metrics import ARROWS

_ODD_NAMES = "backslashreplace"  # file names may be invalid UTF-8
_EXPLANATION = (
    "Averages over the images of the last validation and over seeds. Brackets: difference to the first variant for the "
    "same seed and image, and its 95 % bootstrap interval over images and, if there are several, seeds."
)


def write_sweep_report(trials: Sequence[Trial], title: str, folder: Path) -> Path:
    """Write `report.html`, `report.md` and `report.csv`; return the path of `report.html`.

    Args:
        trials: At least one, in order; the others are compared with the first variant.
        title: The page's title.
        folder: Folder to write to.
    """
    groups = variants(trials)
    headings, rows = _variant_table(groups)
    lines = [
        "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |"
        for row in ([*headings], ["---"] * len(headings), *rows)
    ]
    failed = [f"- job {trial.name} {trial.state}: {trial.reason}" for trial in trials if trial.state != "done"]
    text = "\n".join([f"# {title}", "", _count(trials), "", *lines, "", _EXPLANATION, "", *failed])
    (folder / "report.md").write_text(f"{text.rstrip()}\n", encoding="utf-8", errors=_ODD_NAMES)
    _write_csv(trials, groups[0], folder / "report.csv")
    parts = [
        note(_count(trials)),
        section("Variants", [table(headings, rows), note(_EXPLANATION)]),
        section("Changed settings", _changes(groups)),
        section("Jobs", [_job_table(trials)]),
        section("Curves", _curves(groups)),
        section("Pictures", _pictures(groups)),
    ]
    document = folder / "report.html"
    document.write_text(page(title, parts), encoding="utf-8", errors=_ODD_NAMES)
    return document


def _count(trials: Sequence[Trial]) -> str:
    states = [trial.state for trial in trials]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) + f" of {len(trials)} jobs"


def _variant_table(groups: Sequence[Variant]) -> tuple[list[str], list[list[str]]]:
    trials = [trial for group in groups for trial in group.trials]
    arrows = {name: ARROWS.get(direction, "") for trial in trials for name, direction in trial.directions.items()}
    metrics = metrics_of(trials)
    rows = [
        [
            group.label,
            f"{len(group.done)} of {len(group.trials)}",
            *(_score(group, groups[0], name) for name in metrics),
            *_costs(group.done),
        ]
        for group in groups
    ]
    headings = (f"{name} {arrows.get(name, '')}".rstrip() for name in metrics)
    return ["variant", "jobs done", *headings, "s/step", "GiB"], rows


def _score(group: Variant, base: Variant, metric: str) -> str:
    mean = group.mean(metric)
    if mean is None:
        return "-"
    gain = None if group is base else compare(group, base, metric)
    return f"{mean:.4f}{_bracket(gain)}"


def _bracket(gain: Interval | None) -> str:
    if gain is None:
        return ""
    limits = "" if gain.low is None else f" [{gain.low:+.4f}, {gain.high:+.4f}]"
    return f" ({gain.mean:+.4f}{limits})"


def _costs(trials: Sequence[Trial]) -> list[str]:
    """Format the mean time of a step and the largest memory."""
    times = [trial.seconds_per_step for trial in trials if trial.seconds_per_step is not None]
    sizes = [trial.peak_memory_bytes for trial in trials if trial.peak_memory_bytes is not None]
    time, size = (f"{sum(times) / len(times):.3g}" if times else "-"), (f"{max(sizes) / 2**30:.2f}" if sizes else "-")
    return [time, size]


def _job_table(trials: Sequence[Trial]) -> Markup:
    keys, metrics = varying(trials), metrics_of(trials)
    marks = {"done": "done", "failed": "✗ failed", "unfinished": "… unfinished", "damaged": "✗ damaged"}
    rows = [
        [
            trial.name,
            marks[trial.state],
            *(trial.settings.get(key, "-") for key in keys),
            *("-" if (mean := trial.mean(name)) is None else mean for name in metrics),
            *_costs([trial]),
            trial.reason,
        ]
        for trial in trials
    ]
    return table(["job", "state", *keys, *metrics, "s/step", "GiB", "reason"], rows)


def _changes(groups: Sequence[Variant]) -> Iterator[Markup]:
    rows = [
        [group.label, key, ours, theirs]
        for group in groups[1:]
        for key, (ours, theirs) in changes(group, groups[0]).items()
    ]
    yield table(["variant", "key", "value", f"in {groups[0].label}"], rows)


def _curves(groups: Sequence[Variant]) -> Iterator[Markup]:
    trials = [(group.label, trial) for group in groups for trial in group.trials]
    names = dict.fromkeys(name for _, trial in trials for name in trial.series if "bicubic" not in name)
    panels = {name: [(label, trial.series[name]) for label, trial in trials if name in trial.series] for name in names}
    if panels:
        yield curves(panels)


def _pictures(groups: Sequence[Variant]) -> Iterator[Markup]:
    """Show each image: degraded, restored by the first finished seed of every variant, and sharp."""
    shown = {group.label: group.done[0].pictures for group in groups if group.done}
    for image, files in next(iter(shown.values()), {}).items():
        results = {label: pictures[image]["sr"] for label, pictures in shown.items() if image in pictures}
        fixed = {DEGRADED: files.get("lq"), **results, SHARP: files.get("hq")}
        try:
            versions = {title: read_image(path) for title, path in fixed.items() if path}
        except UserError as error:
            yield note(f"{image}: {error}")
            continue
        if len(versions) > 1:
            yield slider(versions, image)


def _write_csv(trials: Sequence[Trial], base: Variant, path: Path) -> None:
    """Write one row per job, with differences to the first variant's job of the same seed."""
    keys, metrics = varying(trials), metrics_of(trials)
    columns = [f"{name}{suffix}" for name in metrics for suffix in ("", "_difference", "_low", "_high")]
    with path.open("w", newline="", encoding="utf-8", errors=_ODD_NAMES) as file:
        writer = csv.writer(file)
        writer.writerow(["job", "state", *keys, "seconds_per_step", "peak_memory_bytes", *columns, "reason"])
        for trial in trials:
            settings = [trial.settings.get(key) for key in keys]
            costs = [trial.seconds_per_step, trial.peak_memory_bytes]
            scores = [value for name in metrics for value in (trial.mean(name), *_difference(trial, base, name))]
            writer.writerow([trial.name, trial.state, *settings, *costs, *scores, trial.reason])


def _difference(trial: Trial, base: Variant, metric: str) -> tuple[float | None, float | None, float | None]:
    gain = None if trial in base.trials else compare(Variant({}, [trial]), base, metric)
    return (None, None, None) if gain is None else (gain.mean, gain.low, gain.high)
