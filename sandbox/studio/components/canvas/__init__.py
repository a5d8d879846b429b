"""The live picture: a components-v2 canvas that plays strips of frames, zooms, and reports clicks.

``canvas.js`` plays, ``lens.js`` zooms, pans and follows, ``marks.js`` draws over the frames, ``cards.js`` tells of the
agents; the payload: ``backend.frames``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from sandbox.studio.backend.camera import REACH, Box, Click, framed
from sandbox.studio.backend.frames import WHOLE, Frames, View

BLANK = b"\0"  # shows nothing
SCRIPTS = ("../clock.js", "marks.js", "lens.js", "cards.js", "canvas.js")


@dataclass(frozen=True)
class Gesture:
    """The user's input at the canvas."""

    box: Box | None = None  # available size of the picture, if known
    view: View = WHOLE  # the visible part of the world
    follow: bool = False  # whether it moves with an agent
    click: Click | None = None  # since the last rerun
    pick: int | None = None  # the agent that was chosen by a key, since the last rerun
    browser: str = ""  # a secret of the browser, the same for all its tabs


@cache
def _component():
    here = Path(__file__).parent
    html, css = ((here / f"canvas.{kind}").read_text("utf-8") for kind in ("html", "css"))
    script = "\n".join((here / name).read_text("utf-8") for name in SCRIPTS)
    return st.components.v2.component("sandbox_canvas", html=html, css=css, js=script)


def canvas(
    strip: Frames | bool | None, key: str, told: Sequence[Mapping[str, Any]] = (),
    on_held: Callable[[int, int], None] = print, **head: Any,
) -> Gesture:  # fmt: skip
    """Mount the canvas, in every rerun, and send it a strip of frames; returns the user's input.

    Without a strip, the canvas goes on showing its last picture; with True, it shows nothing. ``told`` is what the
    places of the page draw beside each stretch of the frames (``components.moment``). ``head``: ``place``, 0 for the
    picture that moves the clock; ``playing``; ``still``, whether the frames replace all that wait; ``hold``, a number
    that asks to hold, if not 0: ``on_held`` then gets it, and the tick that is shown; ``course``; ``address``, fields
    of the page's address, empty ones to be left out; ``picked``, the selected
    agent; ``asking``, those who wait for a person.
    """

    def held() -> None:
        if found := st.session_state[key].held:
            on_held(int(found["hold"]), int(found["tick"]))

    found = _component()(
        key=key,
        data=strip.payload(told, **head) if isinstance(strip, Frames) else BLANK if strip else b"",
        default={"box": None, "view": None, "held": None},
        on_held_change=held,
        on_box_change=lambda: None,
        on_view_change=lambda: None,
        on_click_change=lambda: None,
        on_pick_change=lambda: None,
    )
    browser = str(found.box["browser"])[:80] if found.box else ""
    pick = None if found.pick is None else int(found.pick)
    return Gesture(_box(found.box), *_view(found.view), _click(found.click), pick, browser)


def _box(found: Any) -> Box | None:
    return (int(found["width"]), int(found["height"])) if found else None


def _view(found: Any) -> tuple[View, bool]:
    return (framed(tuple(map(float, found["part"]))), bool(found["follow"])) if found else (WHOLE, False)


def _click(found: Any) -> Click | None:
    if not found:
        return None
    row, col, reach = (min(1.0, max(0.0, float(found.get(name, REACH)))) for name in ("row", "col", "reach"))
    return Click(row, col, int(found["tick"]), int(found["frame"]), reach)
