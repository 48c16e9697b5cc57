"""The command line `dgsr <command>`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import dgsr
from dgsr.apps.commands import convert, degrade, demo, doctor, evaluate, report, rerun, upscale
from dgsr.apps.entry import Advice, run_cleanly

#: Modules with `add_parser(commands) -> parser`, `run(arguments)` and perhaps `ADVICE`, as help lists them.
COMMANDS = (upscale, demo, evaluate, degrade, convert, rerun, report, doctor)
_EPILOG = "First try: dgsr upscale photo.jpg. Training: python train.py (--help); measuring a model: python evaluate.py"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name; a user's mistake is one line and exit code 1."""
    arguments = _parser().parse_args(argv)
    run_cleanly(lambda: arguments.run(arguments), arguments.advice)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dgsr", description=dgsr.__doc__, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=dgsr.__version__)
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)
    for command in COMMANDS:
        advice = getattr(command, "ADVICE", Advice())
        command.add_parser(commands).set_defaults(run=command.run, advice=advice)
    return parser
