"""The command line `dgsr <command>`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import dgsr
from dgsr.apps.commands import convert, degrade, demo, doctor, evaluate, report, rerun, upscale
from dgsr.apps.runs.entry import Advice, run_cleanly
from dgsr.apps.runs.programs import program_for, run_program

#: Modules with `add_parser(commands) -> parser`, `run(arguments)` and perhaps `ADVICE`, as help lists them.
COMMANDS = (upscale, demo, evaluate, degrade, convert, rerun, report, doctor)
_EPILOG = "First try: dgsr upscale photo.jpg. Measuring a model: dgsr evaluate ckpt_path=last data.eval.hq=photos"
_TRAIN = "train a model, or several with -m; same as train.py"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name; a user's mistake is one line and exit code 1."""
    words = sys.argv[1:] if argv is None else argv
    program = program_for(words)
    if program is not None:
        run_program(program, words[1:])
        return
    arguments = _parser().parse_args(words)
    run_cleanly(lambda: arguments.run(arguments), arguments.advice)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dgsr", description=dgsr.__doc__, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=dgsr.__version__)
    commands = parser.add_subparsers(title="commands", metavar="<command>", required=True)
    commands.add_parser("train", help=_TRAIN)  # Hydra reads its arguments
    for command in COMMANDS:
        advice = getattr(command, "ADVICE", Advice())
        command.add_parser(commands).set_defaults(run=command.run, advice=advice)
    return parser
