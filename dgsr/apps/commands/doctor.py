"""`dgsr doctor`: check a training run before it starts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

#: Module of `dgsr.apps.doctor` -> its purpose. Its `examine(cfg)` returns something that rich can print.
CHECKS = {
    "memory": "estimate how much memory a training step takes, and what would lower it",
    "data": "measure how fast samples are made, by number of workers, and what a device would wait for",
    "fetch": "download every weight that the run needs, for machines without a network",
}


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "doctor",
        help="look at a training run before it starts",
        description="Look at the run that train.py would start with the same key=value arguments.",
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="as for train.py")
    parser.add_argument("--config-dir", metavar="DIR", help="a folder of your own configs, as for train.py")
    which = parser.add_mutually_exclusive_group(required=True)
    for name, purpose in CHECKS.items():
        which.add_argument(f"--{name}", action="store_const", dest="check", const=name, help=purpose)
    return parser


def run(arguments: Namespace) -> None:
    """Compose the config, examine it and print the result."""
    from rich.console import Console

    from dgsr.apps.config.composing import composed

    folder = [] if arguments.config_dir is None else ["--config-dir", arguments.config_dir]
    cfg = composed("train", [*folder, *arguments.overrides])
    Console().print(import_module(f"dgsr.apps.doctor.{arguments.check}").examine(cfg))
