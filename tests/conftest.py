"""What every test runs under: one thread, known seeds, no network, and nothing left behind."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

# Before any library reads them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
import torch

torch.set_num_threads(1)

SEED = 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with a reason, what this machine cannot run."""
    no_gpu = pytest.mark.skip(reason="needs a CUDA device")
    for item in items:
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(no_gpu)


@pytest.fixture(autouse=True)
def _same_start_for_every_test() -> None:
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 (libraries that are compared with read the global generator)
    torch.manual_seed(SEED)


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Fail a test that changes torch's defaults or the working folder for those after it."""
    before = _state()
    yield
    assert _state() == before


def _state() -> tuple[object, ...]:
    return Path.cwd(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()
