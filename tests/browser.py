"""Open pages in headless Chromium, if it is installed."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

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


class Tab:
    """A page that is driven over Chromium's debugging pipe, and what came of it.

    Attributes:
        complaints: What the console said of errors.
        addresses: Whatever the page asked the network for.
    """

    def __init__(self, folder: Path, width: int = 1280, height: int = 900) -> None:
        assert _CHROMIUM is not None
        theirs, self._to = os.pipe()
        self._from, answers = os.pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}/user",
        ]
        # Chromium reads descriptor 3 and writes to 4, whatever numbers ours have.
        script = f'exec "$0" "$@" 3<&{theirs} 4>&{answers}'
        command = ["bash", "-c", script, _CHROMIUM, *options, f"--window-size={width},{height}"]
        self._browser = subprocess.Popen(command, pass_fds=(theirs, answers), stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(answers)
        self._left, self._count, self._session = b"", 0, {}
        self.complaints: list[str] = []
        self.addresses: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something, by the DevTools protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters} | self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=url)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 30) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.ask(f"!!({expression})"):
            assert time.monotonic() < end, (
                f"{expression} never came true; {self.complaints}\n{self.ask('document.body.innerText')}"
            )
            time.sleep(0.1)

    def click(self, selector: str) -> None:
        """Click on an element as soon as it is there."""
        self.ask(f"{self._element(selector)}.click()")

    def type(self, selector: str, text: str) -> None:
        """Enter text into a field."""
        told = "field.dispatchEvent(new Event('input')); field.dispatchEvent(new Event('blur'))"
        self.ask(f"{{const field = {self._element(selector)}; field.value = {json.dumps(text)}; {told}}}")

    def choose_file(self, selector: str, file: Path) -> None:
        """Put a file into a form, as if the user had."""
        element = self.call("Runtime.evaluate", expression=self._element(selector))["result"]
        self.call("DOM.setFileInputFiles", files=[str(file)], objectId=element["objectId"])

    def screenshot(self, file: Path) -> None:
        """Write what the page looks like."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._session = {}
        self.call("Browser.close")
        self._browser.wait(timeout=30)
        os.close(self._to)
        os.close(self._from)

    def _element(self, selector: str) -> str:
        """Return the expression for an element that is there."""
        expression = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(expression)
        return expression

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            read = os.read(self._from, 1 << 20)
            assert read, "the browser has ended"
            self._left += read
        line, _, self._left = self._left.partition(b"\0")
        message = json.loads(line)
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.addresses.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url')}")
            case "Runtime.consoleAPICalled" if told["type"] == "error":
                self.complaints.append(str(told["args"]))
        return message
