"""The numbers beside the picture: where the episode stands, and how the deliveries went."""

import streamlit as st

from sandbox.fronts.studio.snapshot import Counters, Snapshot

GRID = 10  # ticks: the chart is drawn anew this often, and at every task done


def counters(snapshot: Snapshot) -> None:
    """Four metrics and a chart; dashes before there is anything to count."""
    now = snapshot.counters
    with st.container(horizontal=True, key="metrics"):
        _metric("Tick", f"{now.tick:,}" if now else "-", "Steps of the simulation since the reset")
        _metric("Tasks done", _done(now) if now else "-", "Read from the world's state, of the team's shared task")
        _metric("Reward", f"{now.reward:,.1f}" if now else "-", "Sum over the team and all ticks so far")
        _metric("Refused moves", f"{now.refused:,}" if now else "-", "Legal moves that others were in the way of")
    _chart(now)


def _metric(label: str, value: str, words: str) -> None:
    st.metric(label, value, help=words, border=True, width=150)


def _done(now: Counters) -> str:
    return f"{now.done} of {now.total}" if now.total else f"{now.done}"


def _chart(now: Counters | None) -> None:
    st.caption("Tasks done by tick")
    course = list(now.course) if now else [(0, 0)]
    if now:
        course.append((now.tick if now.over else now.tick - now.tick % GRID, now.done))
    course = [point for k, point in enumerate(course) if k == 0 or point[0] >= course[k - 1][0]]
    data = {"tick": [tick for tick, _ in course], "done": [done for _, done in course]}
    top = max(now.total if now and now.total else 0, data["done"][-1], 1)
    st.vega_lite_chart(data, _spec(top), width="stretch", height=170, key="course", alt="Tasks done by tick")


def _spec(top: int) -> dict:
    """The same for the whole episode, so that the page updates the chart's data and does not build it anew."""
    return {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5},
        "encoding": {
            "x": {"field": "tick", "type": "quantitative", "title": "tick", "scale": {"nice": True}},
            "y": {
                "field": "done", "type": "quantitative", "title": None, "scale": {"domain": [0, top]},
                "axis": {"tickMinStep": 1, "tickCount": 5, "format": "d"},
            },
        },
    }  # fmt: skip
