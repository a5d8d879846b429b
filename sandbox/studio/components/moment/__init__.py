"""Places of a page that draw the moment that is shown, at once with the picture: lines, charts, events, a panel.

The canvas receives what they draw, with its frames (``components.canvas``); ``clock.js`` tells them when.
"""

from functools import cache
from pathlib import Path

import streamlit as st

KINDS = (
    "standing", "gauges", "legend", "named0", "named1", "parted", "charts", "feed", "panel",
)  # fmt: skip


@cache
def _component():
    here = Path(__file__).parent
    css = (here / "moment.css").read_text("utf-8")
    js = "\n".join(path.read_text("utf-8") for path in (here.parent / "clock.js", here / "moment.js"))
    html = '<div class="moment"></div>'
    return st.components.v2.component("sandbox_moment", html=html, css=css, js=js, isolate_styles=False)


def place(kind: str, key: str) -> None:
    """A place for one part of the moment, one of ``KINDS``."""
    _component()(key=key, data=kind)
