"""A run or a row of a batch, chosen from the library, or named by the page's address."""

from pathlib import Path

import streamlit as st

from sandbox.fronts.studio.show.library import Entry, library, look

NONE = ""
LONGEST = 1_000  # letters of a folder in the address


def chosen(key: str, label: str) -> tuple[Path, int] | None:
    """Draw the choice; returns a folder and the number of a trial. ``key`` is what the address calls it."""
    entries = {entry.folder: entry for entry in library()}
    given = st.query_params.get(key, "").replace("\0", "")[:LONGEST]
    if given and given not in entries:
        entries[given] = look(given)
    own, seen = f"chosen.{key}", f"seen.{key}"  # not bound to the address: that would hold the words, not the folder
    if own not in st.session_state or given != st.session_state.get(seen):
        st.session_state[own] = given
    if st.session_state[own] not in (NONE, *entries):
        st.session_state[own] = NONE  # its folder is gone
    folder = st.selectbox(
        label, [NONE, *entries], key=own, format_func=lambda name: _told(entries[name]) if name else "None",
        help="What lies below the folder of runs, the latest first.",
    )  # fmt: skip
    st.session_state[seen] = folder
    if folder:
        st.query_params[key] = folder
    else:
        st.query_params.pop(key, None)
    if not folder:
        return None
    return Path(folder), _trial(entries[folder], "trial" if key == "run" else f"{key}_trial")


def _trial(entry: Entry, key: str) -> int:
    """Which trial; of a run with one, that one."""
    if entry.kind == "run" and entry.planned <= 1:
        return 0
    most = max(entry.done, entry.planned, 1) - 1
    words = "Row of the batch's table, from 0; its worst seeds are listed on the page Batch."
    return int(st.number_input("Trial", 0, most, key=key, bind="query-params", help=words))


def _told(entry: Entry) -> str:
    kind = "" if entry.kind == "run" else f"{entry.kind}: "
    return f"{kind}{entry.title[:60]} · {entry.created[:16].replace('T', ' ')} · {Path(entry.folder).name[:40]}"
