"""Test training and export of an estimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import spearmanr

from dgsr.checks import UserError
from dgsr.models.estimator import DegradationEstimator
from dgsr.training.callbacks import Checkpoints
from dgsr.training.tasks.estimating import EstimatorTraining
from tests.small_run import make_data, make_settings, make_trainer

SHAPE: dict[str, Any] = {"channels": [4, 8], "blocks": [1, 1], "down_scales": [2, 1], "hidden": 8}


def _training(max_steps: int = 4, **changes: Any) -> EstimatorTraining:
    settings = make_settings(max_steps, micro_batch=4, ema_decay=0.9)
    return EstimatorTraining(DegradationEstimator.untrained(0, **SHAPE), settings, **changes)


def _run(folder: Path, max_steps: int, resume: bool = False) -> EstimatorTraining:
    training = _training(6)
    training.max_steps = max_steps
    saving = Checkpoints(str(folder), every_steps=2, monitor="spearman")
    path = folder / "last.ckpt" if resume else None
    make_trainer(validate_every_steps=2, callbacks=[saving]).fit(training, make_data(global_batch=4), ckpt_path=path)
    return training


def test_resumed_run_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", 6)
    _run(tmp_path / "cut", 3)
    resumed = _run(tmp_path / "cut", 6, resume=True)
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())
    assert resumed.validations[-1] == whole.validations[-1]


def test_step_equals_a_plain_step_on_regression_and_ranking() -> None:
    data, training, plain = make_data(global_batch=4), _training(1), DegradationEstimator.untrained(0, **SHAPE)
    batch = next(iter(data.train_dataloader_from(0)))
    scores, truth = plain(batch["lq"]), batch["truth"]
    loss = (scores - truth).abs().mean()
    for kind in range(2):
        pairs = [(i, j) for i in range(4) for j in range(4) if truth[i, kind] - truth[j, kind] > 0.05]
        loss = loss + sum((0.05 - scores[i, kind] + scores[j, kind]).clamp(min=0) for i, j in pairs) / len(pairs)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    torch.optim.AdamW(plain.parameters(), 1e-3).step()
    make_trainer().fit(training, data)
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(training.network.state_dict()[name], tensor, msg=name)


def test_correlations_equal_scipy() -> None:
    training = _training()
    make_trainer().validate(training, make_data(), verbose=False)
    result, images = training.validations[-1], training.images.values()
    for kind in ("blur", "noise"):
        columns = [[image[name] for image in images] for name in (kind, f"true_{kind}")]
        assert result[f"spearman_{kind}"] == pytest.approx(spearmanr(*columns).statistic)  # pyright: ignore
    assert result["spearman"] == pytest.approx((result["spearman_blur"] + result["spearman_noise"]) / 2)


def test_exported_file_describes_its_shape(tmp_path: Path) -> None:
    training = _training()
    training.export(tmp_path, 0)
    again = DegradationEstimator.from_file(tmp_path / "estimator.safetensors")
    lq = torch.rand(2, 3, 16, 16)
    assert torch.equal(again(lq), training.network(lq))
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_pairs_without_known_degradation_are_refused() -> None:
    batch = {"lq": torch.rand(2, 3, 16, 16), "truth": torch.full((2, 2), torch.nan)}
    for use in (lambda batch: _training().optimize(batch, _training().loop), _training().measure):
        with pytest.raises(UserError, match=r"degradation is known, but got real pairs"):
            use(batch)


def test_ranking_of_one_image_is_refused() -> None:
    scores = {"blur": 0.1, "true_blur": 0.2, "noise": 0.3, "true_noise": 0.4}
    with pytest.raises(UserError, match="two images or more to rank, but got 1"):
        _training().summarize({"a.png": scores})
