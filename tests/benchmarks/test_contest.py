"""Test the timing of contestants by turns."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from benchmarks.contest import Cores, by_turns, cores, heading, in_seconds, machine, slug, spread


def test_contestants_take_turns_after_an_untimed_call() -> None:
    calls: list[tuple[str, int]] = []
    times = by_turns({name: lambda r, name=name: calls.append((name, r)) for name in "ab"}, 2)
    assert calls == [("a", 0), ("b", 0), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    assert {name: len(values) for name, values in times.items()} == {"a": 2, "b": 2}


def test_times_are_milliseconds() -> None:
    (slept,) = by_turns({"sleep": lambda r: time.sleep(0.02)}, 1)["sleep"]
    assert 20 <= slept < 2000


def test_spread_is_median_and_quartiles() -> None:
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == {"median": 3.0, "lower_quartile": 2.0, "upper_quartile": 4.0}
    assert spread([7.0]) == {"median": 7.0, "lower_quartile": 7.0, "upper_quartile": 7.0}


def test_pool_works_on_one_sample_per_core() -> None:
    threads, both = torch.get_num_threads(), threading.Barrier(2)
    Cores(2).pool(lambda sample: both.wait(timeout=20), 4)
    assert torch.get_num_threads() == 1
    Cores(2).threads(lambda: None)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)


def test_machine_names_device_and_versions() -> None:
    described = machine(["torch"])
    assert torch.__version__.startswith(described["versions"]["torch"].partition("+")[0])
    assert f"{cores()} cores" in described["device"]
    assert slug(described["device"]).isascii()
    with pytest.raises(ImportError):
        machine(["no-such-package"])


def test_formats_of_headings_and_cells() -> None:
    described = {"device": "a, 2 cores", "date": "2026-01-02", "versions": {"python": "3.11", "torch": "2.9"}}
    assert heading(described) == "a, 2 cores, 2026-01-02, python 3.11, torch 2.9"
    assert in_seconds(spread([1000.0, 2000.0, 3000.0])) == "2.00 (1.50 to 2.50)"
