"""The event feed, and the choices beside it."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from sandbox.studio.backend.diagrams import hue
from sandbox.studio.backend.feed import Event

SHOWN = 200  # events that are sent; the page shows the latest 80 up to its tick
EMPTY = "No events yet. Tasks, messages, refusals, fallbacks and interventions appear here as they happen."
MARKS = {
    "task": ("✔", "Task"), "claim": ("◐", "Takes on"), "message": ("✉", "Message"), "lost": ("✂", "Lost message"),
    "guard": ("⊘", "Guard"), "refused": ("∅", "Refused"), "failed": ("✗", "Failed"), "crash": ("☠", "Perturbation"),
    "fallback": ("↩", "Fallback"), "model": ("⚠", "Reply"), "person": ("☺", "Person"), "harm": ("▼", "Harm"),
    "change": ("⚡", "Intervention"), "error": ("✖", "Error"), "finish": ("⚑", "End"),
    "difference": ("≠", "Difference"),
}  # fmt: skip


def kinds(events: Sequence[Event], key: str = "feed") -> None:
    """The choice among the kinds of events that there are."""
    known = [kind for kind in MARKS if any(event.kind == kind for event in events)]
    st.pills(
        "Events", known, selection_mode="multi", key=f"{key}-kinds", format_func=lambda kind: " ".join(MARKS[kind]),
        help="Show these kinds of events only; none chosen: all.", label_visibility="collapsed",
    )  # fmt: skip


def feed(events: Sequence[Event], key: str = "feed") -> dict[str, Any]:
    """The chosen events as HTML, each with its tick, oldest first; the page shows those up to its tick."""
    chosen = st.session_state.get(f"{key}-kinds")
    shown = [event for event in events if not chosen or event.kind in chosen][-SHOWN:]
    return {"events": [(event.tick, _row(event)) for event in shown], "empty": EMPTY}


def _row(event: Event) -> str:
    mark, label = MARKS.get(event.kind, ("·", event.kind))
    who = f'<i class="dot" style="background:{hue(event.agent)}"></i><b>{escape(event.who)}</b> ' if event.who else ""
    return (
        f'<div class="event"><span class="tick">{event.tick}</span>'
        f'<span title="{escape(label)}" aria-label="{escape(label)}">{mark}</span>'
        f"<span>{who}{escape(event.text)}</span></div>"
    )


def jump(jumps: Sequence[Event], key: str = "jump") -> int | None:
    """A choice among the important ticks; returns the tick just chosen, or None."""
    if not jumps:
        return None
    told = [f"tick {event.tick}: {MARKS.get(event.kind, ('', event.kind))[1].lower()}, {event.who} {event.text}"[:90]
            for event in jumps]  # fmt: skip
    place = st.selectbox(
        "Jump to", range(len(jumps)), index=None, key=key, format_func=told.__getitem__, placeholder="Choose an event",
        help="Failures, refusals, harm, tasks done, interventions, the first difference.",
    )  # fmt: skip
    return None if place is None else jumps[place].tick
