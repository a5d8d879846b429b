"""The numbers beside the picture: small charts that keep their form for a whole episode (``components.moment``)."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from sandbox.studio.backend.charts import Point

HUES = (
    "#2f7fd1", "#d55e00", "#12936a", "#b35bb8", "#a07c00", "#6f7a86", "#d6456f", "#178f9c",
)  # fmt: skip  # of lines and bars: each is legible on a light and on a dark page
START = "Nothing has happened yet: press Play, or Step for one tick."
CHARTS = {  # title: lines as (name, field), and an explanation
    "Team's tasks": ((("done", "done"),), "Tasks of the team, verified in the world's state"),
    "Reward": ((("reward", "reward"),), "Sum over the team and all ticks so far"),
    "Messages": ((("sent", "messages"), ("lost", "lost")), "One for each edge that one took; dashed: lost ones"),
    "In vain": (
        (("failed", "failed"), ("refused", "refused")),
        "Actions that failed (legal, but prevented); dashed: that were refused (illegal when chosen)",
    ),
    "Tokens": ((("tokens", "tokens"),), "Of language models, in and out"),
    "Cost": ((("US dollars", "money"),), "Of language models, by their prices"),
}
ALWAYS = ("Reward",)  # the others only if they have data


def charts(
    points: Sequence[Point], own: Sequence[tuple[str, str, Sequence[str]]] = (), tasks: bool = False
) -> dict[str, Any]:
    """The charts for some points, oldest first: columns, and a chart for each measure with data.

    ``own`` are names, units and lines of the world's own charts, which come first; ``tasks``: the team has tasks of its
    own.
    """
    if not points:
        return {}
    last, fields = points[-1], count()
    shown: list[dict[str, Any]] = [
        {"name": name, "words": unit, "lines": [(line, f"own{next(fields)}") for line in lines], "top": 0}
        for name, unit, lines in own
    ]
    shown += [
        {"name": name, "words": words, "lines": lines, "top": last.total if name == "Team's tasks" else 0}
        for name, (lines, words) in CHARTS.items()
        if (tasks if name == "Team's tasks" else name in ALWAYS or any(getattr(last, field) for _, field in lines))
    ]
    drawn = {"tick"} | {field for chart in shown for _, field in chart["lines"]}
    rows = [_numbers(point) for point in points]
    columns = {field: [row[field] for row in rows] for field in sorted(drawn)}
    return {"charts": shown, "points": columns, "hues": HUES, "start": START}


def latest(point: Point | None) -> dict[str, Any] | None:
    """The point of the moment."""
    return _numbers(point) if point else None


def _numbers(point: Point) -> dict[str, Any]:
    """The fields of a point, the world's own numbers each by itself."""
    found = vars(point)
    return {**found, **{f"own{k}": value for k, value in enumerate(found["own"])}}
