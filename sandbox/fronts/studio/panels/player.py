"""What Watch and Replay share: controls, the picture with its timeline, and one of several panels beside it."""

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from sandbox.core.world import World
from sandbox.fronts.studio.canvas import canvas
from sandbox.fronts.studio.panels.plain import plain
from sandbox.fronts.studio.show.runner import Runner
from sandbox.fronts.studio.show.snapshot import Snapshot
from sandbox.fronts.studio.timeline import timeline

POLL = 0.2  # seconds between two looks at a runner that is at work
WAITING = 1.0  # the same while it prepares, which takes all the processor time there is
PATIENCE = 0.15  # seconds that a look waits for news
SPEEDS = (1, 2, 4, 10, 20, 40, 100, 1_000, 1_000_000)  # ticks a second
COMPILING = 1.0  # seconds after which a preparation must be a compilation

Panel = Callable[[Runner, Snapshot], None]


def player(show: Runner, panels: Mapping[str, Panel], world: World | None, problem: str | None = None) -> None:
    """Draw it all. Only ``_live`` runs again by itself, and only while there is news to come."""
    snapshot = show.poll(PATIENCE)
    _controls(show, snapshot, bool(problem))
    st.fragment(_live, run_every=_pause(snapshot))(show, panels, world, problem, [snapshot], snapshot)


def _pause(snapshot: Snapshot) -> float | None:
    """Seconds until the next look; None where nothing changes by itself."""
    if not snapshot.active:
        return None
    return WAITING if snapshot.phase == "preparing" and snapshot.waited > COMPILING else POLL


def _controls(show: Runner, snapshot: Snapshot, disabled: bool) -> None:
    """Play or pause, step, reset, speed. Clicks take effect before the page is drawn, as callbacks."""
    over = bool(snapshot.shots) and all(shot.over for shot in snapshot.shots)
    stuck = disabled or snapshot.phase in ("empty", "failed")
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        label, icon, words, order, off = (
            ("Pause", "pause", "Hold still after this tick", show.pause, False)
            if snapshot.playing
            else ("Play", "play_arrow", "Let the team work", show.play, stuck or over)
        )  # one button in either state: with a key for each, both were seen for a moment
        st.button(label, key="play", icon=f":material/{icon}:", type="primary", on_click=order, disabled=off,
                  help=words, shortcut="Space")  # fmt: skip
        st.button("Step", key="step", icon=":material/skip_next:", on_click=show.step, disabled=stuck or over,
                  help="One tick, then pause", shortcut="S")  # fmt: skip
        st.button("Reset", key="reset", icon=":material/restart_alt:", on_click=show.reset, disabled=disabled,
                  help="The same episode from the start", shortcut="Shift+Backspace")  # fmt: skip
        speed = st.select_slider("Speed", SPEEDS, 4, key="speed", width=220, format_func=_pace,
                                 help="Ticks a second")  # fmt: skip
        show.set_speed(speed)


def _pace(speed: int) -> str:
    return "as fast as it can" if speed == SPEEDS[-1] else f"{speed:,} ticks/s"


def _live(
    show: Runner, panels: Mapping[str, Panel], world: World | None, problem: str | None, news: list, drawn: Snapshot
) -> None:
    """What changes by itself: drawn with the page from ``news``, which is then used up, and again at every poll."""
    again = not news
    snapshot = show.poll(PATIENCE) if again else news.pop()
    picture, beside = st.columns([3, 2], gap="medium")
    with picture:
        with st.container(key="standing"):
            _message(snapshot, problem)
        _picture(show, snapshot)
        if world:
            _legend(world)
    with beside:
        _panel(show, snapshot, panels)
    now = show.peek()
    woken = now.active and not drawn.active  # the looks are to begin
    if woken or (again and (_pause(now), now.phase) != (_pause(drawn), drawn.phase)):  # or to end
        st.rerun()


def _picture(show: Runner, snapshot: Snapshot) -> None:
    gesture = canvas(snapshot.strip, key="canvas")
    if gesture.box:
        show.resize(*gesture.box, gesture.view)
    now = snapshot.counters
    tick, head, live = (now.tick, now.head, now.live) if now else (0, 0, False)
    sought = timeline(tick, head, [], live, key="timeline")
    if sought is not None and sought != tick:
        show.seek(sought)


def _panel(show: Runner, snapshot: Snapshot, panels: Mapping[str, Panel]) -> None:
    """The one that is chosen; the others are not drawn at all, which keeps the page quick."""
    names = list(panels)
    chosen = st.segmented_control("Beside the picture", names, default=names[0], required=True, key="panel",
                                  label_visibility="collapsed")  # fmt: skip
    panels[chosen](show, snapshot)


def _message(snapshot: Snapshot, problem: str | None) -> None:
    """One line on how things stand, always at the same place."""
    problem = problem or snapshot.error or (snapshot.counters and snapshot.counters.error)
    if problem:
        st.error(plain(problem, 600), icon=":material/error:")
    elif snapshot.phase == "preparing":
        compiling = f"Compiling, only this once: usually 20 to 30 s ({snapshot.waited:.0f} s so far)"
        st.status(compiling if snapshot.waited > COMPILING else "Setting up ...", state="running")
    elif snapshot.phase == "reading":
        st.status(f"Playing it through, to know it as a whole: tick {snapshot.counters.tick:,}", state="running")
    elif snapshot.counters:
        st.markdown(_standing(snapshot))


def _standing(snapshot: Snapshot) -> str:
    now = snapshot.counters
    if now.over and (not now.live or now.tick == now.head):
        colour = "green" if now.total and now.done >= now.total else "orange"
        badge = f":{colour}-badge[:material/flag: {now.finish.capitalize()}]"
        return f"{badge} after {now.tick} ticks. **Reset** starts it again, the line below seeks back."
    if snapshot.playing:
        return ":blue-badge[:material/play_arrow: Playing]"
    if now.live and now.tick < now.head:
        return f":violet-badge[:material/history: The past] Tick {now.tick} of {now.head}. **Play** goes on from here."
    if now.tick or now.head:
        return ":gray-badge[:material/pause: Paused]"
    return ":gray-badge[:material/hourglass_empty: Ready] Press **Play**, or **Step** for one tick."


def _legend(world: World) -> None:
    chips = "".join(
        f'<span class="chip"><i style="background:{escape(colour)}"></i>{escape(what)}</span>'
        for what, colour in world.legend
    )
    st.html(f'<div class="legend" aria-label="Legend">{chips}</div>')
