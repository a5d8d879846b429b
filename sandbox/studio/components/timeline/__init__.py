"""The timeline below a picture: the current tick, the recorded range, and events."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

SHORTEST = 40  # ticks that the line spans at least
MOST = 200  # shown marks, at most


class Mark(NamedTuple):
    """A marked tick."""

    tick: int
    kind: str  # done, failure, person, difference, or another word
    text: str


@cache
def _component():
    html, css, js = (
        (Path(__file__).with_name(f"timeline.{kind}")).read_text("utf-8") for kind in ("html", "css", "js")
    )
    return st.components.v2.component("sandbox_timeline", html=html, css=css, js=js)


def timeline(tick: int, head: int, marks: Iterable[Mark], live: bool, key: str) -> int | None:
    """Draw the timeline; returns the tick that the user has chosen since the last rerun, if any."""
    shown = [mark._asdict() for mark in marks][-MOST:]
    data = {"tick": tick, "head": head, "span": max(SHORTEST, head), "live": live, "marks": shown}
    sought = _component()(key=key, data=data, on_seek_change=lambda: None).seek
    return None if sought is None else int(sought)
