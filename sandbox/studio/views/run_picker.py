"""A run or a row of a batch, chosen from the library, or named by the page's address."""

from collections import Counter
from pathlib import Path

import streamlit as st

from sandbox.running.listing import Entry, listing, look
from sandbox.studio.backend.places import inside
from sandbox.studio.views.address import forget, within
from sandbox.studio.views.shared import plain

NONE = ""
LONGEST = 1_000  # letters of a folder in the address
LONGEST_NAME = 120  # of a run
MOST = 300  # runs to choose from; the table has all


def chosen(key: str, label: str) -> tuple[Path, int] | None:
    """Draw the choice; returns a folder and the number of a trial. ``key`` is its name in the address."""
    entries = {entry.folder: entry for entry in listing(most=MOST)}
    given = from_address(key)
    if given and given not in entries:
        entries[given] = look(given)
    options, labels = [NONE, *entries], _labels(entries)
    folder = st.selectbox(
        label, options, options.index(given), key=_key(key, given),
        format_func=lambda name: labels[name] if name else "no run",
        help="The runs in the folder of runs, the latest first.",
    )  # fmt: skip
    _tell(key, folder)
    trial = "trial" if key == "run" else f"{key}_trial"
    if folder != given:
        forget(())
        _tell(trial, NONE)  # the former value belongs to another batch
    return (Path(folder), _trial(entries[folder], trial)) if folder else None


def _labels(entries: dict[str, Entry]) -> dict[str, str]:
    """A label of each run; Streamlit 1.67 takes the first of two options that look alike for the other one."""
    labels = {folder: entry.words()[:LONGEST_NAME] for folder, entry in entries.items()}
    often = Counter(labels.values())
    return {folder: f"{label} ({Path(folder).name})" if often[label] > 1 else label for folder, label in labels.items()}


def from_address(key: str) -> str:
    """The folder that the page's address names; empty, with a message, if it is not in the folder of runs."""
    asked = st.query_params.get(key, NONE)[:LONGEST]
    given = inside(asked)
    if asked and not given:
        st.error(plain(f"{asked}: not below the folder of runs"), icon=":material/error:")
    return given


def _trial(entry: Entry, key: str) -> int:
    """The choice of a trial; without a widget if the run has only one."""
    if entry.kind == "run" and entry.planned <= 1:
        _tell(key, NONE)
        return 0
    most = max(entry.done, entry.planned, 1) - 1
    given = int(st.query_params[key]) if within(key, 0, most) else 0
    words = "Row of the batch's table, from 0; its worst seeds are listed on the page Batch."
    trial = int(st.number_input("Trial", 0, most, given, key=_key(key, f"{entry.folder}.{given}"), help=words))
    _tell(key, str(trial))
    return trial


def _key(key: str, given: str) -> str:
    """The key of a widget whose first value comes from the address; another value makes another widget.

    A value put into the session state instead is lost if a second rerun overtakes the first (Streamlit 1.67).
    """
    return f"chosen.{key}.{given}"


def _tell(key: str, value: str) -> None:
    """Put the choice into the address.

    Nothing is said if it is there: on the way from another page Streamlit 1.67 would put it into that page's address
    first, as a step of its own for the browser's Back.
    """
    if not value:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value
