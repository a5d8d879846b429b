"""One agent: its last decision, its four parts, its observation in three renderings."""

from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from sandbox.studio.backend import agent as parts
from sandbox.studio.backend.agent import AgentSnapshot
from sandbox.studio.backend.diagrams import channel, hue
from sandbox.studio.backend.observation import Senses
from sandbox.studio.components.svg import draw
from sandbox.studio.views.decision import decision
from sandbox.studio.views.forecast import proved

EMPTY = "Click an agent in the picture, or choose one here."
VIEWS = {"Decision": "bolt", "Parts": "category", "Observation": "visibility"}
LISTED = 200  # agents up to which they are listed by name
TEXT, SHORT = 260, 8  # pixels of a long text; number of messages that are shown in full


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


def agent(insight: AgentSnapshot | None) -> None:
    """All information about an agent; a hint if none is selected."""
    if insight is None:
        st.caption(f":material/touch_app: {EMPTY}")
        return
    with st.container(key="looked"):
        _looked(insight)


def _looked(insight: AgentSnapshot) -> None:
    st.html(_title(insight))
    chosen = st.segmented_control(
        "Look at", list(VIEWS), default="Decision", required=True, key="inspect", label_visibility="collapsed",
        format_func=lambda view: f":material/{VIEWS[view]}: {view}", help="What to look at of this agent",
    )  # fmt: skip
    if chosen == "Decision":
        decision(insight.decided)
    elif chosen == "Parts":
        _parts(insight)
    else:
        _senses(insight.senses)


def _title(one: AgentSnapshot) -> str:
    where = f"row {one.cell[0]}, column {one.cell[1]}" if one.cell else "nowhere"
    told = f"{one.role} · {one.reasoner.kind} · {where} · reward {one.reward:,.4g} · tick {one.tick}"
    return (
        f'<div class="who"><i class="dot" style="background:{hue(one.agent)}"></i><b>{escape(one.name)}</b>'
        f"<span>{escape(told)}</span></div>"
    )


# -- the four parts ----------------------------------------------------------------------------------------------------


def _parts(one: AgentSnapshot) -> None:
    with st.container(key="parts"):  # as many side by side as fit
        _reasoner(one.reasoner)
        _memory(one.memory)
        _world_model(one.world_model)
        _tools(one.tools)


def _heading(icon: str, name: str, kind: str) -> None:
    st.markdown(f":material/{icon}: **{name}**")
    st.html(f'<div class="kind">{escape(kind)}</div>')


def _reasoner(one: parts.Reasoner) -> None:
    with st.container(border=True):
        _heading("psychology", "Reasoner", f"{one.kind}: who decides")
        st.html(_pairs(one.settings))
        if one.skills:
            st.caption("Skills, functions of its program")
            st.html(_pairs(one.skills))
        if one.source:
            st.code(one.source, language="python", height=TEXT)


def _memory(one: parts.Memory) -> None:
    with st.container(border=True):
        _heading("menu_book", "Memory", f"{one.kind}: what it keeps of the past")
        if one.kind == "none":
            st.caption("It keeps no memory in words. The notes of a compiled policy show in its belief.")
            return
        st.html(_pairs(one.settings))
        for label, description, text, limit in one.blocks:
            st.html(f'<div class="kind">Block <b>{escape(label)}</b> ({len(text.encode())} of {limit} bytes) '
                    f"{escape(description)}</div>")  # fmt: skip
            st.code(text or "(empty)", language=None, wrap_lines=True)
        if one.kind == "blocks":
            st.caption(f"Recall memory: {one.recalled:,} entries. Archival memory: {one.archived:,} entries.")
        if one.archive:
            st.code("\n".join(one.archive), language=None, wrap_lines=True, height=TEXT)
        st.caption("What the model reads about it")
        st.code(one.told or "(nothing yet)", language=None, wrap_lines=True, height=TEXT)


def _tools(one: parts.Tools) -> None:
    with st.container(border=True):
        _heading("construction", "Tools", f"{len(one.verbs)} verbs, {len(one.own)} tools of its own")
        st.html(_pairs(one.verbs))
        if one.own:
            st.html(_pairs(one.own))


def _world_model(one: parts.WorldModel) -> None:
    with st.container(border=True):
        _heading("public", "World model", "none: it does not look ahead" if one.kind == "none" else one.kind)
        st.html(_pairs(one.settings))
        if not one.forecasts:
            st.caption("The agent is nowhere: it believes nothing of the world now.")
            return
        proved(one.forecasts, one.base)
        if one.map:
            st.caption("Its map: what it is sure of; ? marks guesses")
            st.code(one.map, language=None, wrap_lines=True, height=TEXT)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values as a list of definitions."""
    return '<dl class="pairs">' + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in pairs) + "</dl>"


# -- the observation ---------------------------------------------------------------------------------------------------


def _senses(one: Senses) -> None:
    """Arrays, words and pixels of the same observation."""
    with st.container(key="senses"):
        pixels, words, arrays = (st.container() for _ in range(3))
    with arrays:
        st.markdown(":material/grid_on: **Arrays**", help="The window's channels, the vector, the legal actions")
        windows = "".join(channel(*each, one.high) for each in one.channels)
        draw(f'<div class="channels">{windows}</div>', key="channels")
        st.html(_pairs([(name, f"{value:g}") for name, value in one.vector]))
    with words:
        st.markdown(":material/notes: **Words**", help="What a language model reads")
        st.code(one.words, language=None, wrap_lines=True)
        st.html(_pairs([("can", ", ".join(one.legal))] + [("task", one.task)] * bool(one.task)))
        if one.inbox:
            high = TEXT if len(one.inbox) > SHORT else "content"
            st.code("\n".join(one.inbox), language=None, wrap_lines=True, height=high)
    with pixels:
        st.markdown(":material/image: **Pixels**", help="What a vision model would be shown: the part in its window")
        if one.picture:
            st.image(one.picture, width="stretch")
        else:
            st.caption("The agent is nowhere: there is nothing to see.")
