"""`dgsr demo`: what it says before it serves; how it serves is tested with the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.cli import main
from dgsr.apps.commands import demo


def _refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["demo", *arguments])
    assert stop.value.code == 1
    return capsys.readouterr().err


def test_missing_gradio_is_one_line_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert _refusal(capsys) == 'Expected Gradio to be installed, but got none. Run: pip install "dgsr[demo]"\n'


def test_mistakes_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: True)
    monkeypatch.chdir(tmp_path)
    assert "--max-megapixels above 0" in _refusal(capsys, "--max-megapixels", "0")
    assert "--max-megabytes above 0" in _refusal(capsys, "--max-megabytes", "-1")
    assert "--max-megabytes above 0" in _refusal(capsys, "--max-megabytes", "inf")
    for port in ("-1", "0", "65536"):
        assert "--port of 1 to 65535" in _refusal(capsys, f"--port={port}")
    assert "authors' file" in _refusal(capsys, "--model", "nothing")
