"""The numbers beside the picture: where the episode stands, and how the tasks went."""

import streamlit as st

from sandbox.fronts.studio.show.snapshot import Counters, Snapshot

GRID = 10  # ticks: the chart is drawn anew this often, and at every task done
SHORTEST = 40  # ticks that the chart spans at least
START = "Nothing has happened yet. Layout, team and policy are chosen in the sidebar (»)."


def counters(snapshot: Snapshot) -> None:
    """The task, four metrics and a chart; dashes before there is anything to count."""
    now = snapshot.counters
    with st.container(key="metrics", gap="small"):
        st.caption(f":material/target: {now.task}" if now else ":material/target: ...")
        with st.container(horizontal=True, wrap=False):
            _metric("Tick", f"{now.tick:,}" if now else "-", "Steps of the simulation since the reset")
            _metric("Tasks done", _done(now) if now else "-", "Of the team's shared task; read from the world's state")
        with st.container(horizontal=True, wrap=False):
            _metric("Reward", f"{now.reward:,.1f}" if now else "-", "Sum over the team and all ticks so far")
            _metric("Refused", f"{now.refused:,}" if now else "-", "Legal moves that something was in the way of")
    st.caption("Tasks done by tick" if now and now.tick else START)
    _chart(now)


def _metric(label: str, value: str, words: str) -> None:
    st.metric(label, value, help=words, border=True, width="stretch")


def _done(now: Counters) -> str:
    return f"{now.done} of {now.total}" if now.total else f"{now.done}"


def _chart(now: Counters | None) -> None:
    course = [(0, 0)]
    latest = 0 if now is None else now.tick if now.over else now.tick - now.tick % GRID
    if latest > course[-1][0]:
        course.append((latest, course[-1][1]))
    course.append((max(SHORTEST, course[-1][0]), None))
    data = {"tick": [tick for tick, _ in course], "done": [done for _, done in course]}
    top = max((now.total or now.done) if now else 0, 1)
    st.vega_lite_chart(data, _spec(top), width="stretch", height=180, key="course", alt="Tasks done by tick")


def _spec(top: int) -> dict:
    """The same for the whole episode, so that the page updates the chart's data and does not build it anew."""
    tick = {"field": "tick", "type": "quantitative", "title": None, "axis": {"tickMinStep": 10, "format": "d"}}
    done = {"field": "done", "type": "quantitative", "title": None, "scale": {"domain": [0, top]}}
    done["axis"] = {"values": sorted({0, top // 2, top}), "format": "d"}
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5, "clip": False}
    return {"mark": mark, "encoding": {"x": tick, "y": done}}
