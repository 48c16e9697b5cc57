"""Test that samples do not depend on workers or ranks, and that validation is fixed."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.pairs import PairedFolders
from dgsr.data.real import RealPairs
from dgsr.degradation import preset
from dgsr.images import write_image
from dgsr.training.data.datamodule import accumulation
from dgsr.training.data.validation_sets import ValidationSet
from tests.small_run import make_data, make_module, make_trainer


def _take(data: Any, count: int, **where: int) -> list[dict[str, Any]]:
    batches = iter(data.train_dataloader_from(**({"position": 0} | where)))
    return [next(batches) for _ in range(count)]


def test_workers_do_not_change_samples() -> None:
    for alone, helped in zip(_take(make_data(), 3), _take(make_data(num_workers=2), 3), strict=True):
        assert torch.equal(alone["lq"], helped["lq"])
        assert torch.equal(alone["seed"], helped["seed"])


def test_signals_to_the_group_do_not_reach_workers() -> None:
    """Ctrl-C is sent to all processes of a terminal, but a run that saves still needs its workers."""
    batches: Any = iter(make_data(num_workers=2).train_dataloader_from(position=0))
    for _ in range(2):  # one per worker, so that both have started
        next(batches)
    groups = [os.getpgid(worker.pid) for worker in batches._workers]
    assert len(groups) == 2
    assert os.getpgid(0) not in groups


def test_fingerprint_covers_real_pairs(tmp_path: Path) -> None:
    for side, px in {"lq": 16, "hq": 64}.items():
        write_image(tmp_path / side / "a.png", torch.rand(3, px, px))
    real = RealPairs([PairedFolders(tmp_path / "lq", tmp_path / "hq", scale=4)], crop_px=64, fraction=0.5)
    assert make_data(real=real).fingerprint() != make_data().fingerprint()


def test_two_ranks_share_the_global_batch_of_one() -> None:
    whole = _take(make_data(global_batch=4), 2)
    shares = [_take(make_data(global_batch=4), 2, rank=rank, world_size=2) for rank in range(2)]
    for step in range(2):
        joined = torch.cat([share[step]["hq"] for share in shares])
        assert torch.equal(joined, whole[step]["hq"])


def test_degrading_on_the_device_gives_the_samples_of_workers() -> None:
    workers = make_data(spec=preset("real_esrgan"))
    accelerator = make_data(spec=preset("real_esrgan"), degrade_on="accelerator")
    for loaded, bare in zip(_take(workers, 4), _take(accelerator, 4), strict=True):
        assert "lq" not in bare
        completed = accelerator.on_after_batch_transfer(bare, 0)
        assert completed.keys() == loaded.keys()
        for key in ("hq", "lq", "truth", "seed"):
            assert torch.equal(completed[key], loaded[key])
        assert completed["name"] == loaded["name"]
        assert workers.on_after_batch_transfer(loaded, 0) is loaded


def test_validation_pairs_do_not_depend_on_where_training_crops_are_degraded() -> None:
    sets = {"val": ValidationSet("bundled:val"), "val_crop_px": 32}
    pairs = [make_data(degrade_on=place, **sets).val_pairs[1] for place in ("workers", "accelerator")]
    assert torch.equal(pairs[0]["lq"], pairs[1]["lq"])


def test_basicsr_backend_degrades_samples() -> None:
    pytest.importorskip("cv2")
    if find_spec("basicsr") is None:
        pytest.skip("basicsr is not installed")
    ours, theirs = (_take(make_data(degradation_backend=name), 1)[0] for name in ("dgsr", "basicsr"))
    assert torch.equal(ours["truth"], theirs["truth"])
    assert not torch.equal(ours["lq"], theirs["lq"])
    torch.testing.assert_close(ours["lq"].mean((2, 3)), theirs["lq"].mean((2, 3)), atol=0.02, rtol=0)


def test_training_runs_with_samples_degraded_on_the_device() -> None:
    module = make_module(max_steps=1)
    make_trainer().fit(module, make_data(degrade_on="accelerator"))
    assert module.step == 1


def test_rank_without_validation_image_is_refused() -> None:
    data = make_data()
    data.trainer = Mock(world_size=10, lightning_module=Mock(micro_batch=1))
    with pytest.raises(UserError, match="for each of 10 processes, but got"):
        data.setup("fit")


def test_stream_continues_from_a_position() -> None:
    later = _take(make_data(global_batch=2), 1, position=4)[0]
    assert torch.equal(later["hq"], _take(make_data(global_batch=2), 3)[2]["hq"])


def test_overfitting_repeats_the_validation_pairs() -> None:
    data = make_data(overfit_images=2)
    fixed = {data.val_pairs[i]["name"]: data.val_pairs[i] for i in range(2)}
    assert len(data.val_pairs) == 2
    for batch in _take(data, 3):
        for name, lq in zip(batch["name"], batch["lq"], strict=True):
            assert torch.equal(lq, fixed[name]["lq"])


def test_validation_does_not_depend_on_the_seed_of_the_run() -> None:
    seeds: list[dict[str, Any]] = [{}, {"seed": 1}, {"val_seed": 1}]
    sets = ({"val": ValidationSet("bundled:val"), "val_crop_px": 32} | seed for seed in seeds)
    first, same, other = (make_data(**given).val_pairs[0] for given in sets)
    assert torch.equal(first["lq"], same["lq"])
    assert not torch.equal(first["lq"], other["lq"])


def test_accumulation_follows_from_batch_and_devices() -> None:
    for batch, devices, micro, times in [(64, 4, 4, 4), (4, 1, 4, 1), (4, 2, 16, 1), (6, 1, 3, 2)]:
        assert accumulation(batch, devices, micro) == times


@pytest.mark.parametrize(("batch", "devices", "micro"), [(24, 4, 4), (2, 4, 1), (9, 2, 1), (3, 1, 2)])
def test_indivisible_global_batch_is_refused(batch: int, devices: int, micro: int) -> None:
    said = rf"{devices} \(devices\) · {micro} \(run\.micro_batch\).*got {batch}\. Choose"
    with pytest.raises(UserError, match=said) as error:
        accumulation(batch, devices, micro)
    advised = int(str(error.value).split("Choose ")[1].split(",")[0])
    assert accumulation(advised, devices, micro) == advised // (devices * micro)


def test_global_batch_is_checked_before_validation() -> None:
    with pytest.raises(UserError, match=r"data\.global_batch"):
        make_trainer().validate(make_module(micro_batch=2), make_data(global_batch=3), verbose=False)


def test_invalid_sizes_are_refused() -> None:
    with pytest.raises(UserError, match=r"data\.crop_px"):
        make_data(crop_px=62)
    with pytest.raises(UserError, match=r"data\.val_crop_px"):
        make_data(val=ValidationSet("bundled:val"), val_crop_px=50)
    for count in (0, 8):
        with pytest.raises(UserError, match=r"data\.overfit_images of 1 to 7"):
            make_data(overfit_images=count)
    with pytest.raises(UserError, match=r"data\.num_workers"):
        make_data(num_workers=-1)
    with pytest.raises(UserError, match=r"data\.global_batch"):
        make_data(global_batch=0)
