"""What the page tells of a moment beside its picture, as HTML: it goes to the canvas with the frames of the moment.

``components/clock.js`` shows all of it at once, when the picture has come to that moment. So the picture, the standing,
the timeline, the charts and the panels always show one and the same tick.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

import streamlit as st

from sandbox.core.finish import Finish
from sandbox.core.telling import Gauge
from sandbox.engine.registry import find
from sandbox.engine.shapes import AGENTS
from sandbox.studio.backend import beside
from sandbox.studio.backend.snapshot import Counters, Moment, Snapshot
from sandbox.studio.views import agent, charts, feed, gantt, team

PREVIEWED = ("gray", "❚❚ The preview ends"), "measure to see the rest"
LONGEST = 80  # letters of a gauge
COLOURS = {"green": "#009e73", "orange": "#e69f00", "blue": "#0072b2", "violet": "#9467bd", "gray": "#888888"}


def telling(snapshot: Snapshot) -> list[dict[str, Any]]:
    """For each moment of a snapshot: the places of ``components.moment`` with what they draw, and the timeline's."""
    return [_moment(each, snapshot) for each in snapshot.moments]


def course(snapshot: Snapshot) -> dict[str, Any]:
    """What grows with the episode: the page shows the part up to the tick that is shown."""
    if not snapshot.moments:
        return {}
    scene, panel = snapshot.moments[-1].scene, snapshot.look.panel
    if panel == beside.CHARTS:
        return charts.charts(scene.points, scene.charts, scene.tasks)
    return feed.feed(scene.events) if panel == beside.EVENTS else {}


def _moment(one: Moment, snapshot: Snapshot) -> dict[str, Any]:
    now, scene = one.shots[0], one.scene
    tick, head = max(shot.tick for shot in one.shots), max(shot.head for shot in one.shots)  # of two in step, the later
    told = {
        "standing": _standing(now, tick, snapshot.playing, snapshot.look.score),
        "line": {"tick": tick, "head": head, "live": now.live},
        "now": charts.latest(scene.now),
        "gantt": gantt.gantt(scene.work),
        "gauges": _gauges(now.gauges) if snapshot.look.score else "",
        "legend": _legend(one.shots),
    }
    if len(one.shots) > 1:
        told |= {f"named{k}": _named(shot) for k, shot in enumerate(one.shots)}
        told["parted"] = _parted(snapshot)
    if snapshot.look.panel == beside.AGENT:
        told["panel"] = agent.agent(scene.insight, st.session_state.get(agent.INSPECT) or "Decision")
    elif snapshot.look.panel == beside.TEAM:
        told["panel"] = team.team(scene.team, scene.picked)
    return told


def _named(now: Counters) -> str:
    """The name of one of two runs, and its score."""
    title = escape((now.title or now.world)[:120])
    told = f"{_score(now)} · reward <b>{now.reward:,.4g}</b> · {escape(now.finish)}"
    return f'<div class="named"><p title="{title}">{escape(now.named)}</p><p class="caption">{told}</p></div>'


def _parted(snapshot: Snapshot) -> str:
    """The first difference of two runs."""
    if found := snapshot.difference:
        return f'<div class="parted">They part at tick {found.tick}: {escape(found.text[:300])}.</div>'
    return '<div class="parted">They are the same from the first tick to the last.</div>' if snapshot.shots else ""


def _standing(now: Counters, tick: int, playing: bool, score: bool) -> str:
    """The present state: a badge, numbers unless they are to be hidden, and a hint."""
    (colour, badge), then = _badge(now, playing) if score or not now.over else PREVIEWED
    clock = next((gauge.most for gauge in now.gauges if gauge.kind == "clock"), 0)
    told = f"Tick <b>{tick:,}</b>" + (f" of {clock:,}" if clock else "")
    if score and not now.named:
        own = "" if now.autonomy is None else f" · autonomy <b>{now.autonomy:.0%}</b>"
        told += f" · {_score(now)} · reward <b>{now.reward:,.4g}</b>{own}"
    told += then and f" · {then}"
    badge = f'<span class="badge" style="--badge:{COLOURS[colour]}">{escape(badge)}</span>'
    return f'<div class="standing" role="status" aria-live="off">{badge}<span>{told}</span></div>'


def _score(now: Counters) -> str:
    """How much of the task is done, by the name that the world gives it."""
    for gauge in now.gauges:
        if gauge.kind == "score":
            return f"{escape(gauge.name)} {_amount(gauge)}"
    return f"<b>{now.done:,}</b> of {now.total:,} done" if now.total else f"<b>{now.done:,}</b> done"


def _amount(gauge: Gauge) -> str:
    if gauge.text:
        return f"<b>{escape(gauge.text[:LONGEST])}</b>"
    most, unit = f" of {gauge.most:,g}" if gauge.most else "", f" {escape(gauge.unit)}" if gauge.unit else ""
    return f"<b>{gauge.value:,.6g}</b>{most}{unit}"


def _gauges(gauges: Iterable[Gauge]) -> str:
    """Orders and facts of the team, each with a bar if its value has a maximum."""
    told = ""
    for gauge in gauges:
        if gauge.kind not in ("score", "clock"):
            share = f' style="--share:{min(1.0, max(0.0, gauge.value / gauge.most)):.0%}"' if gauge.most else ""
            colour = f'<i style="background:{escape(gauge.colour)}"></i>' if gauge.colour else escape(gauge.icon)
            name = escape(gauge.name[:LONGEST]) + ("" if gauge.text else ":")
            told += f'<li class="{gauge.kind}"{share}>{colour} {name} {_amount(gauge)}</li>'
    return told and f'<ul class="gauges" aria-label="Orders and facts" tabindex="0">{told}</ul>'


def _legend(shots: Iterable[Counters]) -> str:
    """The things that are in the pictures, each with its colour."""
    chips = {}
    for now in shots:
        chips |= {thing: colour for thing, colour in find(now.world).legend if thing in now.shown}
    told = "".join(f'<span class="chip"><i style="background:{_swatch(thing, colour)}"></i>{escape(thing)}</span>'
                   for thing, colour in chips.items())  # fmt: skip
    return f'<div class="legend" role="note" aria-label="Legend">{told}</div>'


def _swatch(thing: str, colour: str) -> str:
    """A colour; of agents, which have one each, several."""
    if colour != AGENTS[0] or any(map(str.isdigit, thing)):
        return escape(colour)
    return f"linear-gradient(90deg, {', '.join(AGENTS[:3])})"


def _badge(now: Counters, playing: bool) -> tuple[tuple[str, str], str]:
    if now.over and now.tick == now.head:
        colour = "green" if now.finish == Finish.COMPLETED.words else "orange"
        finish = now.finish.capitalize() if now.finish != "running" else "The record ends here"
        return (colour, f"⚑ {finish}"), "<b>Reset</b>, or seek back below"
    if playing:
        return ("blue", "▶ Playing"), ""
    if now.live and now.tick < now.head:
        return ("violet", "↶ The past"), "<b>Play</b> goes on from here"
    if now.tick or (now.head and not now.live):
        return ("gray", "❚❚ Paused"), ""
    return ("gray", "○ Ready"), "press <b>Play</b>"
