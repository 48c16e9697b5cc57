"""All records of an evaluation, and what they say on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dgsr.evaluation.runner import Record, Values
from dgsr.evaluation.statistics import Difference, Interval, difference, interval
from dgsr.metrics import Fid, Metric, Suite


@dataclass(frozen=True)
class Average:
    """A metric of one series over the images that have it, and how far the restored images are above, in pairs."""

    found: Interval
    num_images: int
    lead: Difference | None = None


@dataclass(frozen=True)
class Results:
    """What an evaluation found.

    Attributes:
        settings: What was measured and how, for people.
        records: One an image, in the order of their names; at least one.
        suite: The metrics, and sentences about those that are missing.
        sets: Values of whole sets, by series and metric.
        left_out: A sentence about each image that could not be read or restored.
    """

    settings: Mapping[str, str]
    records: Sequence[Record]
    suite: Suite
    sets: Mapping[str, Values] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    @property
    def metrics(self) -> dict[str, Metric | Fid]:
        """Return all metrics by name, those of whole sets last."""
        return {**self.suite.each, **self.suite.sets}

    @property
    def notes(self) -> list[str]:
        """Say what was asked for and has no value."""
        small = [f"{name} needs two images or more." for name in self.suite.sets if len(self.records) < 2]
        per_image = dict.fromkeys(note for record in self.records for note in record.notes)
        return [*self.suite.missing.values(), *small, *per_image]

    @cached_property
    def averages(self) -> dict[str, dict[str, Average | None]]:
        """Average by series (sr, bicubic, against) and metric; None where no image has a value."""
        return {series: {name: self._average(series, name) for name in self.metrics} for series in self.series}

    @property
    def series(self) -> list[str]:
        """Name what was measured: sr, and perhaps bicubic and against."""
        return list(self.records[0].values)

    @property
    def columns(self) -> list[str]:
        """Head what `row` returns."""
        ours, *others = self.series
        return [ours, *(heading for series in others for heading in (series, f"{ours} - {series}"))]

    def row(self, metric: str) -> list[str]:
        """Write out a metric's averages, and its paired differences between the restored images and the others."""
        ours, *others = (self.averages[series][metric] for series in self.series)
        cells = [ours and ours.found]
        for other in others:
            cells += [other and other.found, other and other.lead]
        return ["-" if cell is None else str(cell) for cell in cells]

    def column(self, series: str, metric: str) -> list[float]:
        """Return the values of the images that have one."""
        return [value for record in self.records if (value := record.values[series][metric]) is not None]

    def _average(self, series: str, metric: str) -> Average | None:
        if metric in self.suite.sets:
            value = self.sets.get(series, {}).get(metric)
            return None if value is None else Average(Interval(value, None, None), len(self.records))
        values = self.column(series, metric)
        if not values:
            return None
        pairs = [(r.values["sr"][metric], r.values[series][metric]) for r in self.records]
        whole = [(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
        compared = bool(whole) and series != "sr"
        lead = difference([ours for ours, _ in whole], [theirs for _, theirs in whole]) if compared else None
        return Average(interval(values), len(values), lead)
