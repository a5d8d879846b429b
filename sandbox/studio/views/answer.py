"""The answer to a lesson: each arm with its interval, the differences, and the verdict as text."""

from math import isfinite

import streamlit as st

from sandbox.engine.shapes import AGENTS
from sandbox.statistics import Estimate
from sandbox.studies.answers import Answer
from sandbox.studies.lessons import CURVE, Question
from sandbox.studies.verdicts import POINTS, judged, measured, missed, number, told, unit, words
from sandbox.studies.verdicts import title as named
from sandbox.studio.backend.lesson_state import Predicted
from sandbox.studio.views.shared import plain

ROW = 44  # pixels of one row of a picture
LONG = 600  # letters of one line
LABEL = 120  # letters of one row
BREAK = " | "  # a line break in a label
FRAME = 60  # pixels of axis and title
CLAIMED, SHOWN = "Claimed: at most", "Not ruled out yet: up to"


def answer(asked: Question, found: Answer, prediction: Predicted) -> None:
    """The answer of a lesson. Texts of the lesson's author are shown unchanged."""
    colour = _judged(asked, found, prediction)
    st.markdown(f"**:{colour}[Measured:]** {plain(words(asked, found), 3 * LONG)}")
    if asked.ask == "reliability":
        _reliability(asked, found)
    elif asked.ask != CURVE:  # which is laid over the drawn one
        _arms(asked, found)
        _differences(asked, found)
    for line in _beside(asked, found):
        st.caption(line)


def _judged(asked: Question, found: Answer, prediction: Predicted) -> str:
    """What became of the prediction; returns a colour."""
    if prediction is None:  # of a teacher, who need not predict
        return "blue"
    if isinstance(prediction, tuple):
        st.info(plain(missed(asked, found, prediction), LONG), icon=":material/draw:")
        return "blue"
    right = prediction.when == found.verdict
    icon, colour = ("check_circle", "green") if right else ("lightbulb", "blue")
    (st.success if right else st.info)(plain(judged(prediction, found), LONG), icon=f":material/{icon}:")
    return colour


def _arms(asked: Question, found: Answer) -> None:
    scale = POINTS if asked.measure == "success" else 1
    title = "Success, %" if asked.measure == "success" else f"{named(asked)}, {unit(asked)}"
    rows = [(result.name, result.value) for result in found.results]
    _points(rows, scale, title, AGENTS, "Each arm with its 95 % interval", zero=None)


def _differences(asked: Question, found: Answer) -> None:
    scale = POINTS if asked.measure == "success" else 1
    if asked.ask == "pairing":
        rows = [("The same dice", found.differences[0].value), ("Dice of their own", found.differences[1].value)]
    else:
        rows = [(f"{each.second}{BREAK}beside {each.first}", each.value) for each in found.differences]
    title = f"Difference on the same seeds, {unit(asked)}"
    _points(rows, scale, title, ("#888888",), "Paired differences with their intervals", zero=0)


def _points(rows: list[tuple[str, Estimate]], scale: float, title: str, hues, words: str, zero: float | None) -> None:
    """A point with its interval in each row; unbounded intervals are omitted."""
    data = [
        {"row": name[:LABEL], "value": scale * value.value, "hue": hues[k % len(hues)]}
        | ({"low": scale * value.low, "high": scale * value.high} if isfinite(value.low + value.high) else {})
        for k, (name, value) in enumerate(rows)
        if isfinite(value.value)
    ]
    lines = {"labelLimit": 170, "ticks": False, "labelExpr": f"split(datum.label, '{BREAK}')"}
    y = {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": lines}
    x = {"type": "quantitative", "title": title, "scale": {"zero": True, "padding": 8}, "axis": {"tickCount": 6}}
    hue = {"field": "hue", "type": "nominal", "scale": None}
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
         "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": hue}},
        {"mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
         "encoding": {"x": {**x, "field": "value"}, "y": y, "color": hue}},
    ]  # fmt: skip
    if zero is not None:
        mark = {"type": "rule", "strokeDash": [4, 4], "color": "#888888"}
        layers.insert(0, {"data": {"values": [{"at": zero}]}, "mark": mark, "encoding": {"x": {**x, "field": "at"}}})
    spec = {"data": {"values": data}, "layer": layers}
    st.vega_lite_chart(spec, width="stretch", height=FRAME + ROW * len(data), alt=words)


def _reliability(asked: Question, found: Answer) -> None:
    """Failures in a hundred thousand trials, on a logarithmic scale: the claim, and the interval from the trials."""
    many = 100_000
    rows = [(CLAIMED, many * (1 - asked.reliability)), (SHOWN, many * (1 - found.bound))]
    if found.failures:
        rows.append(("Seen", many * found.failures / found.results[0].trials))
    data = [{"row": name, "value": value, "hue": AGENTS[k]} for k, (name, value) in enumerate(rows)]
    x = {"field": "value", "type": "quantitative", "scale": {"type": "log"}, "title": "Failures in 100,000 trials",
         "axis": {"format": "~g", "tickCount": 5}}  # fmt: skip
    y = {"field": "row", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 170, "ticks": False}}
    mark = {"type": "point", "filled": True, "size": 160, "opacity": 1}
    encoding = {"x": x, "y": y, "color": {"field": "hue", "type": "nominal", "scale": None}}
    spec = {"data": {"values": data}, "mark": mark, "encoding": encoding}
    st.vega_lite_chart(spec, width="stretch", height=FRAME + ROW * len(data), alt="The claim and the evidence")


def _beside(asked: Question, found: Answer) -> list[str]:
    """The values and further measures of the arms, a line each, and their origin."""
    lines = [f"{named(asked)}: " + "; ".join(_value(asked, result) for result in found.results)]
    for name in asked.also:
        means = (f"{plain(result.name)} {plain(told(name, result.also[name]))}" for result in found.results)
        lines.append(f"{_label(name)}, on average: " + "; ".join(means))
    first, last = found.seeds
    lines.append(f"Seeds {first} to {last}; measured here in {number(found.seconds)} s.")
    return lines


def _value(asked: Question, result) -> str:
    scale = POINTS if asked.measure == "success" else 1
    low, high = (number(scale * end) for end in result.value[1:])
    return plain(f"{result.name} {measured(asked, result.value.value)} ({low} .. {high})", 2 * LONG)


def _label(measure: str) -> str:
    return measure.replace("_", " ").capitalize()
