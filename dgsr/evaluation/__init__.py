"""Measure a model over pairs of images, per image and on average."""

from dgsr.evaluation.report import write_csv, write_summary
from dgsr.evaluation.runner import Record, evaluate, means
from dgsr.evaluation.statistics import Difference, Interval, difference, interval

__all__ = [
    "Difference",
    "Interval",
    "Record",
    "difference",
    "evaluate",
    "interval",
    "means",
    "write_csv",
    "write_summary",
]
