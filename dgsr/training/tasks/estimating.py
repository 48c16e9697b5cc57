"""Train the degradation estimator, from degradations of known strength."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from scipy.stats import spearmanr

from dgsr.checks import expect
from dgsr.losses.ranking import margin_ranking
from dgsr.models.estimator import DegradationEstimator
from dgsr.training.loop.interface import Loop
from dgsr.training.loop.module import Pictures, TrainingModule
from dgsr.training.loop.settings import Settings
from dgsr.training.loop.validation import Reported, ValidationRecords, qualified, sets_of

KINDS = ("blur", "noise")
_REPORTED = {
    "spearman": Reported("higher", "mean of the two"),
    **{f"spearman_{kind}": Reported("higher", "with the truth") for kind in KINDS},
}


class EstimatorTraining(TrainingModule):
    """Train the estimator to predict the blur and noise of a degraded image.

    Args:
        estimator: The network to train.
        settings: How the run trains.
        regression_weight: Weight of the mean absolute difference from the recipe's strengths.
        ranking_weight: Weight of the ranking loss among the images of a micro batch.
        margin: Smallest difference that scores of different strengths should have; strengths are in [0, 1].

    Source: MM-RealSR Sec. 3.3 (metric learning). Differs from the paper: scores are anchored to the known strengths of
    the recipes, where the paper anchors them to chosen images.
    """

    network: DegradationEstimator

    def __init__(
        self,
        estimator: DegradationEstimator,
        settings: Settings,
        regression_weight: float = 1.0,
        ranking_weight: float = 1.0,
        margin: float = 0.05,
    ) -> None:
        super().__init__(estimator.requires_grad_(True), None, _REPORTED, settings)
        self.regression_weight, self.ranking_weight, self.margin = regression_weight, ranking_weight, margin

    def optimize(self, batch: dict[str, Any], loop: Loop) -> None:
        """Step the estimator on the regression and ranking losses."""
        _expect_known(batch, "Set data.real.fraction=0.")
        images, truths = loop.micro_batches(batch["lq"]), loop.micro_batches(batch["truth"])
        with loop.optimizing("generator", len(images)) as backward:
            for lq, truth in zip(images, truths, strict=True):
                scores = self.network(lq)
                columns = zip(scores.unbind(dim=1), truth.unbind(dim=1), strict=True)
                ranking = torch.stack([margin_ranking(score, true, self.margin) for score, true in columns]).sum()
                regression = (scores - truth).abs().mean()
                backward({"regression": self.regression_weight * regression, "ranking": self.ranking_weight * ranking})

    def measure(self, batch: dict[str, Any]) -> Pictures:
        """Keep each image's scores and true strengths."""
        _expect_known(batch, "Leave real pairs out of data.val_sets.")
        scores = self.network(batch["lq"])
        for place, kind in enumerate(KINDS):
            self.record_images(batch, kind, scores[:, place])
            self.record_images(batch, f"true_{kind}", batch["truth"][:, place])
        return {}

    def summarize(self, records: ValidationRecords) -> dict[str, float]:
        """Correlate the ranks of scores and true strengths over the images of each set."""
        summary = {}
        for set_name in sets_of(name for values in records.values() for name in values):
            for kind in KINDS:
                names = [qualified(set_name, name) for name in (kind, f"true_{kind}")]
                pairs = [[values[name] for name in names] for values in records.values() if names[0] in values]
                expect(len(pairs) > 1, "two images or more to rank", len(pairs), "Raise data.val.repeats.")
                summary[qualified(set_name, f"spearman_{kind}")] = float(spearmanr(pairs).statistic)  # pyright: ignore
            both = [summary[qualified(set_name, f"spearman_{kind}")] for kind in KINDS]
            summary[qualified(set_name, "spearman")] = sum(both) / len(both)
        return summary

    def export(self, folder: Path, step: int) -> None:
        """Write `estimator.safetensors`, which `estimator.path` reads."""
        self.network.save(folder / "estimator.safetensors")


def _expect_known(batch: dict[str, Any], remedy: str) -> None:
    known = bool(batch["truth"].isfinite().all())
    expect(known, "samples whose degradation is known", "real pairs", remedy)
