"""Checks of what users hand in: one sentence that says what was expected, what came, and what to do."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any, NoReturn

#: Of errors that say a disk is full, by which programs tell of what is kept.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Of errors that say a place may not be written to, or read.
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

#: Of errors that say a name cannot be that of what is to be written there, or read.
UNFIT = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)


class UserError(ValueError):
    """A mistake that the user can mend; programs print it as one line, without a traceback."""


def refuse(what: str, got: object, remedy: str) -> NoReturn:
    """Raise the one sentence every error of this project has.

    >>> refuse("a rank above 0", -1, "Set generator.unet_rank to 4 or more.")
    Traceback (most recent call last):
        ...
    dgsr.checks.UserError: Expected a rank above 0, but got -1. Set generator.unet_rank to 4 or more.
    """
    raise UserError(f"Expected {what}, but got {got}. {remedy}".strip())


def expect(condition: bool, what: str, got: object, remedy: str = "") -> None:
    """Refuse unless the condition holds.

    Raises:
        UserError: The condition does not hold.
    """
    if not condition:
        refuse(what, got, remedy)


def read_record(file: Path, remedy: str) -> dict[str, Any]:
    """Read a file in which a program has written down what it did.

    Raises:
        UserError: It is damaged.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse("a file in JSON", f"{file} ({error})", remedy)
    expect(isinstance(found, dict), "a file in JSON that holds an object", file, remedy)
    return found
