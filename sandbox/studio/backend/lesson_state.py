"""The state of a lesson in one session: what was predicted, what is being measured, and the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.studies.answers import Answer
from sandbox.studies.lessons import Lesson, Prediction
from sandbox.studio.backend.background_task import BackgroundTask, Report

SEEDS = 2**64
Predicted = Prediction | tuple[float, ...] | None  # chosen, drawn in the measure's own unit, or nothing


@dataclass
class LessonState:
    """It is kept while other pages are open."""

    errand: BackgroundTask | None = None
    settings: Mapping[str, str] = field(default_factory=dict)  # of the measurement, as the following fields
    prediction: Predicted = None
    answer: Answer | None = None
    message: str = ""  # why there is no answer
    read: bool = False  # whether the address was read
    joined: str = ""  # code of the class whose answer was taken over

    def begin(self, order: Callable, settings: Mapping[str, str], prediction: Predicted) -> None:
        """Start a measurement: ``order(on_progress, stop)``."""
        self.settings, self.prediction, self.answer, self.message = settings, prediction, None, ""
        self.errand = BackgroundTask(lambda on_progress, stop: order(on_progress=on_progress, stop=stop))

    def end(self, report: Report) -> None:
        """Take the result of the measurement over."""
        self.errand, self.answer = None, report.value
        self.message = {"stopped": "Stopped, so there is no answer.", "failed": report.error}.get(report.phase, "")

    def known(self, settings: Mapping[str, str]) -> bool:
        """Whether there is an answer for these settings."""
        return self.answer is not None and self.settings == settings


def preview_seed(lesson: Lesson, arm: int, first: int) -> int:
    """The seed on which an arm can be watched before it is measured.

    It is not measured, and each arm has one of its own, so that nothing can be compared.
    """
    return (first - 1 - arm % len(lesson.plan.measure.arms)) % SEEDS
