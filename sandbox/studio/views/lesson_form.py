"""What a reader sets in a lesson: a prediction, the controls, the trials and seeds. The address contains all but that
prediction, so that a link leads to the same lesson."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from sandbox.studies.answers import MOST, Answer
from sandbox.studies.lessons import CURVE, Control, Lesson, Question
from sandbox.studies.verdicts import POINTS, title, unit
from sandbox.studio.backend import wording
from sandbox.studio.backend.lesson_state import LessonState, Predicted
from sandbox.studio.components.sketch import Curve, Drawing, Paper, sketch
from sandbox.studio.views.address import forget, note
from sandbox.studio.views.shared import plain

NAME, ARM, SET, TRIALS, SEED, CLASS = "lesson", "arm", "set", "trials", "seed", "class"  # keys of the address
LONG = 600  # letters of one line


class Asked(NamedTuple):
    """What is to be measured."""

    settings: dict[str, str]  # labels of options by labels of controls
    trials: int | None  # None: a control sets them
    seed: int | None  # None: the typed one is invalid


# -- the address -------------------------------------------------------------------------------------------------------


def key_of(kind: str, lesson: Lesson, label: str = "") -> str:
    """The key of a choice in the session state."""
    return ".".join(filter(None, (kind, lesson.name, label)))


def read_address(lesson: Lesson, state: LessonState) -> None:
    """Take over what the address sets, once; what it names in vain is said."""
    if state.read:
        return
    state.read = True
    given = st.query_params
    turned = [each.partition("=")[::2] for each in given.get_all(SET)[:20]]
    controls = {control.label: control for control in lesson.plan.controls}
    for label, option in turned:
        known = controls[label].options if label in controls else ()
        if option in [each.label for each in known]:
            st.session_state[key_of("control", lesson, label)] = option
        else:
            note(f"no option '{option[:40]}' of '{label[:40]}'")
    arms = [arm.name for arm in lesson.plan.measure.arms]
    if given.get(ARM, arms[0]) in arms:
        st.session_state[key_of("arm", lesson)] = given.get(ARM, arms[0])
    else:
        note(f"no arm '{given[ARM][:40]}'")
    if SEED in given:
        st.session_state[key_of("seed", lesson)] = given[SEED][:40]
    trials = given.get(TRIALS, "")
    if trials.isdecimal() and trials.isascii() and len(trials) < 7 and 1 <= int(trials) <= MOST:
        st.session_state[key_of("trials", lesson)] = int(trials)
    elif trials:
        note(f"trials '{trials[:40]}'; expected a number in 1..{MOST:,}")


def address(lesson: Lesson, asked: Asked, arm: str) -> dict[str, list[str]]:
    """The fields of an address that leads here; what is as usual is left out."""
    first, base = lesson.plan.measure.arms[0], lesson.scenario(lesson.plan.measure.arms[0])
    usual = {control.label: control.default for control in lesson.plan.controls}
    fields = {
        NAME: [lesson.name],
        ARM: [arm] if arm != first.name else [],
        SET: [f"{label}={option}" for label, option in asked.settings.items() if option != usual[label]],
        TRIALS: [str(asked.trials)] if asked.trials not in (None, base.trials.count) else [],
        SEED: [str(asked.seed)] if asked.seed not in (None, base.seed) else [],
    }
    return {name: values for name, values in fields.items() if values}


def write_address(fields: Mapping[str, Sequence[str]]) -> None:
    """Put them into the page's address, in place of earlier ones."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: values for name, values in given.items() if name not in (ARM, SET, TRIALS, SEED)} | dict(fields)
    if wanted != given:
        st.query_params.from_dict(wanted)


# -- the prediction ----------------------------------------------------------------------------------------------------


def predict(lesson: Lesson, state: LessonState, busy: bool, shown: Answer | None, others: Sequence = ()) -> Predicted:
    """A chosen prediction or a drawn one; None before it is whole. ``shown`` is laid over a drawn one."""
    if lesson.plan.measure.ask == CURVE:
        return _drawn(lesson, state, busy, shown, others)
    texts = {each.text: each for each in lesson.plan.predictions}
    text = st.radio(
        "Your prediction", list(texts), index=None, key=key_of("prediction", lesson), disabled=busy,
        format_func=lambda text: plain(text, LONG), persist_state="session",
        help="Choose one before you measure; you may well be wrong.",
    )  # fmt: skip
    return texts.get(text)


def _drawn(lesson: Lesson, state: LessonState, busy: bool, shown: Answer | None, others: Sequence) -> Predicted:
    asked = lesson.plan.measure
    scale, key = (POINTS if asked.measure == "success" else 1), key_of("drawn", lesson)
    drawing: Drawing = st.session_state.get(key) or (None,) * len(asked.arms)
    if len(drawing) != len(asked.arms):  # the file has changed
        drawing = (None,) * len(asked.arms)
    if shown and isinstance(state.prediction, tuple):
        drawing = tuple(scale * value for value in state.prediction)
    st.markdown("**Your prediction.** Draw it, from the first place to the last.")
    scaled = [tuple(scale * value for value in each) for each in others]
    drawing = sketch(paper(asked), key_of("sketch", lesson), drawing, not busy and shown is None, _over(asked, shown),
                     scaled)  # fmt: skip
    st.session_state[key] = drawing
    return tuple(value / scale for value in drawing) if None not in drawing else None


def paper(asked: Question) -> Paper:
    """What a curve is drawn on; shares are in percent."""
    scale = POINTS if asked.measure == "success" else 1
    up = "Success, %" if asked.measure == "success" else f"{title(asked)}, {unit(asked)}"
    across = f"{asked.along.label},{asked.along.unit}" if asked.along.unit.strip() else asked.along.label
    places = [name.removesuffix(asked.along.unit) for name in asked.along.names]
    return Paper(across, places, up, *(scale * end for end in asked.range))


def _over(asked: Question, shown: Answer | None) -> Curve | None:
    if shown is None:
        return None
    scale = POINTS if asked.measure == "success" else 1
    value, low, high = zip(*(result.value for result in shown.results), strict=True)
    return Curve(*([scale * each for each in ends] for ends in (value, low, high)))


# -- controls ----------------------------------------------------------------------------------------------------------


def settings(lesson: Lesson, busy: bool) -> Asked:
    """The controls, and the trials and seeds."""
    turned = {control.label: _turn(lesson, control, busy) for control in lesson.plan.controls}
    return Asked(turned, *_dice(lesson, busy))


def _turn(lesson: Lesson, control: Control, busy: bool) -> str:
    options, key = [option.label for option in control.options], key_of("control", lesson, control.label)
    return one_of(control.label, options, control.default, key, control.help, busy)


def one_of(label: str, options: list[str], usual: str, key: str, words: str, busy: bool = False) -> str:
    """A choice that is kept while other pages are open, unless its option has disappeared from the file."""
    if st.session_state.get(key, usual) not in options:
        del st.session_state[key]
    known = {} if key in st.session_state else {"default": usual}
    return st.segmented_control(
        plain(label), options, required=True, key=key, format_func=plain, disabled=busy, persist_state="session",
        help=plain(words, LONG), on_change=forget, args=((),), **known,
    )  # fmt: skip


def _dice(lesson: Lesson, busy: bool) -> tuple[int | None, int | None]:
    """Trials of each arm, and the first seed; None if that is invalid."""
    base = lesson.scenario(lesson.plan.measure.arms[0])
    turned = any(key == "trials.count" for control in lesson.plan.controls for key in control.keys)
    with st.expander("Trials and seeds", icon=":material/casino:"):
        trials = None if turned else st.number_input(
            "Trials of each arm", 1, MOST, **_usual("trials", lesson, min(base.trials.count, MOST)), disabled=busy,
            persist_state="session", help="More trials make the intervals narrower, and take longer.",
        )  # fmt: skip
        text = st.text_input(
            "First seed", **_usual("seed", lesson, str(base.seed)), disabled=busy, persist_state="session",
            help="Other seeds are other dice: does the answer hold?",
        )  # fmt: skip
        seed = wording.seed(text)
        if seed is None:
            st.error(f"The seed is not a whole number in 0..2\\*\\*64-1: {plain(text, 40)}")
    return trials, seed


def _usual(kind: str, lesson: Lesson, value: int | str) -> dict:
    """Key and default of a field; a default beside a value from the address would cause a warning."""
    key = key_of(kind, lesson)
    return {"key": key} | ({} if key in st.session_state else {"value": value})
