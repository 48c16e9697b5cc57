"""Overrides: mistakes on the command line, against small configs and against the project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps import conf_dir, preflight
from dgsr.apps.config.command_line import CommandLine

FILES = {
    "main.yaml": "defaults: [_self_, data: photos, optional debug: null, experiment: quick]\nseed: 0\nrun: {steps: 3}",
    "data/photos.yaml": "root: here\ncrop_px: 64\n",
    "data/_part.yaml": "root: nowhere\n",
    "data/faces.yaml": "root: there\ncrop_px: 64\nalign: true\n",
    "experiment/quick.yaml": "# @package _global_\nrun: {steps: 5}\n",
    "experiment/paper.yaml": "# @package _global_\nrun: {steps: 9}\nlong: true\n",
    "debug/fdr.yaml": "# @package _global_\nseed: 1\n",
    "extra/more.yaml": "x: 1\n",
}


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "command_line",
    [
        "",
        "seed=3 data.crop_px=128",
        "experiment=paper long=false debug=fdr",
        "data=faces data.align=false",
        "~experiment",
        "+extra=more extra.x=2",
        "+new=1 ++data.other=2 ~data.root",
        "-m experiment=quick,paper seed=1,2,3 data.crop_px=range(32,64,8)",
        "-m experiment=glob(*) seed=interval(0,9)",
        "data.root= seed=null data.root='a,b'",
        "hydra.run.dir=/somewhere hydra/launcher=basic hydra.nonsense=1",
        "--help",
        "--cfg job --resolve wrong=1",
        "--config-name other wrong=1",
    ],
)
def test_valid_overrides_pass(config_dir: Path, command_line: str) -> None:
    preflight(CommandLine.parse(command_line.split()), "main", config_dir)


@pytest.mark.parametrize(
    ("command_line", "complaints"),
    [
        ("sed=1", ["Expected a known key, but got sed. Did you mean seed?"]),
        ("experiment=qick", ["Expected experiment to be one of paper, quick, but got qick. Did you mean quick?"]),
        ("exprimnt=quick", ["Expected a known key, but got exprimnt. Did you mean experiment?"]),
        ("run.stps=1", ["Expected a known key, but got run.stps. Did you mean run.steps?"]),
        ("seed", ["Expected key=value, but got seed."]),
        ("debug=null", ["Expected debug to be one of fdr, but got null. Say ~debug to leave it out."]),
        ("data=[photos,fces]", ["Expected data to be one of faces, photos, but got fces. Did you mean faces?"]),
        (
            "~blue",
            ["Expected a known key, but got blue. Known there: data, debug, experiment, extra, hydra, run, seed."],
        ),
        ("-m experiment=quick,papr", ["one of paper, quick, but got papr. Did you mean paper?"]),
        ("-m experiment=quick,paper long=1", ["Expected a known key, but got long."]),
        ("data.align=true", ["Expected a known key, but got data.align."]),
        ("+seed=1", ["Could not append"]),
        (
            "hydra.searchpath=[file://mine]",
            ["Expected no hydra.searchpath, but got hydra.searchpath=[file://mine]. Say --config-dir"],
        ),
        ("extra=more", ["use +extra=more"]),
        (
            "experiment=qick sed=1 crop_px=3 dta.root=x seed",
            ["Expected key=value", "but got qick", "mean seed?", "mean data.crop_px?", "mean data.root?"],
        ),
    ],
)
def test_each_mistake_is_one_line(
    config_dir: Path, capsys: pytest.CaptureFixture[str], command_line: str, complaints: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        preflight(CommandLine.parse(command_line.split()), "main", config_dir)
    lines = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2
    assert len(lines) == len(complaints)
    assert all(any(complaint in line for line in lines) for complaint in complaints)


def test_configs_in_config_dir_are_choices(config_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = config_dir / "own"
    (own / "experiment").mkdir(parents=True)
    (own / "experiment" / "mine.yaml").write_text("# @package _global_\nrun: {steps: 2}\n")
    preflight(CommandLine.parse(["-m", "experiment=mine,quick", f"--config-dir={own}"]), "main", config_dir)
    with pytest.raises(SystemExit):
        preflight(CommandLine.parse([f"--config-dir={own}", "experiment=mein"]), "main", config_dir)
    assert "one of mine, paper, quick, but got mein. Did you mean mine?" in capsys.readouterr().err


def test_a_wrong_config_file_is_reported_in_one_line(config_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config_dir / "experiment" / "quick.yaml").write_text("# @package _global_\ndefaults: [override /data: phtos]\n")
    with pytest.raises(SystemExit):
        preflight(CommandLine(), "main", config_dir)
    assert "phtos" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_the_projects_own_configs_compose(name: str) -> None:
    preflight(CommandLine(), name, conf_dir())
