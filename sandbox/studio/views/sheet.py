"""The few elements of which a panel that belongs to a moment is made, as HTML in which all foreign text is escaped."""

from collections.abc import Iterable, Sequence
from html import escape


def caption(text: str) -> str:
    return f'<p class="caption">{escape(text)}</p>'


def heading(text: str, words: str = "") -> str:
    return f'<h6 title="{escape(words)}">{escape(text)}</h6>'


def code(text: str) -> str:
    return f'<pre tabindex="0">{escape(text)}</pre>'


def pairs(given: Iterable[tuple[str, str]]) -> str:
    """Names and values as a list of definitions."""
    return '<dl class="pairs">' + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in given) + "</dl>"


def box(*parts: str) -> str:
    return f'<div class="box">{"".join(parts)}</div>'


def boxes(*parts: str) -> str:
    """Parts side by side, as many as fit."""
    return f'<div class="boxes">{"".join(parts)}</div>'


def fold(title: str, body: str, opened: bool) -> str:
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>{body}</details>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    told = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>{told}</table>"
