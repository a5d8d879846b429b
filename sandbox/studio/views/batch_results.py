"""The results of a batch: verdict, tables, figures, and its worst seeds."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from sandbox.analysis.measures import check_errors
from sandbox.core.errors import SandboxError
from sandbox.running.listing import listing
from sandbox.studies.summary import Study
from sandbox.studio.backend import batch_results
from sandbox.studio.components.svg import draw
from sandbox.studio.components.table import Cell, Row
from sandbox.studio.components.table import table as table_of
from sandbox.studio.views.shared import go, link, plain

WORST = 8  # seeds that are shown
CHARTS, MARKS, LISTED = 12, 200, 2_000  # small charts, trials in each of them, trials in the table
_X = {"field": "ticks", "type": "quantitative", "title": "ticks", "axis": {"tickCount": 5, "grid": False}}
_KINDS = {"domain": [True, False]}
_SPEC = {
    "mark": {"type": "point", "filled": True, "size": 45, "opacity": 0.75, "cursor": "pointer"},
    "encoding": {
        "y": {"field": "place", "type": "quantitative", "axis": None, "scale": {"domain": [-0.1, 1.1]}},
        "color": {"field": "success", "scale": {**_KINDS, "range": ["#3f9fd6", "#d55e00"]}, "legend": None},
        "shape": {"field": "success", "scale": {**_KINDS, "range": ["circle", "cross"]}, "legend": None},
        "href": {"field": "address"},
        "tooltip": [{"field": name, "type": "nominal", "title": title} for name, title in (
            ("seed", "seed"), ("finish", "came to"), ("tasks", "tasks done"), ("ticks", "ticks"))],
    },
}  # fmt: skip
FORMATS = dict.fromkeys(("success", "autonomy", "low", "high", "beside clean", "from", "to"), "%.2f")
FORMATS |= {"p": "%.2g", "pass^8": "%.3f", "steps": "%.1f", "steps, mean": "%.1f", "trials": "localized"}
NOTES = {
    "success": "share of trials that succeed",
    "autonomy": "share of decisions that were the agents' own; a fallback policy or a person made the others",
    "low": "exact 95 % interval", "high": "exact 95 % interval",
    "pass^8": "the chance that 8 trials all succeed", "steps": "ticks to completion, restricted mean: a failure counts "
    "with the tick limit", "p50": "the tick by which half of all trials are done; empty where they never are",
    "p95": "the tick by which 95 % of all trials are done; empty where they never are",
    "errors": "failures of the machinery, which count for nothing",
    "p": "McNemar's test, which agrees with the interval",
    "p, Holm": "the same, adjusted for all rows of the table",
    "pairs": "seeds that both were tried on", "beside clean": "points of success, on the same seeds",
}  # fmt: skip


def outcomes(folder: str, study: Study) -> None:
    """The present results of a batch."""
    if study.certificate:
        verdict(study.certificate)
    if study.doubt:
        st.error(f"**No certificate:** {plain(study.doubt)}", icon=":material/gpp_bad:")
    try:
        check_errors(study.rows, folder)
    except SandboxError as error:
        st.error(plain(str(error)), icon=":material/error:")
    st.markdown("#### Conditions")
    table(batch_results.conditions(study))
    _worst(folder, study)
    _multiples(study)
    _trials(folder, study)
    st.markdown("#### Figures")
    with st.spinner("Drawing ..."):
        drawn = batch_results.figures(folder)
    style = Path(__file__).with_name("figures.css").read_text("utf-8")
    draw(f'<style>{style}</style><div class="figures">{drawn}</div>', key="figures")
    if study.curves:
        with st.expander("Robustness, severity by severity", icon=":material/bolt:"):
            table(batch_results.points(study))
    if len(study.conditions) > 1 and study.kind != "certificate":  # the conditions of a certificate share no seeds
        with st.expander("Beside the first condition, on the same seeds", icon=":material/compare_arrows:"):
            _first(study)
    _compare(folder)


def verdict(found: dict) -> None:
    """The statement of a certificate."""
    claim = found["claim"]
    rate, level = f"{claim['reliability']:.10g}", f"{claim['confidence']:.10g}"
    told = (
        f"success of the {claim.get('of', 'agents')} in at least {rate} of trials at {level} confidence. "
        f"Exact bound {found['bound']:.7f}, from "
        f"{found['trials']:,} trials with {found['failures']:,} failures, {claim['failures']:,} allowed."
    )
    if found["earned"]:
        st.success(f"**Earned:** {told}", icon=":material/verified:")
    else:
        why = f" {plain(found['refusal'])}." if found.get("refusal") else ""
        st.error(f"**Not earned:** {told}{why}", icon=":material/gpp_bad:")
    st.caption(
        f"Root {plain(found['root'])}; `sandbox verify` checks it against the outcomes and executes a sample again."
    )


def table(frame: pd.DataFrame) -> None:
    """A table with labelled, formatted columns."""
    config = {}
    for name in frame.select_dtypes("number").columns:
        label = f"{name}, %" if name in ("success", "autonomy") else name
        config[name] = st.column_config.NumberColumn(label, format=FORMATS.get(name), help=NOTES.get(name))
    st.dataframe(frame, hide_index=True, column_config=config, placeholder="–")


def _worst(folder: str, study: Study) -> None:
    found = batch_results.episodes(study, WORST)
    if not found:
        return
    words = "Failures first, each condition in turn, those that got least far; then the slowest that succeeded"
    st.markdown("#### Worst seeds", help=words)
    with st.container(key="worst"):
        for each in found:
            done = f"{each.tasks_done} of {each.tasks_total} tasks" if each.tasks_total else f"{each.tasks_done} tasks"
            told = f"{each.finish} after {each.ticks:,} ticks, {done}; {each.condition}"
            label = f"**Replay seed {each.seed}** {plain(told, 160)}"
            replay_link(folder, each.row, label, failed=not each.success)


def _multiples(study: Study) -> None:
    """A small chart for each condition, all with one axis: its trials, each of which opens by a click."""
    shown = study.conditions[:CHARTS]
    longest = int(study.rows["ticks"].max()) if len(study.rows) else 1
    words = "Each mark is a trial, at the tick at which it ended: point at it to read it, click it to replay it."
    st.markdown("#### Trials, condition by condition", help=words)
    with st.container(key="multiples"):
        for number, each in enumerate(shown):
            success = each.measures.success
            rate = f"{success.value:.0%} of {each.measures.trials:,} succeed" if success else "no trial counts"
            title = {"text": each.words[:60], "subtitle": rate, "anchor": "start", "fontSize": 13}
            spec = {
                **_SPEC,
                "title": title,
                "encoding": {**_SPEC["encoding"], "x": {**_X, "scale": {"domain": [0, longest]}}},
            }
            st.vega_lite_chart(batch_results.trials(study, number, MARKS), spec, width="stretch", height=170,
                               key=f"multiple{number}", alt=f"{each.words[:200]}: {rate}")  # fmt: skip
    if len(study.conditions) > CHARTS:
        st.caption(f"The first {CHARTS} of {len(study.conditions)} conditions; the table below has the trials of all.")


def _trials(folder: str, study: Study) -> None:
    """All trials as a table: sorted, found by words, opened by a click."""
    words = dict(enumerate(each.words for each in study.conditions))
    rows = study.rows if len(study.rows) <= LISTED else study.rows.iloc[:: -(-len(study.rows) // LISTED)]
    with st.expander(f"All {len(study.rows):,} trials as a table", icon=":material/table_rows:"):
        told = [_row(folder, words[each.condition], each) for each in rows.itertuples()]
        columns = ("Seed", "Condition", "Came to", "Tasks done", "Ticks", "Refused")
        opened = table_of(columns, told, "trials", "trials", (4, True), example="tick limit").opened
        if len(rows) < len(study.rows):
            st.caption(f"Every {-(-len(study.rows) // LISTED)}th trial; CSV has all.")
    if opened:
        go("Runs", {"run": folder, "trial": opened})


def _row(folder: str, condition: str, each: Any) -> Row:
    total = f"{each.tasks_done} of {each.tasks_total}" if each.tasks_total else f"{each.tasks_done}"
    finish = f"not counted: {each.error}" if isinstance(each.error, str) else each.finish
    cells = (Cell(f"seed {each.seed}", float(each.seed)), Cell(condition), Cell(finish), Cell(total, each.tasks_done),
             Cell(f"{each.ticks:,}", each.ticks), Cell(f"{each.refused_actions:,}", each.refused_actions))  # fmt: skip
    href = f"replay?{urlencode({'run': folder, 'trial': each.Index})}"
    return Row(str(each.Index), href, cells, not each.success)


def replay_link(folder: str, row: int, label: str, failed: bool) -> None:
    """A link to the page of runs, which opens a trial of a batch by its row."""
    icon = ":material/cancel:" if failed else ":material/slow_motion_video:"
    words = "Replay it: " + ("it failed" if failed else "it succeeded, slowly")
    link("Runs", label, words, icon=icon, query_params={"run": folder, "trial": str(row)})


def _first(study: Study) -> None:
    frame = batch_results.paired(study)
    if frame.empty:
        st.caption("Nothing to pair yet: the conditions share no seeds that are done.")
        return
    table(frame)
    if len(study.conditions) > len(frame) + 1:
        st.caption(f"The first {len(frame)} of {len(study.conditions) - 1}.")


def _compare(folder: str) -> None:
    """The comparison with another batch."""
    others = [each for each in listing() if each.kind in ("batch", "certificate") and each.done]
    others = [each for each in others if Path(each.folder) != Path(folder)]
    if not others:
        return
    chosen = st.selectbox(
        "Beside another batch", others, None, key="other",
        format_func=lambda each: f"{each.title[:60]} ({each.folder[-60:]})", placeholder="Choose one on the same seeds",
        help="Its success minus that of this batch, on the same seeds and under equal conditions",
    )  # fmt: skip
    if not chosen:
        return
    try:
        table(batch_results.beside(folder, chosen.folder))
    except SandboxError as error:
        st.warning(plain(error, 300))
