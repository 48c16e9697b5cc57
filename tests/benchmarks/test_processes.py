"""Test requests to a process."""

from __future__ import annotations

from multiprocessing.connection import Connection

from benchmarks.processes import Process


def echo(connection: Connection, word: str) -> None:
    connection.send("ready")
    while True:
        try:
            request, arguments = connection.recv()
        except EOFError:
            return
        connection.send((word, request, *arguments))


def test_process_answers_requests() -> None:
    process = Process(echo, "heard")
    assert process.answer() == "ready"
    assert process.ask("add", 1, 2) == ("heard", "add", 1, 2)
    process.stop()
