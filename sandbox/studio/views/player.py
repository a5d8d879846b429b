"""The common part of Watch and Replay: controls, the picture with its timeline, and a panel beside it."""

from collections.abc import Callable

import streamlit as st

from sandbox.studio.backend.beside import AGENT, INTERVENE, TEAM, Look
from sandbox.studio.backend.layers import LAYERS
from sandbox.studio.backend.runner import Runner
from sandbox.studio.backend.snapshot import Snapshot
from sandbox.studio.components.canvas import canvas
from sandbox.studio.components.moment import place
from sandbox.studio.components.timeline import Mark, timeline
from sandbox.studio.session import NAME, hand_over, handed_over
from sandbox.studio.views.beside import PANEL, beside
from sandbox.studio.views.shared import plain
from sandbox.studio.views.telling import course, telling

TICK = "tick"  # key of the address
DIGITS = 10  # of a tick in it, at most
ORDERS = "orders"  # key in the session state: what was pressed and has not taken effect
PATIENCE = 0.15  # seconds that a poll waits for news
SPEEDS = (1, 2, 4, 10, 20, 40, 100, 1_000, 1_000_000)  # ticks a second
SLOW = 2.0  # seconds after which a slow job is mentioned
KNOWN = 0.05  # share of a preparation after which it is told how long the rest takes
KINDS = {"task": "done", "difference": "difference", "change": "person", "person": "person"}  # of marks in time


def player(show: Runner, panels: tuple[str, ...], problem: str | None = None) -> None:
    """Draw the page. Only ``_live`` runs again by itself, and only while the snapshot changes.

    Without panels, there is nothing beside the picture.
    """
    for order in st.session_state.pop(ORDERS, ()):
        order()
    snapshot = show.poll(PATIENCE)
    _controls(show, snapshot, bool(problem))
    hand_over("player", snapshot)
    st.fragment(_live, run_every=_pause(snapshot))(show, panels, problem, snapshot)


def _pause(snapshot: Snapshot) -> float | None:
    """Seconds until the next poll; None if nothing changes by itself."""
    return snapshot.pause if snapshot.active else None


def _order(order: Callable[[], None]) -> None:
    """Note a press. It takes effect after the page's choices: those made just before may come in the same run."""
    st.session_state.setdefault(ORDERS, []).append(order)


def _controls(show: Runner, snapshot: Snapshot, disabled: bool) -> None:
    """Play or pause, step, reset, speed."""
    stuck = disabled or snapshot.phase in ("empty", "stopped", "failed")
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        label, icon, words, order, off = (
            ("Pause", "pause", "Hold still after this tick", show.pause, False)
            if snapshot.playing
            else ("Play", "play_arrow", "Let the team work", show.play, stuck or snapshot.over)
        )  # one button for both states: with two keys, both were visible for a moment
        st.button(label, key="play", icon=f":material/{icon}:", type="primary", on_click=_order, args=(order,),
                  disabled=off, help=words, shortcut="Space")  # fmt: skip
        st.button("Step", key="step", icon=":material/skip_next:", on_click=_order, args=(show.step,),
                  disabled=stuck or snapshot.over, help="One tick, then pause", shortcut="S")  # fmt: skip
        st.button("Reset", key="reset", icon=":material/restart_alt:", on_click=_order, args=(show.reset,),
                  disabled=disabled, help="The same episode from the start", shortcut="Shift+Backspace")  # fmt: skip
        speed = st.select_slider("Speed", SPEEDS, 4, key="speed", width=150, format_func=_pace,
                                 label_visibility="collapsed")  # fmt: skip
        show.set_speed(speed)


def _pace(speed: int) -> str:
    return "as fast as it can" if speed == SPEEDS[-1] else f"{speed:,} ticks/s"


def _live(show: Runner, panels: tuple[str, ...], problem: str | None, drawn: Snapshot) -> None:
    """The part that changes by itself; drawn with the page, and at every poll."""
    news = handed_over("player")
    again, snapshot = news is None, news or show.poll(PATIENCE)
    with st.container(key="board"):
        with st.container(key="stage", gap="xsmall"):
            with st.container(key="standing"):
                _message(show, snapshot, problem)
            if problem and snapshot.phase == "empty":  # nothing can be shown yet
                return
            _pictures(show, snapshot)
            _line(show, snapshot)
        with st.container(key="below", gap="xsmall"):
            _below(show, snapshot)
        if panels:
            with st.container(key="beside", gap="small"):
                beside(show, snapshot, panels)
    now = show.peek()
    woken = now.active and not drawn.active  # polling must begin
    if woken or (again and _state(now) != _state(drawn)):  # or must end, or other buttons are due
        st.rerun()


def _state(snapshot: Snapshot) -> tuple:
    """What the part of the page depends on that is not drawn at every poll."""
    return _pause(snapshot), snapshot.phase, snapshot.playing, snapshot.over


def _pictures(show: Runner, snapshot: Snapshot) -> None:
    """One picture, or two side by side."""
    if len(snapshot.shots) < 2:
        _picture(show, snapshot, 0, "canvas")
        return
    with st.container(key="pair"):
        for k in range(2):
            with st.container(key=f"pair{k}", gap="xsmall"):
                place(f"named{k}", f"named{k}")
                _picture(show, snapshot, k, f"canvas{k}")


def _picture(show: Runner, snapshot: Snapshot, number: int, key: str) -> None:
    strip = snapshot.strips[number] if number < len(snapshot.strips) else None
    gesture = canvas(
        strip or snapshot.blank, key, telling(snapshot) if strip else (), show.held, place=number, still=snapshot.still,
        hold=snapshot.hold, playing=snapshot.playing, course=course(snapshot), address=_address(show, snapshot),
        picked=snapshot.look.agent, asking=[] if number else [question.agent for question, _ in snapshot.pending],
    )  # fmt: skip
    if gesture.box and not number:
        show.browser = gesture.browser
        show.resize(*gesture.box, gesture.view, gesture.follow)
    if gesture.click:
        show.click(gesture.click, number)
        _open_beside(show.peek().look)
    if gesture.pick is not None:
        show.look(snapshot.look._replace(agent=gesture.pick, cell=None))
        _open_beside(show.peek().look)


def _open_beside(look: Look) -> None:
    """A clicked agent opens beside the picture, unless a panel is open that concerns it already."""
    if PANEL in st.session_state and look.agent is not None and look.panel not in (AGENT, TEAM, INTERVENE):
        st.session_state[PANEL] = AGENT


def _address(show: Runner, snapshot: Snapshot) -> dict[str, str] | None:
    """The tick and the name of the run, for the page's address; None while it changes by itself."""
    if snapshot.playing or snapshot.hold or snapshot.phase != "ready" or not snapshot.moments:
        return None
    tick = max(shot.tick for shot in snapshot.moments[-1].shots)
    return {TICK: str(tick) if tick else "", NAME: show.name}


def asked_tick() -> int:
    """The tick in the address, 0 without one."""
    told = st.query_params.get(TICK, "")
    return int(told) if told.isdecimal() and told.isascii() and len(told) < DIGITS else 0


def _line(show: Runner, snapshot: Snapshot) -> None:
    """The timeline."""
    jumps = snapshot.scene.jumps if snapshot.scene and snapshot.look.score else ()
    marks = [Mark(event.tick, KINDS.get(event.kind, "failure"), event.text) for event in jumps]
    sought = timeline(marks, key="timeline")
    if sought is not None:
        show.seek(sought)
    if len(snapshot.shots) > 1:
        place("parted", "parted")


def _below(show: Runner, snapshot: Snapshot) -> None:
    """The layers, the legend."""
    scene = snapshot.scene
    if scene:
        words, chosen = " ".join(f"{name.capitalize()}: {LAYERS[name]}" for name in scene.layers), []
        if scene.layers:
            chosen = st.pills("Layers", scene.layers, selection_mode="multi", key="layers",
                              label_visibility="collapsed", format_func=str.capitalize, help=words)  # fmt: skip
        show.look(show.peek().look._replace(layers=frozenset(chosen)))
    if snapshot.shots:
        place("legend", "legend")


def _message(show: Runner, snapshot: Snapshot, problem: str | None) -> None:
    """One line about the present state, always at the same place."""
    problem = problem or snapshot.error or (snapshot.counters and snapshot.counters.error)
    if problem:
        st.error(plain(problem, 600), icon=":material/error:")
    elif snapshot.phase == "preparing" and snapshot.compiled is None and snapshot.waited < SLOW:
        st.status("Setting up ...", state="running")
    elif snapshot.phase == "preparing":
        _progress(show, *_compiling(snapshot))
    elif snapshot.phase == "reading":
        _progress(show, 0.0, f"Playing it through, to know it as a whole: tick {snapshot.counters.tick:,}")
    elif snapshot.phase == "stopped":
        st.info("Cancelled. **Reset** starts it again.", icon=":material/close:")
    elif snapshot.waited > SLOW and not snapshot.pending:
        st.status(f"At work on it for {snapshot.waited:.0f} s: a model answers, or kernels compile", state="running")
    if not problem and snapshot.phase == "ready":
        place("standing", "standing-line")
        if len(snapshot.shots) == 1:
            place("gauges", "gauges")


def _compiling(snapshot: Snapshot) -> tuple[float, str]:
    """How far a preparation has come: a share, and words."""
    now, waited = snapshot.compiled, snapshot.waited
    if now is None or not now.total:  # it may wait for the compilation of another tab
        return 0.0, f"Setting up ({waited:.0f} s so far)"
    left = f", about {waited * (1 - now.share) / now.share:,.0f} s left" if now.share > KNOWN else ""
    step = f"step {min(now.done + 1, now.total):,} of {now.total:,}"
    return now.share, f"Compiling, the first time on this machine: {step}, {waited:.0f} s so far{left}"


def _progress(show: Runner, share: float, words: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, share), plain(words, 200))
        st.button("Cancel", key="cancel", icon=":material/close:", on_click=show.cancel,
                  help="What is compiled is kept.")  # fmt: skip
