"""One agent: its last decision, its four parts, its observation in three renderings."""

import base64
from collections.abc import Callable, Iterable, Sequence
from html import escape

import streamlit as st

from sandbox.core.telling import Gauge
from sandbox.studio.backend import agent as parts
from sandbox.studio.backend.agent import AgentSnapshot
from sandbox.studio.backend.diagrams import channel, hue
from sandbox.studio.backend.observation import Senses
from sandbox.studio.views.decision import decision
from sandbox.studio.views.forecast import proved
from sandbox.studio.views.sheet import box, boxes, caption, code, heading, pairs

EMPTY = "Click an agent in the picture, or choose one here."
VIEWS = {"Decision": "bolt", "Parts": "category", "Observation": "visibility"}
LISTED = 200  # agents up to which they are listed by name
INSPECT = "inspect"  # key of the choice of a view


def pick(names: Sequence[str], picked: int | None, on_change: Callable[[int | None], None]) -> None:
    """A choice of the agent as an alternative to clicking; ``on_change`` gets its number."""
    key = f"agent.{picked}"  # after a click in the picture it is another widget (see views/run_picker.py)
    words = "Whom to look into; a click in the picture does the same."
    alike = {"key": key, "placeholder": "None", "help": words, "on_change": lambda: on_change(st.session_state[key])}
    with st.container(key="agent"):
        if len(names) <= LISTED:
            st.selectbox("Agent", range(len(names)), index=picked, format_func=names.__getitem__, **alike)
        else:
            st.number_input("Agent", 0, len(names) - 1, picked, **alike)


def view() -> None:
    """The choice of what to look at of the agent."""
    st.segmented_control(
        "Look at", list(VIEWS), default="Decision", required=True, key=INSPECT, label_visibility="collapsed",
        format_func=lambda view: f":material/{VIEWS[view]}: {view}", help="What to look at of this agent",
    )  # fmt: skip


def agent(insight: AgentSnapshot | None, chosen: str = "Decision") -> str:
    """One of the views of an agent at one moment, as HTML; a hint if none is selected."""
    if insight is None:
        return caption(EMPTY)
    if chosen == "Decision":
        return _title(insight) + _has(insight.gauges) + decision(insight.decided)
    return _title(insight) + (_parts(insight) if chosen == "Parts" else _senses(insight.senses))


def _title(one: AgentSnapshot) -> str:
    where = f"row {one.cell[0]}, column {one.cell[1]}" if one.cell else "nowhere"
    told = f"{one.role} · {one.reasoner.kind} · {where} · reward {one.reward:,.4g} · tick {one.tick}"
    return (
        f'<div class="who"><i class="dot" style="background:{hue(one.agent)}"></i><b>{escape(one.name)}</b>'
        f"<span>{escape(told)}</span></div>"
    )


def _has(gauges: Iterable[Gauge]) -> str:
    """Its needs and what it has, in words."""
    told = " · ".join(f"{one.name} {one.text or one.amount}" for one in gauges)
    return caption(told) if told else ""


# -- the four parts ----------------------------------------------------------------------------------------------------


def _parts(one: AgentSnapshot) -> str:
    return boxes(_reasoner(one.reasoner), _memory(one.memory), _world_model(one.world_model), _tools(one.tools))


def _heading(name: str, kind: str) -> str:
    return heading(name) + f'<div class="kind">{escape(kind)}</div>'


def _reasoner(one: parts.Reasoner) -> str:
    told = _heading("Reasoner", f"{one.kind}: who decides") + pairs(one.settings)
    if one.skills:
        told += caption("Skills, functions of its program") + pairs(one.skills)
    return box(told, code(one.source) if one.source else "")


def _memory(one: parts.Memory) -> str:
    told = _heading("Memory", f"{one.kind}: what it keeps of the past")
    if one.kind == "none":
        return box(told, caption("It keeps no memory in words. The notes of a compiled policy show in its belief."))
    told += pairs(one.settings)
    for label, description, text, limit in one.blocks:
        told += (
            f'<div class="kind">Block <b>{escape(label)}</b> ({len(text.encode())} of {limit} bytes) '
            f"{escape(description)}</div>{code(text or '(empty)')}"
        )
    if one.kind == "blocks":
        told += caption(f"Recall memory: {one.recalled:,} entries. Archival memory: {one.archived:,} entries.")
    if one.archive:
        told += code("\n".join(one.archive))
    return box(told, caption("What the model reads about it"), code(one.told or "(nothing yet)"))


def _tools(one: parts.Tools) -> str:
    told = _heading("Tools", f"{len(one.verbs)} verbs, {len(one.own)} tools of its own") + pairs(one.verbs)
    return box(told, pairs(one.own) if one.own else "")


def _world_model(one: parts.WorldModel) -> str:
    told = _heading("World model", "none: it does not look ahead" if one.kind == "none" else one.kind)
    told += pairs(one.settings)
    if not one.forecasts:
        return box(told, caption("The agent is nowhere: it believes nothing of the world now."))
    told += proved(one.forecasts, one.base)
    return box(told, caption("Its map: what it is sure of; ? marks guesses") + code(one.map) if one.map else "")


# -- the observation ---------------------------------------------------------------------------------------------------


def _senses(one: Senses) -> str:
    """Arrays, words and pixels of the same observation."""
    windows = "".join(channel(*each, one.high) for each in one.channels)
    arrays = heading("Arrays", "The window's channels, the vector, the legal actions")
    arrays += f'<div class="channels">{windows}</div>' + pairs([(name, f"{value:g}") for name, value in one.vector])
    words = heading("Words", "What a language model reads") + code(one.words)
    words += pairs([("can", ", ".join(one.legal))] + [("task", one.task)] * bool(one.task))
    words += code("\n".join(one.inbox)) if one.inbox else ""
    pixels = heading("Pixels", "What a vision model would be shown: the part in its window")
    if one.picture:
        pixels += f'<img alt="What it sees" src="data:image/png;base64,{base64.b64encode(one.picture).decode()}">'
    else:
        pixels += caption("The agent is nowhere: there is nothing to see.")
    return boxes(box(pixels), box(words), box(arrays))
