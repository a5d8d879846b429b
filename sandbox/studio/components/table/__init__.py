"""A table to find a row in: sorted by its heads, filtered by words, rows ticked, a click on a row opens it.

On a phone each row is a card. Streamlit's own table is a canvas: there it cuts texts off, and a row is no link.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st


class Cell(NamedTuple):
    """A value of a row: its text, and what it is sorted by (default: the text)."""

    text: str
    key: str | float | None = None


class Row(NamedTuple):
    """A row; the first of its cells is the link that opens it."""

    id: str
    href: str  # its address, for a tab of its own
    cells: Sequence[Cell]
    failed: bool = False
    find: str = ""  # more words by which it is found


class Chosen(NamedTuple):
    """What the user has done."""

    opened: str | None  # id of the row clicked since the last rerun
    ticked: tuple[str, ...]  # ids


@cache
def _component():
    here = Path(__file__).parent
    html, css, js = ((here / f"table.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("sandbox_table", html=html, css=css, js=js)


def table(
    columns: Sequence[str], rows: Sequence[Row], key: str, noun: str, sort: tuple[int, bool] = (0, False),
    ticks: bool = False, find: bool = True, example: str = "",
) -> Chosen:  # fmt: skip
    """Draw a table, sorted at first by a column, ``sort``, downwards if True. ``noun`` is the plural of a row.

    With ``ticks``, rows can be ticked. Without ``find``, there is no filter, of which ``example`` is an example.
    """
    data: dict[str, Any] = {
        "key": key, "columns": columns, "noun": noun, "sort": sort, "ticks": ticks, "find": find, "example": example,
        "rows": [{**row._asdict(), "cells": [(cell.text, _key(cell)) for cell in row.cells]} for row in rows],
    }  # fmt: skip
    found = _component()(
        key=key, data=data, default={"ticked": []}, on_open_change=lambda: None, on_ticked_change=lambda: None
    )
    known = {row.id for row in rows}
    return Chosen(
        str(found.open) if found.open in known else None, tuple(each for each in found.ticked or () if each in known)
    )


def _key(cell: Cell) -> str | float:
    return cell.text.casefold() if cell.key is None else cell.key
