"""A contestant in a process of its own, so that its memory is its own."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any


class Process:
    """Somebody who answers requests, one after the other, until nobody asks any more.

    Args:
        serve: Gets a connection and the arguments, receives requests from it and sends an answer to each.
        arguments: What else it gets.
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
        """Wait for an answer; to no request, where it says by itself that it is ready."""
        return self._connection.recv()

    def stop(self) -> None:
        """Ask no more, and wait for its end."""
        self._connection.close()
        self._process.join()
