"""Watch: choose a team, and see it work."""

from html import escape
from pathlib import Path

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.world import World
from sandbox.fronts.studio.canvas import canvas
from sandbox.fronts.studio.panels.choices import Choice, choose
from sandbox.fronts.studio.panels.counters import counters
from sandbox.fronts.studio.show.runner import Runner
from sandbox.fronts.studio.show.showing import Live
from sandbox.fronts.studio.show.snapshot import Snapshot

POLL = 0.2  # seconds between two looks at a runner that is at work
WAITING = 1.0  # the same while it prepares, which takes all the processor time there is
PATIENCE = 0.15  # seconds that a look waits for news
SPEEDS = (1, 2, 4, 10, 20, 40, 100)  # ticks a second
COMPILING = 1.0  # seconds after which a preparation must be a compilation


def runner() -> Runner:
    """This session's runner. Streamlit forgets it with the session, and so does everybody else."""
    if "runner" not in st.session_state:
        st.session_state["runner"] = Runner()
    return st.session_state["runner"]


def page() -> None:
    """What Streamlit runs at every rerun. Only ``_live`` runs again by itself, and only while there is news to come."""
    st.html(Path(__file__).parents[1] / "style.css")
    show, problem, choice = runner(), None, None
    try:
        choice = choose()
    except UsageError as error:
        problem = str(error)
        show.pause()
    if choice and (order := Live(choice.scenario, choice.seed)) not in show.order:
        show.load(order)
    snapshot = show.poll(PATIENCE)
    _controls(show, snapshot, bool(problem))
    st.fragment(_live, run_every=_pause(snapshot))(show, choice, problem, [snapshot], snapshot)


def _pause(snapshot: Snapshot) -> float | None:
    """Seconds until the next look; None where nothing changes by itself."""
    if not snapshot.active:
        return None
    return WAITING if snapshot.phase == "preparing" and snapshot.waited > COMPILING else POLL


def _controls(show: Runner, snapshot: Snapshot, disabled: bool) -> None:
    """Play or pause, step, reset, speed. Clicks take effect before the page is drawn, as callbacks."""
    over = bool(snapshot.counters and snapshot.counters.over)
    stuck = disabled or snapshot.phase == "failed"
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        label, icon, words, order, off = (
            ("Pause", "pause", "Hold still after this tick", show.pause, False)
            if snapshot.playing
            else ("Play", "play_arrow", "Let the team work", show.play, stuck or over)
        )  # one button in either state: with a key for each, both were seen for a moment
        st.button(
            label, key="play", icon=f":material/{icon}:", type="primary", on_click=order, disabled=off, help=words
        )
        st.button("Step", key="step", icon=":material/skip_next:", on_click=show.step, disabled=stuck or over,
                  help="One tick, then pause")  # fmt: skip
        st.button("Reset", key="reset", icon=":material/restart_alt:", on_click=show.reset, disabled=disabled,
                  help="The same episode from the start")  # fmt: skip
        speed = st.select_slider("Speed", SPEEDS, 4, key="speed", width=220, format_func="{} ticks/s".format,
                                 help="Ticks a second")  # fmt: skip
        show.set_speed(speed)


def _live(show: Runner, choice: Choice | None, problem: str | None, news: list[Snapshot], drawn: Snapshot) -> None:
    """What changes by itself: drawn with the page from ``news``, which is then used up, and again at every poll."""
    again = not news
    snapshot = show.poll(PATIENCE) if again else news.pop()
    picture, beside = st.columns([3, 2], gap="medium")
    with picture:
        with st.container(key="standing"):
            _message(snapshot, problem)
        box = canvas(snapshot.strip, key="canvas")
        if choice:
            _legend(choice.world)
    with beside:
        counters(snapshot)
    if box:
        show.resize(*box)
    now = show.peek()
    woken = now.active and not drawn.active  # the looks are to begin
    if woken or (again and (_pause(now), now.phase) != (_pause(drawn), drawn.phase)):  # or to end
        st.rerun()


def _message(snapshot: Snapshot, problem: str | None) -> None:
    """One line on how things stand, always at the same place."""
    problem = problem or snapshot.error or (snapshot.counters and snapshot.counters.error)
    if problem:
        st.error(problem, icon=":material/error:")
    elif snapshot.phase == "preparing":
        compiling = f"Compiling, only this once: usually 20 to 30 s ({snapshot.waited:.0f} s so far)"
        st.status(compiling if snapshot.waited > COMPILING else "Setting up ...", state="running")
    elif snapshot.counters:
        st.markdown(_standing(snapshot))


def _standing(snapshot: Snapshot) -> str:
    now = snapshot.counters
    if now.over:
        colour = "green" if now.total and now.done >= now.total else "orange"
        badge = f":{colour}-badge[:material/flag: {now.finish.capitalize()}]"
        return f"{badge} after {now.tick} ticks. **Reset** starts it again."
    if snapshot.playing:
        return ":blue-badge[:material/play_arrow: Playing]"
    if now.tick:
        return ":gray-badge[:material/pause: Paused]"
    return ":gray-badge[:material/hourglass_empty: Ready] Press **Play**, or **Step** for one tick."


def _legend(world: World) -> None:
    chips = "".join(
        f'<span class="chip"><i style="background:{escape(colour)}"></i>{escape(what)}</span>'
        for what, colour in world.legend
    )
    st.html(f'<div class="legend" aria-label="Legend">{chips}</div>')
