"""Measure a model over pairs of images, per image and on average; compare runs."""

from dgsr.evaluation.report import write_csv, write_summary
from dgsr.evaluation.runner import Record, evaluate, means
from dgsr.evaluation.statistics import Difference, Interval, crossed_interval, difference, interval
from dgsr.evaluation.sweep_report import write_sweep_report
from dgsr.evaluation.trials import Trial

__all__ = [
    "Difference",
    "Interval",
    "Record",
    "Trial",
    "crossed_interval",
    "difference",
    "evaluate",
    "interval",
    "means",
    "write_csv",
    "write_summary",
    "write_sweep_report",
]
