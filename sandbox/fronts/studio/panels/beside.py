"""What stands beside the picture: one of several panels, each drawn from a snapshot."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sandbox.fronts.studio.panels.agent import agent, pick
from sandbox.fronts.studio.panels.charts import charts
from sandbox.fronts.studio.panels.feed import feed, jump
from sandbox.fronts.studio.panels.intervene import intervene, pending
from sandbox.fronts.studio.panels.plain import plain
from sandbox.fronts.studio.panels.record import record
from sandbox.fronts.studio.panels.team import team
from sandbox.fronts.studio.show import scene
from sandbox.fronts.studio.show.hands import Hands
from sandbox.fronts.studio.show.runner import Runner
from sandbox.fronts.studio.show.snapshot import Snapshot
from sandbox.record.store import DATABASE

GONE = "the record is gone: the episode ends with its next tick, and nothing of it is kept."
ICONS = {
    scene.CHARTS: "show_chart", scene.EVENTS: "list", scene.AGENT: "smart_toy", scene.TEAM: "hub",
    scene.INTERVENE: "bolt", scene.RECORD: "fact_check",
}  # fmt: skip


def beside(show: Runner, snapshot: Snapshot, names: tuple[str, ...]) -> None:
    """The panel that is chosen; the others are not made at all, which keeps the page quick."""
    chosen = st.pills(
        "Beside the picture", names, default=names[0], required=True, key="panel", wrap=True,
        label_visibility="collapsed",
        format_func=lambda name: f":material/{ICONS[name]}: {name}", help="What to look at beside the picture",
    )  # fmt: skip
    show.look(show.peek().look._replace(panel=chosen))
    _task(snapshot)
    if snapshot.notice:
        st.warning(plain(snapshot.notice, 600), icon=":material/error:")
    if (now := snapshot.counters) and not Path(now.folder, DATABASE).is_file():
        st.warning(f"{plain(now.folder, 300)}: {GONE}", icon=":material/delete:")
    pending(snapshot.pending, Hands(show))
    PANELS[chosen](show, snapshot)


def _task(snapshot: Snapshot) -> None:
    now = snapshot.counters
    st.caption(f":material/target: {plain(now.task, 300)}" if now else ":material/target: ...")


def _charts(show: Runner, snapshot: Snapshot) -> None:
    charts(snapshot.scene.points if snapshot.scene else ())


def _events(show: Runner, snapshot: Snapshot) -> None:
    shown = snapshot.scene
    feed(shown.events if shown else ())
    tick = jump(shown.jumps if shown else ())
    if tick is not None and tick != st.session_state.get("jumped"):
        show.seek(tick)
    st.session_state["jumped"] = tick


def _agent(show: Runner, snapshot: Snapshot) -> None:
    if shown := snapshot.scene:
        pick(shown.names, shown.picked, lambda agent: show.look(show.peek().look._replace(agent=agent, cell=None)))
        agent(shown.insight)


def _team(show: Runner, snapshot: Snapshot) -> None:
    team(snapshot.scene.team if snapshot.scene else None, snapshot.look.agent)


def _intervene(show: Runner, snapshot: Snapshot) -> None:
    if snapshot.scene and snapshot.scene.offer:
        intervene(snapshot.scene.offer, Hands(show))


PANELS: dict[str, Callable[[Runner, Snapshot], None]] = {
    scene.CHARTS: _charts, scene.EVENTS: _events, scene.AGENT: _agent, scene.TEAM: _team, scene.INTERVENE: _intervene,
    scene.RECORD: record,
}  # fmt: skip
