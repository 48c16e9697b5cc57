"""Measure a model over pairs of images, per image and on average."""

from dgsr.evaluation.report import write_csv, write_summary
from dgsr.evaluation.runner import Record, evaluate, means

__all__ = ["Record", "evaluate", "means", "write_csv", "write_summary"]
