"""A dreamed world beside the true one, played by keys; ``dream.js`` states what is exchanged."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from sandbox.studio.components.board import png


@cache
def _component():
    here = Path(__file__).parent
    html, css, js = ((here / f"dream.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("sandbox_dream", html=html, css=css, js=js)


def dream(
    pictures: tuple[np.ndarray, np.ndarray], cells: tuple[int, int], keys: Sequence[str], arrows: Mapping[str, int],
    marked: Sequence[tuple[int, int]], standing: str, key: str, on_press: Callable[[str], None],
) -> None:  # fmt: skip
    """Mount it: the dream's picture and the kernel's, of ``cells`` rows and columns, of which ``marked`` differ.

    ``keys`` says what each code means, ``arrows`` which code each action has. ``on_press`` gets
    the number of a code, ``back`` or ``restart``.
    """

    def told() -> None:
        if found := _pressed(st.session_state[key].pressed, len(keys)):
            on_press(found)

    data = {
        "dream": png(pictures[0]), "kernel": png(pictures[1]), "rows": cells[0], "cols": cells[1], "keys": list(keys),
        "arrows": dict(arrows), "marked": [list(cell) for cell in marked], "standing": standing,
    }  # fmt: skip
    _component()(key=key, data=data, on_pressed_change=told)


def _pressed(told: Any, codes: int) -> str:
    """What a browser says; empty if it is no key of ours."""
    pressed = told.get("key") if isinstance(told, dict) else None
    known = {"back", "restart", *(str(code) for code in range(codes))}
    return pressed if isinstance(pressed, str) and pressed in known else ""
