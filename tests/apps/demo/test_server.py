"""The demo as its user sees it: served to this machine alone, used in a browser, and gone without a trace."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch

from dgsr.checkpoints import load_pretrained, save_pretrained
from dgsr.data import bundled
from dgsr.images import decode_image, read_image, write_image
from dgsr.inference import Upscaler
from dgsr.models import DegradationEstimator, OneStepGenerator
from dgsr.ops.resizing import resize, upsample
from tests.browser import Tab, needs_browser

pytestmark = pytest.mark.skipif(find_spec("gradio") is None, reason="needs Gradio, the extra [demo]")

_FILE = "#file input[type=file]"
_TOAST = "document.querySelector('.toast-body')"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_pretrained(OneStepGenerator.tiny(), tmp_path / "model", estimator=DegradationEstimator.random(0), scale=2)
    return tmp_path / "model"


@pytest.fixture
def demo(model: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "temporary").mkdir()
    arguments = ["--model", str(model), "--port", str(port), "--device", "cpu", "--max-megabytes", "1"]
    server = subprocess.Popen(
        [sys.executable, "-c", "from dgsr.apps.cli import main; main()", "demo", *arguments],
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        line = server.stderr.readline()
        assert line == f"The demo is at http://127.0.0.1:{port}/ until Ctrl-C.\n", line + server.stderr.read()
        yield server, f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    tab = Tab(tmp_path / "browser")
    yield tab
    tab.close()


@needs_browser
def test_a_photograph_is_uploaded_upscaled_compared_and_downloaded(
    demo: tuple[subprocess.Popen[str], str], model: Path, tab: Tab, tmp_path: Path
) -> None:
    server, url = demo
    (tmp_path / "bomb.png").write_bytes(_png_of(60_000))
    (tmp_path / "large.png").write_bytes(bytes(1_100_000))
    write_image(tmp_path / "photo.png", resize(bundled("val")[0][None], (40, 48), "area")[0])

    tab.open(url)
    tab.choose_file(_FILE, tmp_path / "bomb.png")
    tab.wait_for(f"{_TOAST} && {_TOAST}.innerText.includes('an image of a safe size, but got bomb.png')")
    tab.click("button.toast-close")
    tab.choose_file(_FILE, tmp_path / "large.png")
    tab.wait_for(f"{_TOAST} && {_TOAST}.innerText.includes('exceed the maximum allowed size')")
    tab.click("button.toast-close")

    tab.choose_file(_FILE, tmp_path / "photo.png")
    tab.wait_for("!document.querySelector('#run').disabled")
    tab.click("#run")
    tab.wait_for("[...document.querySelectorAll('#slider img')].filter(image => image.naturalWidth == 96).length == 2")
    caption = tab.ask("document.querySelector('#caption').innerText")
    assert caption.startswith("96x80 px; blur 0.50, noise 0.50 as estimated; ")
    addresses = tab.ask("[...document.querySelectorAll('#slider img')].map(image => image.src)")
    bicubic, sr = (decode_image(urllib.request.urlopen(address).read(), address) for address in addresses)
    photo = read_image(tmp_path / "photo.png")
    expected = Upscaler(load_pretrained(model), DegradationEstimator.random(0), scale=2)(photo)
    torch.testing.assert_close(sr, expected, atol=0.6 / 255, rtol=0)
    torch.testing.assert_close(bicubic, upsample(photo[None], 2)[0], atol=0.6 / 255, rtol=0)

    tab.type("#blur input[type=number]", "0.9")
    tab.click("#run")
    tab.wait_for("document.querySelector('#caption').innerText.includes('blur 0.90, noise 0.50 by hand')")

    # Gradio asks how far an upload is even when it is done already.
    assert [line for line in tab.complaints if "upload_progress" not in line] == []
    assert {urlsplit(address).netloc for address in tab.addresses} <= {urlsplit(url).netloc, ""}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", urlsplit(url).port or 0))
    server.terminate()
    assert server.communicate(timeout=30) == (None, "")
    assert server.returncode == 0
    assert list((tmp_path / "temporary").iterdir()) == []


def _png_of(side: int) -> bytes:
    """Return the head of a square PNG, all that is needed to know its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
