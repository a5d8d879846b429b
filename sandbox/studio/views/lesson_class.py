"""Teacher's mode: a class predicts together, and its teacher reveals the answer to all at once."""

from urllib.parse import urlencode

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.studies.lessons import Lesson, Prediction
from sandbox.studio.backend.classroom import Class, classes, counted, curves
from sandbox.studio.backend.lesson_state import LessonState, Predicted
from sandbox.studio.backend.runner import Runner
from sandbox.studio.session import BROWSER
from sandbox.studio.views.lesson_form import CLASS, NAME, Asked, address, key_of
from sandbox.studio.views.shared import plain

NEWS = 2.0  # seconds between two looks at a class
PROBLEM = "class_problem"  # key in the session state
ROW = 34  # pixels of one bar
GONE = "There is no class of this lesson at the address; ask for the link again. You can take the lesson by yourself."


def browser_of(show: Runner) -> str:
    """The secret of this browser; empty until its picture has told it."""
    return show.browser or str(st.context.cookies.get(BROWSER, ""))[:80]


def class_of(lesson: Lesson, state: LessonState, browser: str) -> Class | None:
    """The class that the address names. Once its answer is revealed, it is the answer of this session too."""
    code = st.query_params.get(CLASS)
    found = classes().find(code) if code else None
    if code and (found is None or found.lesson != lesson.name):
        st.warning(GONE, icon=":material/group_off:")
        return None
    if found and found.answer and state.joined != found.code:
        own = found.guesses.get(found.of(browser))
        state.joined, state.errand = found.code, None
        state.settings, state.answer, state.message = found.settings, found.answer, ""
        state.prediction = own if isinstance(own, tuple) else _named(lesson, own)
        for label, option in found.settings.items():
            st.session_state[key_of("control", lesson, label)] = option
        if found.trials:
            st.session_state[key_of("trials", lesson)] = found.trials
        st.session_state[key_of("seed", lesson)] = str(found.seed)
    return found


def _named(lesson: Lesson, text: str | None) -> Prediction | None:
    return next((each for each in lesson.plan.predictions if each.text == text), None)


def share(lesson: Lesson, asked: Asked, arm: str, browser: str, one: Class | None) -> None:
    """The link to what is seen, and a class of one's own."""
    with st.popover("Share", icon=":material/share:", help="A link to this lesson, or a class that predicts together"):
        st.markdown("**This lesson**, with the arm, the settings and the seeds that you see:")
        st.code(_url(address(lesson, asked, arm)), language=None, wrap_lines=True)
        if one is None:
            st.markdown(
                "**A class** predicts together: one link for all. You reveal the answer, with what all predicted."
            )
            st.button("Teach a class", key="teach", icon=":material/groups:", on_click=_open,
                      disabled=not browser or asked.seed is None, args=[lesson, asked, browser],
                      help="With the present settings, trials and seeds.")  # fmt: skip


def _url(fields) -> str:
    return f"{st.context.url or 'lessons'}?{urlencode(fields, doseq=True)}"


def _open(lesson: Lesson, asked: Asked, browser: str) -> None:
    try:
        one = classes().open(lesson.name, asked.settings, asked.trials, asked.seed, browser)
        st.query_params[CLASS] = one.code
    except SandboxError as error:
        st.session_state[PROBLEM] = str(error)


def problem() -> None:
    """Why the last command to a class failed."""
    if told := st.session_state.pop(PROBLEM, None):
        st.error(plain(told, 300), icon=":material/error:")


def waiting(lesson: Lesson, one: Class, browser: str, prediction: Predicted) -> bool:
    """The part of the page in which a class waits; sends the prediction. Returns whether this is the teacher."""
    teacher = one.owner == one.of(browser)
    if prediction is not None and browser:
        given = prediction if isinstance(prediction, tuple) else prediction.text
        try:
            classes().guess(one.code, browser, given)
        except SandboxError as error:
            st.error(plain(error, 300), icon=":material/error:")
    if teacher:
        st.markdown("**Your class** opens this link. Everybody sees the answer when you reveal it.")
        st.code(_url({NAME: [lesson.name], CLASS: [one.code]}), language=None, wrap_lines=True)
    st.fragment(_news, run_every=NEWS)(one.code, teacher, prediction is not None)
    turned = [f"{label}: {option}" for label, option in one.settings.items()]
    trials = [f"{one.trials:,} trials of each arm"] if one.trials else []
    st.caption(plain("; ".join([*turned, *trials, f"seeds from {one.seed} on"]), 600))
    return teacher


def _news(code: str, teacher: bool, sent: bool) -> None:
    """How many have predicted; the page is drawn again once the answer is revealed."""
    one = classes().find(code)
    if one is None or one.answer:
        st.rerun()
    count = f"{len(one.guesses):,} {'prediction' if len(one.guesses) == 1 else 'predictions'} so far."
    if teacher:
        st.info(count, icon=":material/groups:")
    elif sent:
        st.success(f"Your prediction is sent; you can change it until your teacher reveals the answer. {count}",
                   icon=":material/check:")  # fmt: skip
    else:
        st.info(f"Predict: your teacher reveals the answer. {count}", icon=":material/groups:")


def reveal(one: Class, browser: str, state: LessonState) -> None:
    """The teacher's measurement is done: the answer is everybody's."""
    try:
        classes().reveal(one.code, browser, state.answer)
        state.joined = one.code
    except SandboxError as error:
        st.session_state[PROBLEM] = str(error)


def others(lesson: Lesson, state: LessonState, one: Class | None) -> list[tuple[float, ...]]:
    """The drawn curves of a class whose answer is shown."""
    return curves(lesson, one) if one and one.answer and state.answer == one.answer else []


def histogram(lesson: Lesson, state: LessonState, one: Class | None) -> None:
    """What a class has chosen, beside what came out."""
    if not (one and one.answer and state.answer == one.answer):
        return
    if not lesson.plan.predictions:
        st.caption(f"{len(curves(lesson, one)):,} predictions of your class: thin lines, and their median.")
        return
    came_out = [each.when == one.answer.verdict for each in lesson.plan.predictions]
    rows = [{"text": text, "count": count, "hue": "#009e73" if right else "#888888"}
            for (text, count), right in zip(counted(lesson, one), came_out, strict=True)]  # fmt: skip
    st.markdown("**Your class** predicted (green: what came out)")
    y = {"field": "text", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 260, "ticks": False}}
    x = {"field": "count", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1, "format": "d"}}
    hue = {"field": "hue", "type": "nominal", "scale": None}
    layers = [{"mark": "bar", "encoding": {"x": x, "y": y, "color": hue}},
              {"mark": {"type": "text", "align": "left", "dx": 4},
               "encoding": {"x": x, "y": y, "text": {"field": "count"}}}]  # fmt: skip
    told = "; ".join(f"{row['text']} {row['count']}" for row in rows)
    st.vega_lite_chart({"data": {"values": rows}, "layer": layers}, width="stretch",
                       height=30 + ROW * len(rows), alt=f"Predictions of the class: {told}")  # fmt: skip
