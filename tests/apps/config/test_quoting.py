"""Whatever is quoted comes through Hydra's parser unchanged."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from dgsr.apps.config.quoting import quoted, unquoted


@pytest.mark.parametrize("text", ["plain", "a b", "it's a=b, [x] {y} (1) é", r"back\slash", r"\'", "${not.resolved"])
def test_there_and_back(text: str) -> None:
    assert OverridesParser.create().parse_override(f"key={quoted(text)}").value() == text
    assert unquoted(quoted(text)) == text


def test_what_is_not_quoted_stays() -> None:
    assert unquoted("/some/where, else") == "/some/where, else"
