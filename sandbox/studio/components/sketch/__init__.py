"""A curve that a person draws as a prediction, with mouse, finger or keys; then the measured one is laid over it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

LARGEST = 1e300  # beyond, a whole number may have no float
Drawing = tuple[float | None, ...]  # a height for each place; None where nothing is drawn


@dataclass(frozen=True)
class Paper:
    """What is drawn on: the places of the horizontal axis, evenly spaced, and the range of the vertical one."""

    across: str  # title of the horizontal axis
    places: Sequence[str]
    up: str  # title of the vertical axis
    low: float
    high: float

    def read(self, found: Any) -> Drawing:
        """A drawing as a browser sends it, which may send anything: heights are cut to the range."""
        heights = found if isinstance(found, list | tuple) and len(found) == len(self.places) else ()
        return tuple(self._height(each) for each in heights) or (None,) * len(self.places)

    def _height(self, found: Any) -> float | None:
        if isinstance(found, bool) or not isinstance(found, int | float) or abs(found) > LARGEST or found != found:
            return None
        return min(self.high, max(self.low, float(found)))


@dataclass(frozen=True)
class Curve:
    """The measured heights with their intervals."""

    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@cache
def _component():
    here = Path(__file__).parent
    html, css = ((here / f"sketch.{kind}").read_text("utf-8") for kind in ("html", "css"))
    script = "\n".join(path.read_text("utf-8") for path in (here.parent / "clock.js", here / "sketch.js"))
    return st.components.v2.component("sandbox_sketch", html=html, css=css, js=script)


def sketch(
    paper: Paper, key: str, drawn: Drawing, open_: bool, answer: Curve | None = None,
    others: Sequence[Sequence[float]] = (),
) -> Drawing:  # fmt: skip
    """Draw the paper; returns what is drawn on it. ``drawn`` is what it begins with, and what a closed one shows.

    ``others``: the curves of a class, with their median.
    """
    data = {
        "paper": asdict(paper),
        "drawn": drawn,
        "open": open_,
        "answer": answer and asdict(answer),
        "others": others,
    }
    found = _component()(key=key, data=data, default={"drawn": None}, on_drawn_change=lambda: None).drawn
    return drawn if found is None or not open_ else paper.read(found)
