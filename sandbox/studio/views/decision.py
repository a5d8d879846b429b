"""The last decision of an agent: its action, reason, calls and imagined futures."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from sandbox.studio.backend.decision import Decided, Exchange, Option
from sandbox.studio.backend.wording import number

NONE = "It has not decided anything yet: press Step for one tick."
COMPILED = "A compiled policy decided, from the agent's own observation and notes; it gives no reasons."
TEXT = 240  # pixels of a prompt


def decision(one: Decided | None) -> None:
    """The action of an agent in the latest tick, and its explanation."""
    if one is None:
        st.caption(NONE)
        return
    st.html(_headline(one))
    if one.options:
        _options(one.options)
    elif not one.exchanges and not (one.thought or one.fallback or one.person):
        st.caption(COMPILED)
    _exchanges(one.exchanges)


def _headline(one: Decided) -> str:
    """The action with its remarks."""
    told = [
        ("⊘", "Refused", one.refused), ("↩", "Fallback acted", one.fallback), ("☺", "A person decided", one.person),
        ("◷", "Late", f"{one.late} ticks after it was perceived" if one.late else ""), ("❝", "Reason", one.thought),
        ("⚑", "Sub-goal", one.subgoal),
    ]  # fmt: skip
    lines = "".join(_why(f"{mark} {label}", text) for mark, label, text in told if text)
    return f'<div class="did"><span>Tick {one.tick}</span> <b>{escape(one.action)}</b></div>{lines}'


def _why(label: str, text: str) -> str:
    return f'<div class="why"><span>{label}</span><span>{escape(text)}</span></div>'


def _options(options: Sequence[Option]) -> None:
    """Candidates as bars with error bars; the chosen one is marked by text and by its frame."""
    futures = max(option.futures for option in options)
    rows = [row for k, option in enumerate(options) if (row := _row(k, option))]
    data = {field: [row[field] for row in rows] for field in ("action", "gain", "low", "high", "taken")}
    st.caption(
        f"Candidates: gain over the base policy's own choice in {futures} imagined futures, in parts of the task",
        help="Mean with its standard error. The base policy's own choice stands unless another one is clearly better.",
    )
    st.vega_lite_chart(data, SPEC, width="stretch", height="content", key="candidates", alt="Gains of candidates")
    if len(options) == 1:
        st.caption("No choice: only one action was possible.")
    elif not any(row["gain"] for row in rows):
        st.caption("No action is expected to gain or lose anything against the base policy's own choice.")


def _row(place: int, option: Option) -> dict | None:
    gain, error = number(option.gain), number(option.error)
    if gain is None:
        return None
    marks = [mark for mark, there in (("▶ chosen", option.taken), ("base policy's own", option.own)) if there]
    name = f"{option.action} ({', '.join(marks)})" if marks else option.action
    low, high = (gain - (error or 0.0), gain + (error or 0.0))
    return {"action": name, "gain": gain, "low": low, "high": high, "taken": option.taken}


def _spec() -> dict:
    """The chart's specification, the same for every decision."""
    name = {"field": "action", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 240}}
    gain = {"field": "gain", "type": "quantitative", "title": None, "axis": {"tickCount": 5, "format": ",.4~f"}}
    taken = {"condition": {"test": "datum.taken", "value": 1.0}, "value": 0.45}
    frame = {"condition": {"test": "datum.taken", "value": 2}, "value": 0}
    bar = {"mark": {"type": "bar", "stroke": "gray"}, "encoding": {"x": gain, "opacity": taken, "strokeWidth": frame}}
    low, high = {"field": "low", "type": "quantitative", "title": None}, {"field": "high"}
    rule = {"mark": {"type": "rule", "strokeWidth": 2, "color": "gray"}, "encoding": {"x": low, "x2": high}}
    dot = {"mark": {"type": "point", "filled": True, "size": 40, "color": "gray"}, "encoding": {"x": gain}}
    return {"height": {"step": 24}, "encoding": {"y": name}, "layer": [bar, rule, dot]}


SPEC = _spec()


def _exchanges(exchanges: Sequence[Exchange]) -> None:
    """Prompt and reply of each call; the last one is open."""
    if not exchanges:
        return
    tokens, money = sum(each.tokens for each in exchanges), number(sum(each.money for each in exchanges))
    seconds = sum(each.seconds for each in exchanges)
    cost = f"{money:.4f} US dollars" if money is not None else "unknown cost"
    st.caption(f"{len(exchanges)} calls of the language model: {tokens:,} tokens, {cost}, {seconds:.2f} s")
    for k, each in enumerate(exchanges, 1):
        told = f"Call {k}: {each.tokens:,} tokens, {each.seconds:.2f} s, {'not used' if each.problem else 'used'}"
        with st.expander(told, expanded=k == len(exchanges)):
            st.caption("Prompt, after the instructions")
            st.code(each.prompt, language=None, wrap_lines=True, height=TEXT)
            if each.thinking:
                st.caption("Thinking")
                st.code(each.thinking, language=None, wrap_lines=True, height=TEXT)
            st.caption(f"Reply ({each.manner})" if each.manner else "Reply")
            st.code(each.reply or "(none)", language=None, wrap_lines=True)
            if each.problem:
                st.html(_why("⚠ Not used", each.problem))
