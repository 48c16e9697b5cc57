"""Check user input and raise one-sentence errors: what was expected, the value given, and how to fix it."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any, NoReturn

#: Error numbers that mean a full disk or quota.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Error numbers that mean a missing permission.
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

#: Error numbers that mean a path that cannot be used: it exists already, has the wrong type, or is too long.
UNFIT = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG)


class UserError(ValueError):
    """A mistake that the user can fix; programs print it as one line, without a traceback."""


def refuse(expected: str, got: object, remedy: str) -> NoReturn:
    """Raise a `UserError` in the form that all errors of this project share.

    >>> refuse("a rank above 0", -1, "Set generator.adapters.main.unet.rank to 4 or more.")
    Traceback (most recent call last):
        ...
    dgsr.checks.UserError: Expected a rank above 0, but got -1. Set generator.adapters.main.unet.rank to 4 or more.
    """
    raise UserError(f"Expected {expected}, but got {got}. {remedy}".strip())


def expect(condition: bool, expected: str, got: object, remedy: str = "") -> None:
    """Raise a `UserError` unless the condition holds.

    Raises:
        UserError: The condition does not hold.
    """
    if not condition:
        refuse(expected, got, remedy)


def read_record(file: Path, remedy: str) -> dict[str, Any]:
    """Read a JSON object that an earlier run wrote.

    Raises:
        UserError: The file is damaged.
    """
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse("a file in JSON", f"{file} ({error})", remedy)
    expect(isinstance(record, dict), "a file in JSON that holds an object", file, remedy)
    return record
