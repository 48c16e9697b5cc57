"""The two programs that Hydra reads the arguments of, under the command `dgsr`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dgsr
from dgsr.apps import cli
from dgsr.apps.runs.programs import program, program_for, run_program

ROOT = Path(__file__).parents[3]


def test_arguments_select_the_program() -> None:
    assert program_for(["train"]) == program_for(["train", "--help"]) == ROOT / "train.py"
    for words in (["ckpt_path=last", "--cfg", "job"], ["--cfg", "job", "ckpt_path=last"], ["--config-dir=d", "a=b"]):
        assert program_for(["evaluate", *words]) == ROOT / "evaluate.py"
    for words in (
        [],
        ["upscale", "a=b.png"],
        ["evaluate"],
        ["evaluate", "--help"],
        ["evaluate", "--sr=sr", "--hq", "hq"],
        ["evaluate", "--sr", "a=b", "--hq", "hq"],
        ["evaluate", "--json", "a=b", "--hq=hq"],
    ):
        assert program_for(words) is None


def test_the_programs_are_found_inside_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    for name in ("train.py", "evaluate.py"):
        assert packed["wheel"]["force-include"][name] == f"dgsr/programs/{name}"
        assert f"/{name}" in packed["sdist"]["include"]
    for name in ("tests", "benchmarks", "docs", "Makefile"):  # the tests import or read them
        assert f"/{name}" in packed["sdist"]["include"]
    (tmp_path / "dgsr" / "programs").mkdir(parents=True)
    (tmp_path / "train.py").touch()  # of someone else
    inside = tmp_path / "dgsr" / "programs" / "train.py"
    inside.touch()
    monkeypatch.setattr(dgsr, "__file__", str(tmp_path / "dgsr" / "__init__.py"))
    assert program("train.py") == inside


def test_a_program_runs_as_if_started_by_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_file = tmp_path / "recorded.txt"
    file = tmp_path / "program.py"
    file.write_text(
        "import __main__, pathlib, sys\n"
        f"pathlib.Path({str(record_file)!r}).write_text(repr([__name__, __main__.__spec__, *sys.argv]))"
    )
    monkeypatch.setattr(sys, "argv", ["dgsr", "train"])
    run_program(file, ["seed=1"])
    assert record_file.read_text() == repr(["__main__", None, str(file), "seed=1"])


def test_a_mistake_is_reported_as_by_the_program(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("dgsr")), "train", "data.crp_px=64"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == "Expected a known key, but got data.crp_px. Did you mean data.crop_px?\n"
    assert not list(tmp_path.iterdir())


def test_evaluate_accepts_config_dir_at_any_position(tmp_path: Path) -> None:
    (tmp_path / "mine" / "metrics").mkdir(parents=True)
    (tmp_path / "mine" / "metrics" / "psnr.yaml").write_text("names: [psnr]\n")
    words = ["--cfg", "job", "ckpt_path=last", "--config-dir", "mine", "metrics=psnr"]
    command = [str(Path(sys.executable).with_name("dgsr")), "evaluate", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "ckpt_path: last" in done.stdout, done.stderr
    assert "metrics:\n  names:\n  - psnr\n" in done.stdout


def test_help_of_evaluate_names_both_of_its_forms(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "--sr DIR" in words
    assert "dgsr evaluate key=value" in words
