"""Quote text for Hydra's command line, where commas, brackets and equals signs have a meaning."""

from __future__ import annotations

import re

from hydra.core.override_parser.overrides_parser import OverridesParser


def quoted(text: str) -> str:
    r"""Quote for Hydra.

    >>> quoted("it's [a=b]")
    "'it\\'s [a=b]'"
    """
    escaped = re.sub(r"(\\*)'", r"\1\1\'", text)
    return f"'{escaped}'"


def unquoted(text: str) -> str:
    """Undo `quoted`; text without quotes stays as it is."""
    if not (text.startswith("'") and text.endswith("'")):
        return text
    return str(OverridesParser.create().parse_override(f"key={text}").value())
