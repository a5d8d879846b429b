"""The transcript of an episode beside its picture: found by words, a click on a line goes to its tick."""

from html import escape
from itertools import islice
from pathlib import Path

import streamlit as st

from sandbox.report.transcript import turn_parts
from sandbox.running.transcript import Finding, Transcript, Turn
from sandbox.studio.backend import record as evidence
from sandbox.studio.backend.background_task import BackgroundTask
from sandbox.studio.backend.runner import Runner
from sandbox.studio.backend.snapshot import Snapshot
from sandbox.studio.components.table import Cell, Row, table
from sandbox.studio.views.record import EMPTY, POLL, progress
from sandbox.studio.views.shared import plain

SHOWN = 200  # turns in the list
LONGEST = 20_000  # letters of one text of a turn
TASK, PICKED = "transcript.task", "transcript.picked"  # keys of the session state
EVERYONE = "everyone"
KINDS = {
    "came to nothing": lambda turn: bool(turn.refused or turn.reviewed),
    "fallback": lambda turn: bool(turn.fallback or turn.failure),
    "message": lambda turn: bool(turn.said or turn.heard),
}


def transcript(show: Runner, snapshot: Snapshot) -> None:
    """The panel of the transcript, for the first episode."""
    now = snapshot.counters
    if not now or not now.head:
        st.caption(EMPTY)
        return
    about = now.folder, now.trial, now.head
    if st.session_state.get(TASK, (None,))[0] != about:
        st.session_state[TASK] = about, evidence.transcript_of(Path(now.folder), now.trial)
        st.session_state.pop(PICKED, None)
    errand: BackgroundTask = st.session_state[TASK][1]
    report = errand.peek()
    if report.phase == "done":
        _read(show, report.value)
    elif report.phase == "failed":
        st.error(plain(report.error, 600), icon=":material/error:")
    elif report.phase == "stopped":
        st.button("Read the transcript", on_click=st.session_state.pop, args=(TASK,))
    else:
        st.fragment(_working, run_every=POLL)(errand)


def _working(errand: BackgroundTask) -> None:
    report = errand.peek()
    if report.phase != "working":
        st.rerun()
    progress("Reading the transcript", report, errand)


def _read(show: Runner, found: Transcript) -> None:
    _findings(show, found)
    words = st.text_input("Find", key="transcript.words", icon=":material/search:",
                          placeholder="words that agents saw, were sent, answered, did")  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.selectbox("Agent", (EVERYONE, *found.names), key="transcript.who")
        kinds = st.pills("Only", KINDS, selection_mode="multi", key="transcript.kinds",
                         help="Only turns of these kinds; none chosen: all")  # fmt: skip
    turns = [
        turn
        for turn in found.turns
        if (who == EVERYONE or turn.name == who) and (not kinds or any(KINDS[kind](turn) for kind in kinds))
    ]
    turns = list(islice((turn for turn in turns if turn.has(words)), SHOWN + 1))
    picked = st.session_state.get(PICKED)
    if picked is not None and picked < len(found.turns):
        _turn(found, found.turns[picked])
    numbers = {id(turn): number for number, turn in enumerate(found.turns)}
    rows = [_row(turn, numbers[id(turn)]) for turn in turns[:SHOWN]]
    opened = table(("Tick", "Agent", "Did", "What came of it"), rows, "transcript", "turns", find=False).opened
    if len(turns) > SHOWN:
        st.caption(f"The first {SHOWN}: choose an agent, a kind or words to find others.")
    if opened:
        _go(show, found, int(opened))
        st.rerun()


def _findings(show: Runner, found: Transcript) -> None:
    """Where to look first: a click goes there."""
    with st.container(key="findings", gap="small"):
        for number, finding in enumerate(found.findings):
            who = f", {found.names[finding.agent]}" if finding.agent >= 0 else ""
            label = f"**{finding.what.capitalize()}**, tick {finding.tick}{plain(who)}: {plain(finding.text, 200)}"
            st.button(label, key=f"finding{number}", type="tertiary", icon=":material/my_location:",
                      on_click=_find, args=(show, found, finding))  # fmt: skip


def _find(show: Runner, found: Transcript, finding: Finding) -> None:
    _go(show, found, (finding.tick - 1) * len(found.names) + max(finding.agent, 0))


def _go(show: Runner, found: Transcript, number: int) -> None:
    st.session_state[PICKED] = number
    show.seek(found.turns[number].tick)


def _row(turn: Turn, number: int) -> Row:
    did = f"{turn.did}: {turn.thought or turn.doing}"
    cells = (Cell(f"{turn.tick:,}", turn.tick), Cell(turn.name, turn.agent), Cell(did), Cell(turn.came))
    return Row(str(number), f"?tick={turn.tick}", cells, bool(turn.refused or turn.fallback or turn.failure))


def _turn(found: Transcript, turn: Turn) -> None:
    """One turn, with all its texts."""
    with st.container(border=True, key="turn"):
        head = f"<b>{escape(turn.name)}</b> <span>tick {turn.tick:,}, {escape(found.reasoners[turn.agent])}</span>"
        parts = "".join(f"<dt>{label}</dt><dd>{escape(text[:LONGEST])}</dd>" for label, text in turn_parts(turn))
        st.html(f'<div class="who">{head}</div><dl class="turn" tabindex="0">{parts}</dl>')
