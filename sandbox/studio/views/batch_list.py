"""The list of batches and certificates; each line opens one."""

import streamlit as st

from sandbox.running.listing import Entry, listing
from sandbox.studio.session import handed_over
from sandbox.studio.views.shared import plain, turn

FIRST = 8  # entries that are shown at first
EMPTY = "No batch yet. Choose a scenario, press **Start**, and watch it fill in here."
STATES = {
    "starting": (":blue-badge[:material/hourglass_empty: Starting]"),
    "running": (":blue-badge[:material/play_arrow: Running]"),
    "done": (":green-badge[:material/check: Done]"),
    "stopped": (":orange-badge[:material/pause: Stopped]"),
    "failed": (":red-badge[:material/error: Failed]"),
    "gone": (":gray-badge[:material/delete: Gone]"),
}


def entries() -> list[Entry]:
    """The existing batches and certificates."""
    return [entry for entry in listing() if entry.kind != "run"]


def shelf() -> None:
    """A line for each batch, the latest first; a click opens it."""
    seen = handed_over("shelf")
    found = entries() if seen is None else seen
    if not found:
        st.info(EMPTY, icon=":material/inventory_2:")
        return
    everything = len(found) <= FIRST or st.session_state.get("shelf_all", False)
    with st.container(key="shelf"):
        for entry in found if everything else found[:FIRST]:
            _line(entry)
    if len(found) > FIRST:
        st.toggle(f"All {len(found)}", key="shelf_all", help="Also those of longer ago")


def _line(entry: Entry) -> None:
    with st.container(border=True, key=f"shelf-{abs(hash(entry.folder))}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(entry.title, 60)}** {STATES.get(entry.state, '')}", width="content")
            if entry.kind != "broken":
                words = "Its progress, tables, figures and worst seeds"
                turn("Open", f"open-{entry.folder}", words, {"run": entry.folder})
        st.caption(plain(entry.problem, 200) if entry.problem else _about(entry))


def _about(entry: Entry) -> str:
    trials = f"{entry.done:,} of {entry.planned:,} trials" if entry.planned else "no trials yet"
    seeds = f"seeds {entry.seeds}" if entry.seeds else ""
    told = (entry.kind, entry.world, trials, seeds, entry.created[:16].replace("T", " "), entry.folder)
    return " · ".join(plain(each) for each in told if each)
