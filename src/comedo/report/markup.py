"""Small pieces of HTML. Everything that comes from outside passes `escape` here, in one place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files

Cells = Sequence[str | float | int | None]
UNKNOWN = "–"


def page(title: str, body: Iterable[str], *, meta: Mapping[str, str], script: str = "") -> Iterator[str]:
    """A whole page in pieces. It may load nothing: its policy allows its own style, script and pictures only."""
    style = _style()
    sources = f"style-src {_fingerprint(style)};" + (f" script-src {_fingerprint(script)};" if script else "")
    policy = f"default-src 'none'; img-src data:; {sources} base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    for name, content in meta.items():
        yield f'<meta name="{escape(name)}" content="{escape(content)}">\n'
    yield f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    yield from body
    yield (f"<script>{script}</script>\n" if script else "") + "</body>\n</html>\n"


def _fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@lru_cache(maxsize=1)
def _style() -> str:
    return files("comedo.report").joinpath("templates", "page.css").read_text("utf-8")


def table(caption: str, head: Sequence[str], rows: Iterable[Cells], *, numbers: Iterable[int] = ()) -> str:
    """A table whose first column names its rows; the columns in `numbers` are set to the right."""
    right = set(numbers)
    heads = "".join(f'<th scope="col"{_side(i, right)}>{escape(h)}</th>' for i, h in enumerate(head))
    body = "".join(f"<tr>{_row(row, right)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _row(row: Cells, right: set[int]) -> str:
    first, *rest = row
    cells = "".join(f"<td{_side(i, right)}>{escape(number(cell))}</td>" for i, cell in enumerate(rest, 1))
    return f'<th scope="row">{escape(number(first))}</th>{cells}'


def _side(column: int, right: set[int]) -> str:
    return ' class="n"' if column in right else ""


def number(value: str | float | int | None, digits: int = 2) -> str:
    """A value as a person reads it; unknown is a dash."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def interval(pair: tuple[float, float] | None) -> str:
    """An interval as words."""
    return UNKNOWN if pair is None else f"{number(pair[0])} to {number(pair[1])}"


def picture(jpeg: bytes, alt: str, caption: str) -> str:
    """A JPEG inside the page."""
    data = base64.b64encode(jpeg).decode()
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" alt="{escape(alt)}">'
        f'<figcaption class="soft">{escape(caption)}</figcaption></figure>\n'
    )


def items(texts: Iterable[str]) -> str:
    """A list of plain texts; nothing where there is none."""
    lines = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{lines}</ul>\n" if lines else ""
