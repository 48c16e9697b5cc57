"""Run a contestant in a separate process, to measure its memory separately."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any


class Process:
    """A process that answers requests.

    Args:
        serve: Function of a connection and the arguments, which sends an answer to each request that it receives.
        arguments: Further arguments of `serve`.
    """

    def __init__(self, serve: Callable[..., None], *arguments: Any) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, request: str, *arguments: Any) -> Any:
        """Send a request and wait for the answer."""
        self._connection.send((request, arguments))
        return self.answer()

    def answer(self) -> Any:
        """Wait for an answer, or for a message that the process sends without a request."""
        return self._connection.recv()

    def stop(self) -> None:
        """Close the connection and wait for the process to end."""
        self._connection.close()
        self._process.join()
