"""The record behind the picture: its checks, and its downloads."""

from pathlib import Path

import streamlit as st

from sandbox.core.errors import RecordError
from sandbox.core.finish import label, notable
from sandbox.studio.backend import record as evidence
from sandbox.studio.backend.background_task import BackgroundTask, Report
from sandbox.studio.backend.runner import Runner
from sandbox.studio.backend.snapshot import Snapshot
from sandbox.studio.views.shared import download, plain

POLL = 0.5  # seconds between two updates of background tasks
EMPTY = "Nothing is recorded yet: play an episode first."


def record(show: Runner, snapshot: Snapshot) -> None:
    """The panel of the record, for the first episode."""
    now = snapshot.counters
    if not now or not now.head:
        st.caption(EMPTY)
        return
    folder, trial = Path(now.folder), now.trial
    st.caption(f"{plain(str(folder))}: {now.head:,} ticks")
    asked = _asked(folder, trial)
    with st.container(horizontal=True):
        if st.button("Check the chain", icon=":material/link:", help="Recompute every hash of the record."):
            asked["chain"] = evidence.chain_of(folder)
        if st.button(
            "Execute again",
            icon=":material/replay:",
            help="Executes every tick from the seed and compares it with the record.",
        ):
            asked["executed"] = evidence.executed(folder)
        for suffix in (".gif", ".mp4"):
            name = suffix[1:].upper()
            if st.button(f"Make a {name}", icon=":material/movie:", help="The episode from its start to here."):
                asked[suffix] = evidence.video(folder, trial, suffix)
    st.fragment(_reports, run_every=POLL if _working(asked) else None)(asked, _working(asked))
    download("Download the record", lambda: _copied(folder), f"{folder.name}.db", "application/vnd.sqlite3",
             "One SQLite file. In a folder as run.db it is a run.")  # fmt: skip
    _outcome(evidence.outcomes(folder).get(trial))


def _asked(folder: Path, trial: int) -> dict[str, BackgroundTask]:
    """Background tasks on this record, by kind. Tasks on another record are dropped, which stops them."""
    about, asked = st.session_state.get("evidence", (None, {}))
    if about != (folder, trial):
        asked = {}
        st.session_state["evidence"] = ((folder, trial), asked)
    return asked


def _working(asked: dict[str, BackgroundTask]) -> list[str]:
    return [kind for kind, errand in asked.items() if errand.peek().phase == "working"]


def _reports(asked: dict[str, BackgroundTask], drawn: list[str]) -> None:
    """The state of all tasks; drawn again while any of them works, without delaying the page."""
    for kind, errand in list(asked.items()):
        report = errand.peek()
        if report.phase == "working":
            progress(_named(kind), report, errand)
        else:
            _report(kind, report)
    if _working(asked) != drawn:
        st.rerun()


def progress(name: str, report: Report, errand: BackgroundTask) -> None:
    """How far a background task is, and a button that cancels it."""
    now, words = report.progress, f"{name}: {report.seconds:.0f} s so far"
    share = min(1.0, now.done / now.total) if now and now.total else 0.0
    told = f", {now.unit} {now.done:,} of {now.total:,}" if now else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, f"{words}{told}")
        st.button("Cancel", key=f"cancel{name}", icon=":material/close:", on_click=errand.stop,
                  help="What has been done so far is dropped.")  # fmt: skip


def _copied(folder: Path) -> bytes:
    try:
        return evidence.copy_of(folder)
    except RecordError as error:
        return str(error).encode()


def _report(kind: str, report: Report) -> None:
    """The result of a background task."""
    if report.phase == "stopped":
        st.caption(f":material/close: {_named(kind)}: cancelled")
    elif report.phase == "failed":
        st.error(f"{_named(kind)}: {plain(report.error, 600)}", icon=":material/error:")
    elif kind in (".gif", ".mp4"):
        mime = "image/gif" if kind == ".gif" else "video/mp4"
        download(f"Save the {kind[1:].upper()}", lambda: report.value, f"episode{kind}", mime, "The file is ready.")
    else:
        fine = report.value.intact if kind == "chain" else report.value.passed
        box, icon = (st.success, ":material/verified:") if fine else (st.error, ":material/gpp_bad:")
        box("\n\n".join(plain(line, 600) for line in report.value.summary.splitlines()), icon=icon)


def _named(kind: str) -> str:
    return {"chain": "The hash chain", "executed": "Executing again"}.get(kind, f"The {kind[1:].upper()}")


def _outcome(outcome: dict | None) -> None:
    if outcome is None:
        st.caption("The episode has not ended; its outcome will appear here.")
        return
    rows = [{"measure": label(name), "value": _told(value)} for name, value in notable(outcome).items()]
    st.dataframe(rows, hide_index=True, width="stretch", height="content")


def _told(value) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
