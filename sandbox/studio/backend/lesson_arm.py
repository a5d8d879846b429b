"""An arm of a lesson by a name that an address can contain: ``lesson 03-renamed-button; rules; Severity=high``."""

from collections.abc import Mapping

from sandbox.core.errors import UsageError, unknown
from sandbox.scenario import Scenario
from sandbox.studies.lessons import Arm, Lesson, load_lesson
from sandbox.studio.backend.places import LESSONS, SCENARIOS

PREFIX, BETWEEN = "lesson ", "; "


def name_of(lesson: Lesson, arm: Arm, settings: Mapping[str, str]) -> str:
    """The name of an arm, with the options of its controls that are not the usual ones."""
    usual = {control.label: control.default for control in lesson.plan.controls}
    turned = (f"{label}={option}" for label, option in settings.items() if option != usual.get(label))
    return BETWEEN.join([f"{PREFIX}{lesson.name}", arm.name, *turned])


def named(name: str) -> Scenario:
    """The scenario of an arm; raises UsageError for a name without one."""
    stem, arm, *turned = (*name.removeprefix(PREFIX).split(BETWEEN), "")[:20]
    known = {path.stem: path for path in (SCENARIOS / LESSONS).glob("*.toml")}
    if not name.startswith(PREFIX) or stem not in known:
        raise unknown("lesson", stem, known)
    lesson = load_lesson(known[stem])
    arms = {each.name: each for each in lesson.plan.measure.arms}
    if arm not in arms:
        raise unknown("arm", arm, arms, stem)
    settings = dict(each.split("=", 1) for each in turned if "=" in each)
    if len(settings) != sum(map(bool, turned)):
        raise UsageError(f"{name[:200]}: expected {PREFIX}NAME; ARM; CONTROL=OPTION")
    return lesson.scenario(arms[arm], settings)
