"""Lessons: a question, a prediction, a measurement, an answer. The files in ``scenarios/lessons`` define them."""

from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.scenario.load import as_toml, load
from sandbox.studies.answers import MOST, Answer, measure
from sandbox.studies.lessons import Control, Lesson, Prediction, lessons, load_lesson
from sandbox.studies.verdicts import duration
from sandbox.studio.backend import wording
from sandbox.studio.backend.background_task import BackgroundTask, Report
from sandbox.studio.backend.lesson_arm import name_of
from sandbox.studio.backend.places import LESSONS, SCENARIOS
from sandbox.studio.views.answer import answer
from sandbox.studio.views.shared import link, plain, turn

NAME = "lesson"  # key of the address
LOOK = 0.4  # seconds between two updates of a measurement
COLUMNS = 3
LONG = 600  # letters of one line
HOW = f"Put a lesson, a TOML file, into `{SCENARIOS / LESSONS}`; `docs/lessons.md` has a small one to copy."


@dataclass
class Kept:
    """The state of one lesson in this session."""

    errand: BackgroundTask | None = None
    settings: dict[str, str] = field(default_factory=dict)  # of the measurement, as the following fields
    prediction: Prediction | None = None
    answer: Answer | None = None
    message: str = ""  # why there is no answer


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    name = st.query_params.get(NAME)
    if name is None:
        _cards()
        return
    words = "Back to the list; what you predicted and measured stays."
    turn("All lessons", "all", words, {}, icon=":material/arrow_back:", type="tertiary")
    known = {path.stem: path for path in (SCENARIOS / LESSONS).glob("*.toml")}
    if name not in known:
        st.error(f"There is no lesson {plain(name, 80)}. {HOW}", icon=":material/error:")
        return
    try:
        _lesson(load_lesson(known[name]))
    except UsageError as error:
        st.error(plain(error, LONG), icon=":material/error:")


def _kept(name: str) -> Kept:
    return st.session_state.setdefault("lessons", {}).setdefault(name, Kept())


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
    plan, kept = lesson.plan, _kept(lesson.name)
    done = " :green-badge[:material/check: measured]" if kept.answer else ""
    st.markdown(f"**{plain(plan.title)}** :gray-badge[:material/schedule: {plan.minutes} min]{done}")
    st.markdown(plan.question)
    words = "Predict, measure, and see what it means."
    turn("Open", f"open.{lesson.name}", words, {NAME: lesson.name}, icon=":material/school:")


# -- one lesson --------------------------------------------------------------------------------------------------------


def _lesson(lesson: Lesson) -> None:
    plan, kept = lesson.plan, _kept(lesson.name)
    st.markdown(f"### {plain(plan.title)} :gray-badge[:material/schedule: {plan.minutes} min]")
    st.markdown(plan.question)
    busy = kept.errand is not None
    left, right = st.columns([2, 3], gap="large")
    with left:
        prediction = _predict(lesson, busy)
        settings = {control.label: _turn(lesson, control, busy) for control in plan.controls}
        trials, seed = _dice(lesson, busy)
        ready = prediction is not None and seed is not None
        order = partial(measure, lesson, settings, trials, seed)
        st.button("Measure", key="measure", icon=":material/science:", type="primary", disabled=busy or not ready,
                  on_click=_begin, args=[kept, order, settings, prediction],
                  help="Play every arm on the same seeds." if ready else "Predict first.")  # fmt: skip
        _watch(lesson, settings, kept)
    with right:
        st.markdown("##### The measured answer")
        if kept.errand is not None:
            st.fragment(_progress, run_every=LOOK)(kept)
        else:
            _answer(lesson, kept, settings)


def _predict(lesson: Lesson, busy: bool) -> Prediction | None:
    texts = {each.text: each for each in lesson.plan.predictions}
    text = st.radio(
        "Your prediction", list(texts), index=None, key=f"prediction.{lesson.name}", disabled=busy,
        format_func=lambda text: plain(text, LONG), persist_state="session",
        help="Choose one before you measure; you may well be wrong.",
    )  # fmt: skip
    return texts.get(text)


def _turn(lesson: Lesson, control: Control, busy: bool) -> str:
    options, key = [option.label for option in control.options], f"control.{lesson.name}.{control.label}"
    return _one_of(control.label, options, control.default, key, control.help, busy)


def _one_of(label: str, options: list[str], usual: str, key: str, words: str, busy: bool = False) -> str:
    """A choice that is kept while other pages are open, unless its option has disappeared from the file."""
    if st.session_state.get(key, usual) not in options:
        del st.session_state[key]
    known = {} if key in st.session_state else {"default": usual}
    return st.segmented_control(
        plain(label), options, required=True, key=key, format_func=plain, disabled=busy, persist_state="session",
        help=plain(words, LONG), **known,
    )  # fmt: skip


def _dice(lesson: Lesson, busy: bool) -> tuple[int, int | None]:
    """Trials of each arm, and the first seed; None if that is invalid."""
    base = lesson.scenario(lesson.plan.measure.arms[0])
    turned = any(key == "trials.count" for control in lesson.plan.controls for key in control.keys)
    with st.expander("Trials and seeds", icon=":material/casino:"):
        trials = None if turned else st.number_input(
            "Trials of each arm", 1, MOST, min(base.trials.count, MOST), key=f"trials.{lesson.name}", disabled=busy,
            persist_state="session", help="More trials make the intervals narrower, and take longer.",
        )  # fmt: skip
        text = st.text_input(
            "First seed", str(base.seed), key=f"seed.{lesson.name}", disabled=busy, persist_state="session",
            help="Other seeds are other dice: does the answer hold?",
        )  # fmt: skip
        seed = wording.seed(text)
        if seed is None:
            st.error(f"The seed is not a whole number in 0..2\\*\\*64-1: {plain(text, 40)}")
    return trials, seed


def _begin(kept: Kept, order, settings: dict[str, str], prediction: Prediction) -> None:
    kept.settings, kept.prediction, kept.answer, kept.message = settings, prediction, None, ""
    kept.errand = BackgroundTask(lambda on_progress, stop: order(on_progress=on_progress, stop=stop))


def _watch(lesson: Lesson, settings: dict[str, str], kept: Kept) -> None:
    """A link to watch one arm; after a measurement, on the seed where the arms differ most."""
    arms = {arm.name: arm for arm in lesson.plan.measure.arms}
    with st.container(border=True):
        st.markdown(f":material/visibility: **What to watch for.** {lesson.plan.look}")
        first, key = next(iter(arms)), f"arm.{lesson.name}"
        name = _one_of("Which one", list(arms), first, key, "The arm to watch or to export.")
        scenario, query = lesson.scenario(arms[name], settings), {"scenario": name_of(lesson, arms[name], settings)}
        if kept.answer and kept.settings == settings:
            scenario = load(scenario, {"seed": kept.answer.telling})
            query["seed"] = str(kept.answer.telling)
        with st.container(horizontal=True):
            link("Watch", "Watch it", "Open this arm on the watch page; once measured, at a telling seed.",
                 icon=":material/play_arrow:", query_params=query)  # fmt: skip
            st.download_button("Export TOML", as_toml(scenario.as_dict()), f"{lesson.name}.toml", "application/toml",
                               icon=":material/download:", on_click="ignore",
                               help="This arm as a scenario, for `sandbox run` and `sandbox batch`.")  # fmt: skip


# -- its answer --------------------------------------------------------------------------------------------------------


def _progress(kept: Kept) -> None:
    """Progress of the measurement; the page is drawn again when it ends."""
    report = kept.errand.peek()
    if report.phase == "working":
        share = report.progress.done / report.progress.total if report.progress else 0.0
        st.progress(share, _standing(report))
        st.button("Stop", key="stop", icon=":material/stop:", on_click=kept.errand.stop,
                  help="End it after the trials that are under way; there is no answer then.")  # fmt: skip
        return
    kept.errand, kept.answer = None, report.value
    kept.message = {"stopped": "Stopped, so there is no answer.", "failed": report.error}.get(report.phase, "")
    st.rerun()


def _standing(report: Report) -> str:
    progress = report.progress
    if progress is None or progress.compiling:
        return f"Compiling what runs for the first time, 20 to 30 s an arm ({report.seconds:.0f} s so far)"
    left = f", about {duration(report.left)} left" if report.left is not None else ""
    return f"{progress.done:,} of {progress.total:,} trials{left}"


def _answer(lesson: Lesson, kept: Kept, settings: dict[str, str]) -> None:
    if kept.message:
        st.error(plain(kept.message, LONG), icon=":material/error:")
    if kept.answer is None:
        st.caption("Predict, then press **Measure**: it is played here and now, on the dice that you choose.")
        return
    if kept.settings != settings:
        told = "; ".join(f"{label}: {option}" for label, option in kept.settings.items())
        again = f"Measured with other settings ({plain(told, LONG)}). Press **Measure** again."
        st.warning(again, icon=":material/tune:")
    answer(lesson.plan.measure, kept.answer, kept.prediction)
    st.markdown("##### What it means")
    st.markdown(lesson.plan.meaning)
    if lesson.plan.further:
        st.markdown("##### Further reading")
        st.markdown("\n".join(_reading(each.title, each.where) for each in lesson.plan.further))


def _reading(title: str, where: str) -> str:
    if where.startswith(("https://", "http://")) and not set(where) & set(" ()<>"):
        return f"- [{plain(title)}]({where})"
    return f"- {plain(title)}: {plain(where)}"
