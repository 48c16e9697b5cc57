"""Test the report of a sweep."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import torch

from dgsr.evaluation import Trial, write_sweep_report
from dgsr.images import write_image
from tests.browser import needs_browser, opened


def make_trials(folder: Path) -> list[Trial]:
    trials: list[Trial] = []
    for name, (variant, gain) in enumerate([("guided", 0.0), ("no_gan", 0.5), ("rank<64>", 0.0)]):
        pictures = {kind: folder / str(name) / f"{kind}.png" for kind in ("lq", "sr", "hq")}
        for kind, path in pictures.items():
            write_image(path, torch.rand(3, 8, 8) if kind == "lq" else torch.rand(3, 32, 32))
        failed = variant.startswith("rank")
        images = {f"{i}.png": {"psnr": 20.0 + i + gain * i} for i in range(4)}
        trials.append(
            Trial(
                str(name),
                {"sweep": "ablation", "variant": variant},
                "failed" if failed else "done",
                "Expected <memory>." if failed else "",
                {"gan": variant},
                {} if failed else images,
                {} if failed else {"psnr": "higher"},
                None if failed else 0.5,
                None if failed else 2**30,
                {} if failed else {"val/psnr": [(1, 20.0), (2, 21.0 + gain)]},
                {} if failed else {"0.png": pictures},
            )
        )
    return trials


def test_html_markdown_and_csv_agree(tmp_path: Path) -> None:
    page = write_sweep_report(make_trials(tmp_path), "Sweep", tmp_path)
    markdown = (tmp_path / "report.md").read_text()
    assert "| variant | jobs done | psnr ↑ | s/step | GiB |" in markdown
    assert "| guided | 1 of 1 | 21.5000 | 0.5 | 1.00 |" in markdown
    assert "| no_gan | 1 of 1 | 22.2500 (+0.7500 [" in markdown
    assert "| rank<64> | 0 of 1 | - | - | - |" in markdown
    assert "- job 2 failed: Expected <memory>." in markdown
    with (tmp_path / "report.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["psnr_difference"] for row in rows] == ["", "0.75", ""]
    assert 0 < float(rows[1]["psnr_low"]) < 0.75 < float(rows[1]["psnr_high"]) < 1.5
    document = page.read_text()
    assert "rank&lt;64&gt;" in document
    assert "sweep" not in rows[0]
    assert document.count("22.2500 (+0.7500 [") == 1


def test_sweep_without_finished_jobs_has_a_report(tmp_path: Path) -> None:
    page = write_sweep_report(make_trials(tmp_path)[2:], "Sweep", tmp_path)
    assert "1 failed of 1 jobs" in page.read_text()


@needs_browser
def test_page_opens_without_browser_errors(tmp_path: Path) -> None:
    page = write_sweep_report(make_trials(tmp_path), "Sweep", tmp_path)
    dom, complaints = opened(page.read_text(), tmp_path)
    assert not complaints
    assert dom.count("<figure class=") == 1
    assert "✗ failed" in dom


def test_pictures_without_degraded_version_are_shown(tmp_path: Path) -> None:
    trials = make_trials(tmp_path)
    kept = [{name: {kind: files[kind] for kind in ("sr", "hq")} for name, files in t.pictures.items()} for t in trials]
    trials = [replace(trial, pictures=pictures) for trial, pictures in zip(trials, kept, strict=True)]
    document = write_sweep_report(trials, "Sweep", tmp_path).read_text()
    assert re.findall(r"<option selected>([^<]+)<", document) == ["guided", "no_gan"]


def test_picture_titles_are_unique(tmp_path: Path) -> None:
    trials = [
        replace(trial, settings={"variant": name})
        for trial, name in zip(make_trials(tmp_path), ["hq", "sharp", ""], strict=True)
    ]
    document = write_sweep_report(trials, "Sweep", tmp_path).read_text()
    titles = re.findall(r"<option[^>]*>([^<]+)<", document)
    assert titles[: len(titles) // 2] == ["degraded", "hq", "variant=sharp", "sharp"]


def test_single_or_damaged_pictures_do_not_prevent_the_report(tmp_path: Path) -> None:
    (trial,) = make_trials(tmp_path)[:1]
    lone = {"lone": {"sr": trial.pictures["0.png"]["sr"]}}
    (tmp_path / "bad.png").write_bytes(b"no image")
    damaged = {"bad": {**trial.pictures["0.png"], "hq": tmp_path / "bad.png"}}
    document = write_sweep_report([replace(trial, pictures=lone | damaged)], "Sweep", tmp_path).read_text()
    assert "<figure" not in document
    assert "<p>bad: Expected " in document


def test_bars_are_escaped_in_markdown(tmp_path: Path) -> None:
    trials = [replace(trial, settings={"x": f"a|{trial.name}"}) for trial in make_trials(tmp_path)]
    write_sweep_report(trials, "Sweep", tmp_path)
    assert r"| a\|0 | 1 of 1 |" in (tmp_path / "report.md").read_text()
