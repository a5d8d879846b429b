"""Lessons: a question, a world to play, a prediction, a measurement, an answer. ``scenarios/lessons`` defines them."""

from functools import partial

import streamlit as st

from sandbox.core.errors import SandboxError
from sandbox.studies.answers import measure
from sandbox.studies.lessons import Lesson, lessons, load_lesson
from sandbox.studies.verdicts import duration
from sandbox.studio.backend.background_task import Report
from sandbox.studio.backend.classroom import Class
from sandbox.studio.backend.lesson_state import LessonState
from sandbox.studio.backend.places import LESSONS, SCENARIOS
from sandbox.studio.session import runner
from sandbox.studio.views import lesson_class as group
from sandbox.studio.views.address import forget, wrong
from sandbox.studio.views.answer import answer
from sandbox.studio.views.lesson_form import (
    LONG,
    NAME,
    Asked,
    address,
    predict,
    read_address,
    settings,
    write_address,
)
from sandbox.studio.views.lesson_world import arm_of, world
from sandbox.studio.views.shared import plain, turn

LOOK = 0.4  # seconds between two updates of a measurement
COLUMNS = 3
HOW = f"Put a lesson, a TOML file, into `{SCENARIOS / LESSONS}`; `docs/lessons.md` has a small one to copy."


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    name = st.query_params.get(NAME)
    if name is None:
        forget(())
        _cards()
        return
    known = {path.stem: path for path in (SCENARIOS / LESSONS).glob("*.toml")}
    if name not in known:
        _back()
        st.error(f"There is no lesson {plain(name, 80)}. {HOW}", icon=":material/error:")
        return
    try:
        _lesson(load_lesson(known[name]))
    except SandboxError as error:
        _back()
        st.error(plain(error, LONG), icon=":material/error:")


def _back() -> None:
    words = "Back to the list; what you predicted and measured stays."
    turn("All lessons", "all", words, {}, icon=":material/arrow_back:", type="tertiary")


def _state(name: str) -> LessonState:
    return st.session_state.setdefault("lessons", {}).setdefault(name, LessonState())


# -- the list ----------------------------------------------------------------------------------------------------------


def _cards() -> None:
    found, wrong = lessons(SCENARIOS / LESSONS)
    st.markdown("### Lessons")
    if not found:
        st.info(f"There are no lessons here. {HOW}", icon=":material/school:")
    else:
        st.caption("One claim each. Predict first, then measure: nothing is known before you press the button.")
    for line in wrong:
        st.warning(plain(line, LONG), icon=":material/error:")
    for first in range(0, len(found), COLUMNS):
        for column, lesson in zip(st.columns(COLUMNS), found[first : first + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(lesson)


def _card(lesson: Lesson) -> None:
    plan, state = lesson.plan, _state(lesson.name)
    done = " :green-badge[:material/check: measured]" if state.answer else ""
    st.markdown(f"**{plain(plan.title)}** :gray-badge[:material/schedule: {plan.minutes} min]{done}")
    st.markdown(plan.question)
    words = "Predict, measure, and see what it means."
    turn("Open", f"open.{lesson.name}", words, {NAME: lesson.name}, icon=":material/school:")


# -- one lesson --------------------------------------------------------------------------------------------------------


def _lesson(lesson: Lesson) -> None:
    plan, state, show = lesson.plan, _state(lesson.name), runner("lesson")
    browser = group.browser_of(show)
    read_address(lesson, state)
    one = group.class_of(lesson, state, browser)
    top = st.container(horizontal=True, horizontal_alignment="distribute")
    wrong()
    group.problem()
    st.markdown(f"### {plain(plan.title)} :gray-badge[:material/schedule: {plan.minutes} min]")
    left, right = st.columns([5, 6], gap="large")
    with left:
        st.markdown(plan.question)
        asked = _form(lesson, state, one, browser)
        _answer(lesson, state, one, asked, browser)
    with right:
        arm = arm_of(lesson)
        world(show, lesson, arm, asked, state)
    with top:
        _back()
        group.share(lesson, asked, arm, browser, one)
    write_address(address(lesson, asked, arm))
    if state.answer:
        _meaning(lesson)


def _form(lesson: Lesson, state: LessonState, one: Class | None, browser: str) -> Asked:
    """The prediction, the settings, and the button; of a class that waits, the settings are the class's."""
    busy, waits = state.errand is not None, one is not None and one.answer is None
    place = st.container()
    asked = Asked(one.settings, one.trials, one.seed) if waits else settings(lesson, busy)
    with place:
        shown = state.answer if state.known(asked.settings) else None
        prediction = predict(lesson, state, busy, shown, group.others(lesson, state, one))
    if waits and not group.waiting(lesson, one, browser, prediction):
        return asked
    ready = (waits or prediction is not None) and asked.seed is not None
    words = "Play every arm on the same seeds." if ready else "Predict first."
    order = partial(measure, lesson, asked.settings, asked.trials, asked.seed)
    st.button("Measure and reveal" if waits else "Measure", key="measure", icon=":material/science:", type="primary",
              disabled=busy or not ready, on_click=state.begin, args=[order, asked.settings, prediction],
              help=words)  # fmt: skip
    return asked


# -- its answer --------------------------------------------------------------------------------------------------------


def _answer(lesson: Lesson, state: LessonState, one: Class | None, asked: Asked, browser: str) -> None:
    """The answer, or how far its measurement has come."""
    if state.errand is not None:
        st.fragment(_progress, run_every=LOOK)(state, one, browser)
        return
    if state.message:
        st.error(plain(state.message, LONG), icon=":material/error:")
    if state.answer is None:
        return
    if state.settings != asked.settings:
        told = "; ".join(f"{label}: {option}" for label, option in state.settings.items())
        again = f"Measured with other settings ({plain(told, LONG)}). Press **Measure** again."
        st.warning(again, icon=":material/tune:")
    st.markdown("##### The measured answer")
    answer(lesson.plan.measure, state.answer, state.prediction)
    group.histogram(lesson, state, one)


def _meaning(lesson: Lesson) -> None:
    st.divider()
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.markdown("##### What it means")
        st.markdown(lesson.plan.meaning)
    if lesson.plan.further:
        with right:
            st.markdown("##### Further reading")
            st.markdown("\n".join(_reading(each.title, each.where) for each in lesson.plan.further))


def _progress(state: LessonState, one: Class | None, browser: str) -> None:
    """Progress of the measurement; the page is drawn again when it ends."""
    report = state.errand.peek()
    if report.phase == "working":
        share = report.progress.done / report.progress.total if report.progress else 0.0
        st.progress(share, _standing(report))
        st.button("Stop", key="stop", icon=":material/stop:", on_click=state.errand.stop,
                  help="End it after the trials that are under way; there is no answer then.")  # fmt: skip
        return
    state.end(report)
    if one and one.answer is None and state.answer:
        group.reveal(one, browser, state)
    st.rerun()


def _standing(report: Report) -> str:
    progress = report.progress
    if progress is None or progress.compiling:
        return f"Compiling what runs for the first time, 20 to 30 s an arm ({report.seconds:.0f} s so far)"
    left = f", about {duration(report.left)} left" if report.left is not None else ""
    return f"{progress.done:,} of {progress.total:,} trials{left}"


def _reading(title: str, where: str) -> str:
    if where.startswith(("https://", "http://")) and not set(where) & set(" ()<>"):
        return f"- [{plain(title)}]({where})"
    return f"- {plain(title)}: {plain(where)}"
