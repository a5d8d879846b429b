"""The team: its network with traffic, its shared task with states, and counts of its messages."""

from html import escape

from sandbox.studio.backend import diagrams
from sandbox.studio.backend.team import TeamView
from sandbox.studio.views.sheet import caption

ALONE = "No team here: each agent works for itself. With a protocol, its messages and tasks are shown here."
NO_TASKS = "No task objects: agents share the tasks that they find. Generated tasks form a graph."
WAYS = "Wide lines: messages of the last 20 ticks. Arrows: of this tick. ★ leads, ▶ has the turn."


def team(view: TeamView | None, picked: int | None = None) -> str:
    """The team at one moment, as HTML; ``picked`` is the selected agent."""
    if view is None:
        return caption(ALONE)
    protocol = view.protocol.replace("_", " ").capitalize()
    since = f" Counted since tick {view.since}." if view.since else ""
    parts = [
        f"<p><b>{escape(protocol)}</b> at tick {view.tick:,}: {escape(view.summary)}</p>", _counts(view),
        f'<div class="drawing">{diagrams.network(view, picked)}</div>', caption(WAYS + since),
    ]  # fmt: skip
    if view.note:
        parts.append(caption(f"{view.note}."))
    if not view.tasks:
        return "".join([*parts, caption(NO_TASKS)])
    parts.append(f'<div class="drawing">{diagrams.tasks(view)}</div>')
    return "".join([*parts, caption("States are read from the world; claims of agents are shown beside them.")])


def _counts(view: TeamView) -> str:
    """One line of numbers."""
    told = {
        "messages": view.messages, "lost": view.lost, "turns": view.turns, "stalls": view.stalls,
        "said done": view.claims, "of these false": view.false_claims,
    }  # fmt: skip
    kept = [f"<b>{value:,}</b> {name}" for name, value in told.items() if value or name == "messages"]
    return f"<p>{' · '.join(kept)}</p>"
