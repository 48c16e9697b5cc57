"""All records of an evaluation, and their averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dgsr.evaluation.runner import Record, Values
from dgsr.evaluation.statistics import Difference, Interval, difference, interval
from dgsr.metrics import Fid, Metric, Suite


@dataclass(frozen=True)
class Average:
    """The average of a metric over the images of one series.

    Attributes:
        interval: The average and its 95 % interval.
        num_images: Images that have a value.
        lead: Paired difference between the restored images and this series; None for the restored images themselves.
    """

    interval: Interval
    num_images: int
    lead: Difference | None = None


@dataclass(frozen=True)
class Results:
    """Results of an evaluation.

    Attributes:
        settings: What was measured and how, for readers of the report.
        records: One per image, in the order of the names; at least one.
        suite: The metrics, and a sentence about each one that is missing.
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
        """All metrics by name, those of whole sets last."""
        return {**self.suite.each, **self.suite.sets}

    @property
    def notes(self) -> list[str]:
        """Sentences that explain missing values."""
        small = [f"{name} needs two images or more." for name in self.suite.sets if len(self.records) < 2]
        per_image = dict.fromkeys(note for record in self.records for note in record.notes)
        return [*self.suite.missing.values(), *small, *per_image]

    @cached_property
    def averages(self) -> dict[str, dict[str, Average | None]]:
        """Averages by series (sr, bicubic, against) and metric; None where no image has a value."""
        return {series: {name: self._average(series, name) for name in self.metrics} for series in self.series}

    @property
    def series(self) -> list[str]:
        """The measured series: sr, and bicubic and against where available."""
        return list(self.records[0].values)

    @property
    def columns(self) -> list[str]:
        """Headings of the cells that `row` returns."""
        ours, *others = self.series
        return [ours, *(heading for series in others for heading in (series, f"{ours} - {series}"))]

    def row(self, metric: str) -> list[str]:
        """Format a metric's averages, and its paired differences between the restored images and the other series."""
        ours, *others = (self.averages[series][metric] for series in self.series)
        cells = [ours and ours.interval]
        for other in others:
            cells += [other and other.interval, other and other.lead]
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
