"""The table of all runs: a click on one opens it; names, tags, and deleting with undo."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.running.listing import RUNS, Entry, listing, when
from sandbox.running.notes import Notes, note, notes_of
from sandbox.running.trash import delete, restore
from sandbox.studio.components.table import Cell, Row, table
from sandbox.studio.views.shared import go, plain

EMPTY = "No run yet: play an episode on the page Watch, or start a batch. Every one of them is listed here."
COLUMNS = ("Run", "When", "Scenario", "Who decides", "Who acted", "Outcome", "Length", "Tags")
PROBLEM, DELETED = "runs.problem", "runs.deleted"  # keys of the session state


def runs() -> None:
    """Draw the table, and the commands for the ticked rows; a clicked row opens."""
    st.markdown("### Runs", help="Every run, batch and certificate in the folder of runs. Click one to open it.")
    _told()
    entries = {entry.folder: entry for entry in listing()}
    if not entries:
        st.info(EMPTY, icon=":material/inventory_2:")
        return
    commands = st.container()
    found = table(
        COLUMNS, [_row(entry) for entry in entries.values()], "runs", "runs", (1, True), ticks=True,
        example="rules seed 1 completed",
    )  # fmt: skip
    if found.opened:
        _open(entries[found.opened])
    with commands:
        _commands([entries[folder] for folder in found.ticked])


def _open(entry: Entry) -> None:
    if entry.kind == "run":
        st.query_params.from_dict({"run": entry.folder})  # of this page, to which no link can lead
        st.rerun()
    go("Batch", {"run": entry.folder})


def _row(entry: Entry) -> Row:
    page = "replay" if entry.kind == "run" else "batch"
    cells = (
        Cell(entry.words()), Cell(when(entry.created), entry.created), Cell(entry.title), Cell(entry.model),
        Cell(entry.acted), Cell(entry.outcome, entry.share if entry.done else -1),
        Cell(entry.length, entry.ticks if entry.ticks is not None else entry.done), Cell(", ".join(entry.tags)),
    )  # fmt: skip
    failed = bool(entry.problem) or entry.state == "failed" or (entry.kind == "run" and not entry.successes)
    return Row(
        entry.folder, f"{page}?{urlencode({'run': entry.folder})}", cells, failed, f"{entry.folder} {entry.kind}"
    )


# -- commands ----------------------------------------------------------------------------------------------------------


def _commands(picked: list[Entry]) -> None:
    """Rename, tag and delete what is ticked; two runs can be opened side by side."""
    if not picked:
        st.caption("Click a run to open it. Tick some to rename, tag, compare or delete them.")
        return
    single = picked[0] if len(picked) == 1 else None
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs-commands"):
        if single:
            name = st.text_input("Name", single.name, max_chars=120, key=f"name.{single.folder}",
                                 placeholder=single.words(), help="Empty: a name that says what it is")  # fmt: skip
            if name != single.name:
                _do(lambda: note(single.folder, notes_of(single.folder)._replace(name=name)))
        tags = sorted({tag for entry in picked for tag in entry.tags})
        given = st.multiselect("Tags", tags, tags, key=f"tags.{hash(tuple(picked))}", accept_new_options=True,
                               placeholder="Type a tag", help="Of all ticked runs")  # fmt: skip
        if sorted(given) != tags:
            _do(lambda: [_tag(entry, tags, given) for entry in picked])
        if len(picked) == 2 and all(entry.kind == "run" for entry in picked):
            st.button("Side by side", icon=":material/splitscreen_right:", key="runs.beside", on_click=_beside,
                      args=(picked,), help="Play both in step")  # fmt: skip
        st.button(f"Delete {len(picked)}", icon=":material/delete:", key="runs.delete", on_click=_delete,
                  args=(picked,), help="Into the trash of the folder of runs; it can be undone")  # fmt: skip


def _tag(entry: Entry, before: list[str], now: list[str]) -> None:
    """Add the new tags, and remove those that were taken away."""
    kept = [tag for tag in entry.tags if tag in now]
    note(entry.folder, Notes(entry.name, (*kept, *(tag for tag in now if tag not in before))))


def _do(deed: Callable[[], object]) -> None:
    try:
        deed()
    except SandboxError as error:
        st.session_state[PROBLEM] = str(error)
    st.rerun()


def _beside(picked: list[Entry]) -> None:
    st.query_params.from_dict({"run": picked[0].folder, "beside": picked[1].folder})


def _delete(picked: list[Entry]) -> None:
    moved: list[Path] = []
    try:
        for entry in picked:
            moved.append(delete(entry.folder, RUNS))
    except SandboxError as error:
        st.session_state[PROBLEM] = str(error)
    st.session_state[DELETED] = moved


def _undo() -> None:
    try:
        for moved in st.session_state.pop(DELETED):
            restore(moved, RUNS)
    except SandboxError as error:
        st.session_state[PROBLEM] = str(error)


def _told() -> None:
    """What the last command came to."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(plain(problem, 400), icon=":material/error:")
    if moved := st.session_state.get(DELETED):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/delete: Deleted: {plain(', '.join(path.name for path in moved), 200)}")
            st.button("Undo", icon=":material/undo:", key="runs.undo", on_click=_undo, help="Put them back")
