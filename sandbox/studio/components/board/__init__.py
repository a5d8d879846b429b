"""A picture of a world at tick 0 on which a person drags, paints and picks; ``board.js`` states what is exchanged."""

import base64
import io
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from sandbox.core.setup import Cell

Tool = Literal["move", "paint", "erase"]
SCRIPTS = ("../clock.js", "../canvas/lens.js", "board.js")  # the lens keeps where it looks at the clock
MOST = 40_000  # cells of one stroke


class Edit(NamedTuple):
    """What a person did."""

    kind: str  # drag, paint, erase, pick, undo, redo
    cells: tuple[Cell, ...]  # of a drag: from where to where


@cache
def _component():
    here = Path(__file__).parent
    canvas = here.parent / "canvas"
    html = (here / "board.html").read_text("utf-8")
    css = "\n".join(path.read_text("utf-8") for path in (canvas / "canvas.css", here / "board.css"))
    js = "\n".join((here / name).read_text("utf-8") for name in SCRIPTS)
    return st.components.v2.component("sandbox_board", html=html, css=css, js=js)


def board(
    picture: np.ndarray, cells: Cell | None, tool: Tool, words: Sequence[Sequence[str]], key: str,
    on_edit: Callable[[Edit], None],
) -> None:  # fmt: skip
    """Mount the board. ``cells``: rows and columns; None: nothing can be dragged. ``words`` says what is in each."""
    names: dict[str, int] = {}
    numbers = [[names.setdefault(word, len(names)) for word in row] for row in words]
    rows, cols = cells or (0, 0)

    def told() -> None:
        if found := _edit(st.session_state[key].edit):
            on_edit(found)

    data = {"picture": png(picture), "rows": rows, "cols": cols, "tool": tool, "words": numbers, "names": list(names)}
    _component()(key=key, data=data, on_edit_change=told)


def png(picture: np.ndarray) -> str:
    """A picture as a data URL."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _edit(told: Any) -> Edit | None:
    """What a browser says; None if it is no edit."""
    if not isinstance(told, dict):
        return None
    given = told.get("cells") or [told[name] for name in ("cell", "to") if told.get(name)]
    try:
        return Edit(str(told.get("kind")), tuple((int(row), int(col)) for row, col in given[:MOST]))
    except (TypeError, ValueError, OverflowError):
        return None
