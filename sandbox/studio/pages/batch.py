"""Batch: start many trials in the background, watch their progress, and see the worst seeds."""

from pathlib import Path

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.running import jobs
from sandbox.scenario.load import as_toml
from sandbox.studio.backend import batch_results
from sandbox.studio.session import hand_over, handed_over
from sandbox.studio.views.batch_form import beginning
from sandbox.studio.views.batch_list import STATES, entries, shelf
from sandbox.studio.views.batch_progress import Pace, counts, filling
from sandbox.studio.views.batch_results import outcomes
from sandbox.studio.views.run_picker import from_address
from sandbox.studio.views.shared import download, plain, told, turn

POLL = 1.0  # seconds between two updates of a running batch
SHELF = 3.0  # the same for the list of batches


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    if given := from_address("run"):
        with told(given):
            _one(given)
    else:
        _all()


def _all() -> None:
    """Start a batch, or open an existing one."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown("### New batch", help="Many trials of a scenario, each from a seed of its own")
        started = beginning()
    if started:
        st.query_params["run"] = str(started)
        st.rerun()
    with right:
        st.markdown("### Batches and certificates", help="Runs below runs/ of the folder where the studio started")
        found = entries()
        moving = any(entry.state in ("starting", "running") for entry in found)
        hand_over("shelf", found)
        st.fragment(shelf, run_every=SHELF if moving else None)()


def _one(given: str) -> None:
    """One batch."""
    folder, now = Path(given), _status(given)
    _head(folder, now)
    if now.state == "gone" or (now.known is None and not now.active):
        st.error(plain(f"{given}: {now.words}" if now.state == "gone" else now.words, 400), icon=":material/error:")
        return
    if not now.active:
        _finished(given, now)
        return
    pace = st.session_state.setdefault("pace", {}).setdefault(given, Pace())
    hand_over("batch", now)
    st.fragment(_live, run_every=POLL)(given, pace, now.state)
    if now.known and st.toggle("Tables and figures so far", key="early",
                               help="Drawn once, of the trials that are done by now"):  # fmt: skip
        _outcomes(given)


def _status(given: str) -> jobs.Status:
    try:
        return jobs.status(Path(given))
    except OSError as error:  # an impossible name
        return jobs.Status("gone", error.strerror or "no such folder", None)


def _head(folder: Path, now: jobs.Status) -> None:
    """Title, state and commands of a batch."""
    title = now.known.scenario.get("title") if now.known else ""
    st.markdown(f"### {plain(title or folder.name, 80)} {STATES[now.state]}")
    st.caption(
        plain(f"{folder}" + (f" · begun {now.known.created[:16].replace('T', ' ')} UTC" if now.known else ""), 300)
    )
    with st.container(horizontal=True, key="orders"):
        turn("All batches", "back", "Back to the list; the job continues", {}, icon=":material/arrow_back:")
        if now.ours:
            st.button("Stop", key="stop", icon=":material/stop:", on_click=_told, args=(jobs.stop, folder),
                      help="Finished trials are kept, and the job can continue")  # fmt: skip
        if now.state in ("stopped", "failed") and folder.is_dir():
            st.button("Go on", key="go_on", icon=":material/play_arrow:", type="primary", on_click=_told,
                      args=(jobs.go_on, folder),
                      help="From the trials that are done; none is done twice")  # fmt: skip
        if now.known and not now.active:
            _downloads(str(folder), now)
    if problem := st.session_state.pop("batch_problem", None):
        st.error(plain(problem, 400), icon=":material/error:")


def _told(order, folder: Path) -> None:
    """Execute a command; its error is shown by the next run of the page."""
    try:
        order(folder)
    except SandboxError as error:
        st.session_state["batch_problem"] = str(error)


def _downloads(folder: str, now: jobs.Status) -> None:
    name = Path(folder).name
    download("CSV", lambda: batch_results.table(folder), f"{name}.csv", "text/csv", "A row for each trial", key="csv")
    download("Report", lambda: batch_results.report_page(folder), f"{name}.html", "text/html",
             "One page with figures and pictures of the worst seeds; takes half a minute", key="report")  # fmt: skip
    download("TOML", lambda: as_toml(now.known.scenario), f"{name}.toml", "application/toml",
             "The scenario, as it ran", key="toml")  # fmt: skip


def _live(given: str, pace: Pace, drawn: str) -> None:
    """The part that changes while a batch runs; drawn with the page, and at every update."""
    now = handed_over("batch") or _status(given)
    if now.state != drawn:  # the head of the page shows another state
        st.rerun()
    with st.container(key="filling"), told(given):
        filling(now, pace)


def _finished(given: str, now: jobs.Status) -> None:
    if now.state == "failed":
        st.error(plain(now.words, 400), icon=":material/error:")
    elif now.state == "stopped":
        st.warning(plain(f"Stopped at {now.known.done:,} of {now.known.planned:,} trials: {now.words}. "
                         "Finished trials are kept.", 400), icon=":material/pause:")  # fmt: skip
    if now.known.done:
        counts(now.known)
        _outcomes(given)
    else:
        st.info("No trial is done yet. **Go on** tries them.", icon=":material/hourglass_empty:")


def _outcomes(given: str) -> None:
    with told(given):  # its folder may be removed meanwhile
        with st.spinner("Reading the trials ..."):
            study = batch_results.study_of(given)
        outcomes(given, study)
