"""Classes: the predictions of all who have a teacher's link, gathered on this server.

They are kept in memory, and in a file of each class below the folder of runs, so that a restart loses nothing. Anybody
who can open the studio can send predictions. Bounded are therefore the number of classes, the predictions of each class
(one for each browser), and the form of a prediction.
"""

import json
import re
import secrets
import threading
import time
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.core.errors import UsageError
from sandbox.record.whole import within, write_text
from sandbox.studies.answers import Answer
from sandbox.studies.lessons import CURVE, Lesson
from sandbox.studio.backend.places import RUNS

FOLDER = "classes"  # below the folder of runs
CLASSES, SEATS = 100, 400  # at most: classes, and predictions of each
OLD = 24 * 3_600.0  # seconds after which a class may give way to another one
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another one
CODE = re.compile(f"[{LETTERS}]{{8}}")

Guess = str | tuple[float, ...]  # the text of a prediction, or the heights of a drawn curve


class Class(BaseModel):
    """One class at one moment; it is never changed, but replaced."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    code: str
    lesson: str
    settings: dict[str, str]  # labels of options by labels of controls
    trials: int | None
    seed: int
    owner: str  # of the teacher's browser, hashed
    opened: float  # seconds since 1970
    guesses: dict[str, Guess] = {}  # by browser, hashed
    answer: Answer | None = None  # once it is revealed

    def of(self, browser: str) -> str:
        """The name of a browser in this class; it does not tell the browser's secret."""
        return sha256(f"{self.code} {browser}".encode()).hexdigest()[:24]


class Classes:
    """All classes of a folder of runs; every method may be called by any thread."""

    def __init__(self, runs: Path):
        self._runs, self._lock = runs, threading.Lock()
        self._known: dict[str, Class] = {}
        for path in sorted(self._folder().glob("*.json")):
            if found := _read(path):
                self._known[found.code] = found

    def _folder(self) -> Path:
        return within(self._runs, FOLDER)

    def open(self, lesson: str, settings: Mapping[str, str], trials: int | None, seed: int, browser: str) -> Class:
        """A new class of a teacher's browser; raises UsageError where there are too many."""
        with self._lock:
            if len(self._known) >= CLASSES:
                self._leave_oldest()
            code = "".join(secrets.choice(LETTERS) for _ in range(8))
            one = Class(code=code, lesson=lesson, settings=dict(settings), trials=trials, seed=seed, owner="",
                        opened=time.time())  # fmt: skip
            return self._keep(one.model_copy(update={"owner": one.of(browser)}))

    def find(self, code: str) -> Class | None:
        return self._known.get(code)

    def guess(self, code: str, browser: str, guess: Guess) -> Class:
        """Keep the prediction of a browser, in place of its last one; once the answer is revealed, nothing changes.

        Raises UsageError for an unknown class, and where no seat is left.
        """
        with self._lock:
            one = self._of(code)
            seat = one.of(browser)
            if one.answer is not None or one.guesses.get(seat) == guess:
                return one
            if seat not in one.guesses and len(one.guesses) >= SEATS:
                raise UsageError(f"class {code}: {SEATS} predictions, and no more are taken")
            return self._keep(one.model_copy(update={"guesses": one.guesses | {seat: guess}}))

    def reveal(self, code: str, browser: str, answer: Answer) -> Class:
        """The answer for the whole class; raises UsageError if another browser than the teacher's asks for that."""
        with self._lock:
            one = self._of(code)
            if one.owner != one.of(browser):
                raise UsageError(f"class {code}: only its teacher reveals the answer")
            return self._keep(one.model_copy(update={"answer": answer}))

    def _of(self, code: str) -> Class:
        if code not in self._known:
            raise UsageError(f"there is no class '{code[:20]}'; it may have been closed")
        return self._known[code]

    def _keep(self, one: Class) -> Class:
        folder = self._folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: no class can be kept there ({error.strerror})") from None
        write_text(folder / f"{one.code}.json", one.model_dump_json())
        self._known[one.code] = one
        return one

    def _leave_oldest(self) -> None:
        oldest = min(self._known.values(), key=lambda one: one.opened)
        if time.time() - oldest.opened < OLD:
            raise UsageError(f"there are {CLASSES} classes of today already; close the studio's old ones in {FOLDER}")
        del self._known[oldest.code]
        (self._folder() / f"{oldest.code}.json").unlink(missing_ok=True)


@cache
def classes() -> Classes:
    """Those of this server."""
    return Classes(RUNS)


def _read(path: Path) -> Class | None:
    """A class from its file; None if the file does not hold a class."""
    try:
        found = Class.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None
    return found if CODE.fullmatch(found.code) and found.code == path.stem and len(found.guesses) <= SEATS else None


def counted(lesson: Lesson, one: Class) -> list[tuple[str, int]]:
    """How many predicted what, in the lesson's order: texts of predictions with numbers."""
    given = list(one.guesses.values())
    return [(each.text, given.count(each.text)) for each in lesson.plan.predictions]


def curves(lesson: Lesson, one: Class) -> list[tuple[float, ...]]:
    """The drawn curves of a class, those that fit the lesson."""
    if lesson.plan.measure.ask != CURVE:
        return []
    places = len(lesson.plan.measure.arms)
    return [guess for guess in one.guesses.values() if isinstance(guess, tuple) and len(guess) == places]
