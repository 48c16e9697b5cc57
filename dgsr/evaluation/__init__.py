"""Measure restored images one by one, average the results, and compare methods and runs."""

from dgsr.evaluation.folders import RestoredFolder
from dgsr.evaluation.page import write_page
from dgsr.evaluation.report import write_csv, write_json
from dgsr.evaluation.restoring import Restoring, expect_same_settings
from dgsr.evaluation.results import Average, Results
from dgsr.evaluation.runner import Record, Sample, Samples, measure, measure_each, measure_sets, pictures
from dgsr.evaluation.statistics import Difference, Interval, crossed_interval, difference, interval
from dgsr.evaluation.sweep_report import write_sweep_report
from dgsr.evaluation.trials import Trial

__all__ = [
    "Average",
    "Difference",
    "Interval",
    "Record",
    "RestoredFolder",
    "Restoring",
    "Results",
    "Sample",
    "Samples",
    "Trial",
    "crossed_interval",
    "difference",
    "expect_same_settings",
    "interval",
    "measure",
    "measure_each",
    "measure_sets",
    "pictures",
    "write_csv",
    "write_json",
    "write_page",
    "write_sweep_report",
]
