"""The panel beside the picture: one of several. What it tells of a tick is drawn with the picture (``telling``)."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sandbox.engine.registry import find
from sandbox.record.store import DATABASE
from sandbox.studio.backend import beside as scene
from sandbox.studio.backend.commands import Commands
from sandbox.studio.backend.runner import Runner
from sandbox.studio.backend.snapshot import Snapshot
from sandbox.studio.components.moment import place
from sandbox.studio.session import WATCHED
from sandbox.studio.views.about import about
from sandbox.studio.views.agent import pick, view
from sandbox.studio.views.commands import intervene, pending
from sandbox.studio.views.feed import jump, kinds
from sandbox.studio.views.record import record
from sandbox.studio.views.shared import plain
from sandbox.studio.views.transcript import transcript

PANEL = "panel"  # key of the choice of a panel
TALL = 320  # pixels of a view in three dimensions
GONE = "the record was removed: the episode ends with its next tick, and is not kept."
ICONS = {
    scene.CHARTS: "show_chart", scene.EVENTS: "list", scene.AGENT: "smart_toy", scene.TEAM: "hub",
    scene.INTERVENE: "bolt", scene.RECORD: "fact_check", scene.TRANSCRIPT: "article", scene.ABOUT: "info",
    scene.SOLID: "view_in_ar",
}  # fmt: skip


def beside(show: Runner, snapshot: Snapshot, names: tuple[str, ...]) -> None:
    """The selected panel. The others are not built, to keep the page fast."""
    world = snapshot.counters and find(snapshot.counters.world)
    if not (world.scene if world else st.session_state.get(PANEL) == scene.SOLID):
        names = tuple(name for name in names if name != scene.SOLID)
    if st.session_state.get(PANEL) not in names:
        st.session_state[PANEL] = names[0]
    chosen = st.pills(
        "Beside the picture", names, required=True, key=PANEL, wrap=True,
        label_visibility="collapsed",
        format_func=lambda name: f":material/{ICONS[name]}: {name}", help="What to look at beside the picture",
    )  # fmt: skip
    show.look(show.peek().look._replace(panel=chosen))
    _task(snapshot)
    if snapshot.notice:
        st.warning(plain(snapshot.notice, 600), icon=":material/error:")
    if (now := snapshot.counters) and not Path(now.folder, DATABASE).is_file():
        st.warning(f"{plain(now.folder, 300)}: {GONE}", icon=":material/delete:")
    pending(snapshot.pending, Commands(show))
    PANELS[chosen](show, snapshot)


def _task(snapshot: Snapshot) -> None:
    now = snapshot.counters
    st.caption(f":material/target: {plain(now.task, 300)}" if now else ":material/target: ...")


def _charts(show: Runner, snapshot: Snapshot) -> None:
    place("charts", "charts")


def _events(show: Runner, snapshot: Snapshot) -> None:
    shown = snapshot.scene
    kinds(shown.events if shown else ())
    place("feed", "feed")
    tick = jump(shown.jumps if shown else ())
    if tick is not None and tick != st.session_state.get("jumped"):
        show.seek(tick)
    st.session_state["jumped"] = tick


def _agent(show: Runner, snapshot: Snapshot) -> None:
    if shown := snapshot.scene:
        pick(shown.names, shown.picked, lambda agent: show.look(show.peek().look._replace(agent=agent, cell=None)))
        if shown.picked is not None:
            view()
        place("panel", "agent-panel")


def _team(show: Runner, snapshot: Snapshot) -> None:
    place("panel", "team-panel")


def _intervene(show: Runner, snapshot: Snapshot) -> None:
    if snapshot.scene and snapshot.scene.offer:
        with st.container(key="deeds"):
            intervene(snapshot.scene.offer, Commands(show))


def _solid(show: Runner, snapshot: Snapshot) -> None:
    """Turned and moved with the mouse; it begins anew where something has changed."""
    found = snapshot.scene and snapshot.scene.solid
    if found and found.problem:
        st.info(plain(found.problem, 300), icon=":material/view_in_ar:")
    elif found:
        st.iframe(found.page, height=TALL)
        st.caption("Drag to turn it, with the right button to move it; the wheel comes nearer.")


def _about(show: Runner, snapshot: Snapshot) -> None:
    if (watched := st.session_state.get(WATCHED)) is not None:
        about(watched.world.name)


PANELS: dict[str, Callable[[Runner, Snapshot], None]] = {
    scene.CHARTS: _charts, scene.EVENTS: _events, scene.AGENT: _agent, scene.TEAM: _team, scene.INTERVENE: _intervene,
    scene.RECORD: record, scene.TRANSCRIPT: transcript, scene.ABOUT: _about, scene.SOLID: _solid,
}  # fmt: skip
