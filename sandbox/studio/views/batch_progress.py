"""A running batch: its progress, and success in each condition so far."""

import time
from collections import deque

import streamlit as st

from sandbox.record.table import Glance
from sandbox.running.jobs import Status
from sandbox.studio.backend import batch_results
from sandbox.studio.views.shared import plain

LOOKS = 30  # updates over which the rate is computed
PAUSE = 10.0  # seconds without an update after which it starts anew
SHOWN = 24  # conditions in the chart
ROW = 26  # pixels for each of them
COLOUR = "#3f9fd6"  # legible on light and dark


class Pace:
    """The rate of a batch, from its latest updates."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque(maxlen=LOOKS)

    def look(self, done: int) -> float | None:
        """Trials a second; None while unknown."""
        moment = time.monotonic()
        if self._looks and (done < self._looks[-1][1] or moment - self._looks[-1][0] > PAUSE):
            self._looks.clear()
        self._looks.append((moment, done))
        (first, before), (now, after) = self._looks[0], self._looks[-1]
        return (after - before) / (now - first) if after > before else None


def filling(status: Status, pace: Pace) -> None:
    """The bar, the numbers and a chart of success by condition."""
    known = status.known
    if known is None:
        st.status(plain(status.words) or "Starting", state="running")
        return
    if status.words:
        st.caption(plain(status.words))
    rate = pace.look(known.done)
    st.progress(min(known.done / max(known.planned, 1), 1.0), text=_words(known.done, known.planned, rate))
    counts(known)
    success_chart(known)


def counts(known: Glance) -> None:
    """Numbers of trials and successes; no rate, because conditions are not pooled."""
    successes = sum(found[1] for found in known.counts.values())
    errors = sum(found[2] for found in known.counts.values())
    with st.container(horizontal=True, wrap=False, key="counts"):
        st.metric("Trials", f"{known.done:,}", help="That are done", border=True)
        st.metric("Succeed", f"{successes:,}", help="Rates stand below, by condition", border=True)
        st.metric("Errors", f"{errors:,}", help="Infrastructure errors; they do not count", border=True)


def success_chart(known: Glance) -> None:
    """Success in each condition with its exact interval; drawn again at every update."""
    shown = batch_results.so_far(known, SHOWN)
    shown["condition"] = shown["condition"].str.slice(0, 60)
    order = list(dict.fromkeys(shown["condition"]))
    y = {
        "field": "condition",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "title": None,
        "axis": {"labelLimit": 180},
    }
    x = {"type": "quantitative", "title": "success, %", "scale": {"domain": [0, 100]}}
    bar = {
        "mark": {"type": "rule", "strokeWidth": 2, "color": COLOUR},
        "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
    }
    tip = [{"field": name, "type": "quantitative", "format": form} for name, form in
           (("trials", ","), ("success", ".2f"), ("low", ".2f"), ("high", ".2f"))]  # fmt: skip
    point = {
        "mark": {"type": "point", "filled": True, "size": 70, "color": COLOUR},
        "encoding": {"x": {**x, "field": "success"}, "tooltip": tip},
    }
    spec = {"layer": [bar, point], "encoding": {"y": y}}
    st.vega_lite_chart(shown, spec, width="stretch", height=60 + ROW * len(order), key="success",
                       alt="Success in each condition, with exact intervals")  # fmt: skip
    if len(known.counts) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(known.counts)} conditions; the table has all.")


def _words(done: int, planned: int, rate: float | None) -> str:
    told = f"{done:,} of {planned:,} trials"
    if rate and done < planned:
        told += f", {rate:,.0f} a second, {_time((planned - done) / rate)} left"
    return told


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
