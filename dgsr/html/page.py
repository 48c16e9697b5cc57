"""Build a page from sections, notes and tables; all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files

from markupsafe import Markup

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
<h1>{title}</h1>
{body}
<script>
{script}</script>
</html>
"""


def page(title: str, parts: Iterable[Markup]) -> str:
    """Return a complete HTML document, whose content security policy forbids loading external resources."""
    style, script = (Markup(files("dgsr.html").joinpath(name).read_text("utf-8")) for name in ("page.css", "page.js"))
    return str(Markup(_PAGE).format(title=title, style=style, script=script, body=_joined(parts)))


def section(heading: str, parts: Iterable[Markup]) -> Markup:
    """Return parts under a heading."""
    return Markup("<section>\n<h2>{}</h2>\n{}\n</section>").format(heading, _joined(parts))


def note(text: str | Markup) -> Markup:
    """Return a paragraph."""
    return Markup("<p>{}</p>").format(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """Return a table whose first column names the rows; clicking a heading sorts by that column.

    Cells may be text, `Markup` or numbers; floats are shown with four decimals.
    """
    head = Markup("").join(Markup("<th>{}</th>").format(heading) for heading in headings)
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_shown(cell)) for cell in row))
        for row in rows
    )
    return Markup("<div class=wide><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}\n</tbody></table></div>").format(
        head, body
    )


def _shown(cell: object) -> object:
    return f"{cell:.4f}" if isinstance(cell, float) else cell


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)
