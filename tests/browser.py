"""Open pages in headless Chromium, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium")


def opened(document: str, folder: Path, script: str = "") -> tuple[str, list[str]]:
    """Return a page as its scripts and then the test's have left it, and what the console complained of."""
    assert _CHROMIUM is not None
    file = folder / "page.html"
    file.write_text(document.replace("</html>", f"<script>{script}</script></html>"), encoding="utf-8")
    options = [
        "--headless",
        "--dump-dom",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={folder}/user",
    ]
    done = subprocess.run([_CHROMIUM, *options, file.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)
