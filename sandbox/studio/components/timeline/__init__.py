"""The timeline below a picture: the tick that is shown, the recorded range, and events."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

MOST = 200  # shown marks, at most


class Mark(NamedTuple):
    """A marked tick."""

    tick: int
    kind: str  # done, failure, person, difference, or another word
    text: str


@cache
def _component():
    here = Path(__file__).parent
    html, css, js = ((here / f"timeline.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    js = f"{(here.parent / 'clock.js').read_text('utf-8')}\n{js}"
    return st.components.v2.component("sandbox_timeline", html=html, css=css, js=js)


def timeline(marks: Iterable[Mark], key: str) -> int | None:
    """Draw the timeline of the moment that is shown; returns the tick chosen since the last rerun, if any."""
    shown = [mark._asdict() for mark in marks][-MOST:]
    sought = _component()(key=key, data=shown, on_seek_change=lambda: None).seek
    return None if sought is None else int(sought)
