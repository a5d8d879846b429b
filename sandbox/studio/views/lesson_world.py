"""The world of a lesson beside its question: one arm to play. Before it is measured, that gives nothing away."""

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.scenario import load
from sandbox.scenario.load import as_toml
from sandbox.studies.lessons import CURVE, Lesson
from sandbox.studio.backend.episode_source import Live
from sandbox.studio.backend.lesson_arm import name_of
from sandbox.studio.backend.lesson_state import LessonState, preview_seed
from sandbox.studio.backend.runner import Runner
from sandbox.studio.views.lesson_form import Asked, key_of, one_of
from sandbox.studio.views.player import asked_tick, player
from sandbox.studio.views.shared import download, link, plain

WORDS = "The arm to watch. Before it is measured: its beginning only, without the score, each arm on a seed of its own."


def arm_of(lesson: Lesson) -> str:
    """The choice of the arm; returns its name."""
    arms = [arm.name for arm in lesson.plan.measure.arms]
    key = key_of("arm", lesson)
    if lesson.plan.measure.ask != CURVE:
        return one_of("Watch", arms, arms[0], key, WORDS)
    if st.session_state.get(key, arms[0]) not in arms:  # the file has changed
        del st.session_state[key]
    return st.select_slider(plain(lesson.plan.measure.along.label), arms, key=key, persist_state="session", help=WORDS)


def world(show: Runner, lesson: Lesson, arm: str, asked: Asked, state: LessonState) -> None:
    """The picture, with what to look for."""
    arms = {each.name: each for each in lesson.plan.measure.arms}
    known, problem = state.known(asked.settings), None
    try:
        scenario = lesson.scenario(arms[arm], asked.settings)
        if known:
            order = Live(load(scenario, {"seed": state.answer.telling}), state.answer.telling)
        else:
            seed = preview_seed(lesson, list(arms).index(arm), asked.seed or 0)
            order = Live(load(scenario, {"seed": seed}), seed, until=lesson.plan.preview)
        if (order,) != show.order:
            show.load(order, tick=0 if show.order else asked_tick())
    except UsageError as error:
        problem = str(error)
    show.look(show.peek().look._replace(panel="", score=known))
    player(show, (), problem)
    st.markdown(f":material/visibility: **What to watch for.** {lesson.plan.look}")
    if not problem:
        _elsewhere(lesson, arm, asked, order, known)


def _elsewhere(lesson: Lesson, arm: str, asked: Asked, order: Live, known: bool) -> None:
    """The same arm on the watch page, once it is measured, and as a file."""
    arms = {each.name: each for each in lesson.plan.measure.arms}
    with st.container(horizontal=True):
        if known:
            query = {"scenario": name_of(lesson, arms[arm], asked.settings), "seed": str(order.seed)}
            link("Watch", "Watch it with all panels", "This arm on the page Watch, at a telling seed.",
                 icon=":material/play_arrow:", query_params=query)  # fmt: skip
        download("Export TOML", lambda: as_toml(order.scenario.as_dict()), f"{lesson.name}.toml", "application/toml",
                 "This arm as a scenario, for `sandbox run` and `sandbox batch`.")  # fmt: skip
