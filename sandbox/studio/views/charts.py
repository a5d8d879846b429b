"""The numbers beside the picture: small charts that keep their form for a whole episode (``components.moment``)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sandbox.studio.backend.charts import Point

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


def charts(points: Sequence[Point], own: Sequence[tuple[str, str]] = (), tasks: bool = False) -> dict[str, Any]:
    """The charts for some points, oldest first: columns, and a chart for each measure with data.

    ``own`` are names and units of the world's own charts, which come first; ``tasks``: the team has tasks of its own.
    """
    if not points:
        return {}
    last = points[-1]
    shown: list[dict[str, Any]] = [
        {"name": name, "words": unit, "lines": (("now", f"own{k}"),), "top": 0} for k, (name, unit) in enumerate(own)
    ]
    shown += [
        {"name": name, "words": words, "lines": lines, "top": last.total if name == "Team's tasks" else 0}
        for name, (lines, words) in CHARTS.items()
        if (tasks if name == "Team's tasks" else name in ALWAYS or any(getattr(last, field) for _, field in lines))
    ]
    fields = {"tick"} | {field for chart in shown for _, field in chart["lines"]}
    columns = {field: [getattr(point, field) for point in points] for field in sorted(fields)}
    return {"charts": shown, "points": columns, "start": START}


def latest(point: Point | None) -> dict[str, Any] | None:
    """The point of the moment."""
    return asdict(point) if point else None
