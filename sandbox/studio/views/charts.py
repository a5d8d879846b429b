"""The numbers beside the picture: small charts that keep their form for a whole episode."""

from collections.abc import Sequence

import streamlit as st

from sandbox.studio.backend.charts import Point

SHORTEST = 40  # ticks that a chart spans at least
HEIGHT = 130  # pixels
START = "Nothing has happened yet: press Play, or Step for one tick."
CHARTS = {  # title: lines as (name, field), and an explanation
    "Tasks done": ((("done", "done"),), "Parts of the shared task, read from the world's state"),
    "Reward": ((("reward", "reward"),), "Sum over the team and all ticks so far"),
    "Messages": ((("sent", "messages"), ("lost", "lost")), "One for each edge that one took; dashed: lost ones"),
    "Refused": ((("refused", "refused"),), "Legal actions that something was in the way of"),
    "Tokens": ((("tokens", "tokens"),), "Of language models, in and out"),
    "Cost": ((("US dollars", "money"),), "Of language models, by their prices"),
}
ALWAYS = ("Tasks done", "Reward")  # the others only if they have data


def charts(points: Sequence[Point], key: str = "chart") -> None:
    """A chart for each measure with data; ``key`` distinguishes several episodes on one page."""
    if len(points) < 2:
        st.caption(START)
    last = points[-1] if points else None
    names = [name for name, (lines, _) in CHARTS.items() if name in ALWAYS or _any(points, lines)]
    for pair in (names[k : k + 2] for k in range(0, len(names), 2)):
        for column, name in zip(st.columns(2, gap="small"), pair, strict=False):
            with column:
                _chart(name, points, last, f"{key}-{name}")


def _any(points: Sequence[Point], lines: tuple) -> bool:
    return any(getattr(point, field) for point in points[-1:] for _, field in lines)


def _chart(name: str, points: Sequence[Point], last: Point | None, key: str) -> None:
    lines, words = CHARTS[name]
    st.caption(f"**{name}** {_latest(last, lines)}", help=words)
    rows = [
        {"tick": point.tick, "value": value, "line": line}
        for line, field in lines for point in points if (value := getattr(point, field)) is not None
    ]  # fmt: skip
    rows.append({"tick": max(SHORTEST, last.tick if last else 0), "value": None, "line": lines[0][0]})
    top = last.total if name == "Tasks done" and last else 0
    data = {field: [row[field] for row in rows] for field in ("tick", "value", "line")}
    st.vega_lite_chart(data, spec(len(lines) > 1, top), width="stretch", height=HEIGHT, key=key, alt=f"{name} by tick")


def _latest(last: Point | None, lines: tuple) -> str:
    if last is None:
        return ""
    values = [getattr(last, field) for _, field in lines]
    told = ["-" if value is None else _plain(value) for value in values]
    if len(lines) > 1:
        return ", ".join(f"{value} {name}" for value, (name, _) in zip(told, lines, strict=True))
    return f"{told[0]} of {last.total}" if lines[0][1] == "done" and last.total else told[0]


def _plain(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def spec(several: bool, top: int) -> dict:
    """The chart's specification, constant within an episode, so that updates send only data."""
    tick = {"field": "tick", "type": "quantitative", "title": None, "axis": {"tickCount": 4, "format": "d"}}
    value = {"field": "value", "type": "quantitative", "title": None, "axis": {"tickCount": 3, "format": ",.5~f"}}
    if top:
        value |= {"scale": {"domain": [0, top]}}
    shown = {"x": tick, "y": value}
    if several:  # distinguished by dashes, not by colour alone
        shown["strokeDash"] = {"field": "line", "type": "nominal", "legend": None, "sort": None}
    hint = [{"field": "tick", "type": "quantitative"}, {"field": "value", "type": "quantitative"}]
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "clip": False}
    return {"mark": mark, "encoding": shown | {"tooltip": hint}}
