"""Test that pages are complete, escaped and self-contained."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markupsafe import Markup

from dgsr.html import note, page, section, table

VOID = {"meta", "img", "input"}


class Nesting(HTMLParser):
    """Collect texts and check that elements are nested correctly."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []


def parsed(text: str) -> Nesting:
    parser = Nesting()
    parser.feed(text)
    assert not parser.open
    return parser


def test_markup_in_names_is_escaped() -> None:
    name = "<script>alert(1)</script> & co.png"
    document = page(name, [section(name, [note(name), table([name], [[name]])])])
    assert parsed(document).texts.count(name) == 6  # including the page's title
    assert "<script>alert" not in document


def test_page_loads_no_external_resources() -> None:
    document = page("title", [note("text")])
    assert "default-src 'none'" in document
    assert not re.search(r"https?://|\bsrc=(?!\"data:)|\bhref=|@import|url\(", document)


def test_cells_may_be_numbers_text_or_markup() -> None:
    text = parsed(table(["name", "psnr", "n"], [["a.png", 27.123456, 3], ["b", Markup("<b>none</b>"), 4]])).texts
    assert text == ["name", "psnr", "n", "a.png", "27.1235", "3", "b", "none", "4"]
