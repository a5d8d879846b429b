"""The team: its network with traffic, its shared task with states, and counts of its messages."""

import streamlit as st

from sandbox.studio.backend import diagrams
from sandbox.studio.backend.team import TeamView
from sandbox.studio.components.svg import draw

ALONE = "No team here: each agent works for itself. With a protocol, its messages and tasks are shown here."
NO_TASKS = "No task objects: agents share the tasks that they find. Generated tasks form a graph."


def team(view: TeamView | None, picked: int | None = None) -> None:
    """The team at one moment; ``picked`` is the selected agent."""
    if view is None:
        st.caption(ALONE)
        return
    st.markdown(f":material/groups: **{view.protocol.replace('_', ' ').capitalize()}**: {view.summary}")
    _counts(view)
    draw(diagrams.network(view, picked), key="network")
    since = f" Counted since tick {view.since}." if view.since else ""
    st.caption("Wide lines: messages of the last 20 ticks. Arrows: of this tick. ★ leads, ▶ has the turn." + since)
    if view.note:
        st.caption(f":material/info: {view.note}.")
    if not view.tasks:
        st.caption(NO_TASKS)
        return
    draw(diagrams.tasks(view), key="tasks")
    st.caption("States are read from the world; claims of agents are shown beside them.")


def _counts(view: TeamView) -> None:
    """One line of numbers."""
    told = {
        "messages": view.messages, "lost": view.lost, "turns": view.turns, "stalls": view.stalls,
        "said done": view.claims, "of these false": view.false_claims,
    }  # fmt: skip
    kept = [f"**{value:,}** {name}" for name, value in told.items() if value or name == "messages"]
    st.markdown(" · ".join(kept))
