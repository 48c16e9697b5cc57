"""Check that quoted text passes through Hydra's parser unchanged."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from dgsr.apps.config.quoting import quoted, unquoted


@pytest.mark.parametrize("text", ["plain", "a b", "it's a=b, [x] {y} (1) é", r"back\slash", r"\'", "${not.resolved"])
def test_quoted_text_survives_the_parser(text: str) -> None:
    assert OverridesParser.create().parse_override(f"key={quoted(text)}").value() == text
    assert unquoted(quoted(text)) == text


def test_text_without_quotes_is_unchanged() -> None:
    assert unquoted("/some/where, else") == "/some/where, else"
