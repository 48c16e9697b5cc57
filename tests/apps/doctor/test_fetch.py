"""Everything that a run would load is loaded once, and what cannot be had is named all at once."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from rich.console import Console

from dgsr.apps.config.composing import composed
from dgsr.apps.doctor.fetch import examine
from dgsr.checks import UserError
from dgsr.models import OneStepGenerator, hub

GOLDEN = Path(__file__).parents[2] / "golden"
SMALL = ("debug=fdr", "trainer=cpu", "objective.losses.lpips.weight=0", "metrics.names=[psnr]")


def test_fetched_weights_are_available_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, online = tmp_path / "cache", True

    def download(source: str, name: str = "", **_: Any) -> str:
        if online and not cache.is_dir():
            shutil.copytree(GOLDEN / "tiny-sd", cache)
        path = cache / name
        if not path.exists():
            raise FileNotFoundError(path)
        return str(path)

    for function in ("snapshot_download", "hf_hub_download"):
        monkeypatch.setattr(hub, function, download)
    cfg = composed("train", [*SMALL, "generator=sd_turbo", "generator.path=some/backbone"])
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(examine(cfg))
    said = console.export_text()
    parts = ("generator", "estimator", "critics.gan", "objective", "metrics")
    assert all(part in said for part in (*parts, "OneStepGenerator.from_backbone", "HF_HUB_OFFLINE=1"))
    online = False
    assert instantiate(cfg.generator).fingerprint() == OneStepGenerator.from_backbone(GOLDEN / "tiny-sd").fingerprint()


def test_all_missing_weights_are_reported_at_once(tmp_path: Path) -> None:
    gone = ["generator=sd_turbo", f"generator.path={tmp_path}/none", "estimator=published", "estimator.path=none.pth"]
    with pytest.raises(UserError, match=r"none for 2 of 6. generator: Expected .* estimator: Expected .*none\.pth"):
        examine(composed("train", [*SMALL, *gone]))
