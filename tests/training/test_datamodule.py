"""Samples do not depend on workers or ranks; validation never changes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dgsr.checks import UserError
from tests.small_run import make_data


def _take(data: Any, count: int, **where: int) -> list[dict[str, Any]]:
    batches = iter(data.train_dataloader_from(**({"position": 0} | where)))
    return [next(batches) for _ in range(count)]


def test_workers_do_not_change_samples() -> None:
    for alone, helped in zip(_take(make_data(), 3), _take(make_data(num_workers=2), 3), strict=True):
        assert torch.equal(alone["lq"], helped["lq"])
        assert torch.equal(alone["seed"], helped["seed"])


def test_two_ranks_share_the_global_batch_of_one() -> None:
    whole = _take(make_data(global_batch=4), 2)
    shares = [_take(make_data(global_batch=4), 2, rank=rank, world_size=2) for rank in range(2)]
    for step in range(2):
        joined = torch.cat([share[step]["hq"] for share in shares])
        assert torch.equal(joined, whole[step]["hq"])


def test_the_stream_goes_on_from_a_position() -> None:
    later = _take(make_data(global_batch=2), 1, position=4)[0]
    assert torch.equal(later["hq"], _take(make_data(global_batch=2), 3)[2]["hq"])


def test_overfitting_repeats_the_validation_pairs() -> None:
    data = make_data(overfit_images=2)
    fixed = {data.val_pairs[i]["name"]: data.val_pairs[i] for i in range(2)}
    assert len(data.val_pairs) == 2
    for batch in _take(data, 3):
        for name, lq in zip(batch["name"], batch["lq"], strict=True):
            assert torch.equal(lq, fixed[name]["lq"])


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(UserError, match=r"data\.crop_px"):
        make_data(crop_px=62)
    with pytest.raises(UserError, match=r"data\.global_batch"):
        make_data(global_batch=0)
