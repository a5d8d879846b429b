"""The results of learners of skills, and the folder that stores finished learners."""

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from sandbox.agents.skills.library import Library
from sandbox.core.errors import RecordError, UsageError
from sandbox.record.lock import LOCK, OWNER, Lock
from sandbox.record.store import Opened, explain
from sandbox.record.table import check_same
from sandbox.record.whole import is_part, within, write_text

STATED, DONE = "study.json", "learners"


class Assignment(NamedTuple):
    """One learner."""

    arm: str
    seed: int
    iterations: int


@dataclass
class Learned:
    """The results of one learner."""

    arm: str
    seed: int
    curve: list[int] = field(default_factory=list)  # different achievements after each iteration
    reached: dict[str, int] = field(default_factory=dict)  # iteration of the first time, by achievement
    ticks: dict[str, int] = field(default_factory=dict)  # the same in ticks
    distance: int = 0
    lives: int = 0
    total_ticks: int = 0
    library: Library = field(default_factory=Library)

    def row(self, milestones: dict[str, str]) -> dict[str, Any]:
        """Its measures; for each milestone the iteration and the tick, None if it was not reached."""
        told = {"arm": self.arm, "seed": self.seed, "achievements": self.curve[-1] if self.curve else 0}
        told |= {"skills": len(self.library), "distance": self.distance, "ticks": self.total_ticks, "lives": self.lives}
        for name, node in milestones.items():
            told |= {f"{name}_iteration": self.reached.get(node), f"{name}_tick": self.ticks.get(node)}
        return told

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "library": self.library.as_list()}


class Folder:
    """The folder of a study, open for one process; use it in a ``with``.

    ``study.json`` states the study before the first learner starts. Each learner is a file, written whole, so an ended
    process loses unfinished learners only.
    """

    def __init__(self, path: Path, stated: dict) -> None:
        self.path = path
        self._lock = Lock(path)
        try:
            self._state(json.loads(json.dumps(stated)))
            self._opened = Opened(path / STATED)
        except OSError as error:
            self._lock.release()
            raise explain(error, path) from None
        except BaseException:
            self._lock.release()
            raise

    def _state(self, stated: dict) -> None:
        """Write the settings of the study; raises UsageError if the folder contains another study."""
        place = within(self.path, STATED)
        if place.exists():
            check_same(self.path, _read(place), stated, "another study")
        elif others := sorted(name for name in {*os.listdir(self.path)} - {LOCK, OWNER} if not is_part(name)):
            told = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
            raise UsageError(f"{self.path}: holds something else ({told}); choose another folder")
        else:
            write_text(place, json.dumps(stated, indent=2) + "\n")
        within(self.path, DONE).mkdir(exist_ok=True)

    def check(self) -> None:
        """Raise RecordError if the folder is no longer in its place."""
        self._opened.check()

    def read(self, job: Assignment) -> Learned | None:
        """The learner of a job; None if it is not finished. Raises RecordError if its file is damaged."""
        place = self._place(job)
        if not place.exists():
            return None
        found = _read(place)
        try:
            return Learned(**{**found, "library": Library.of(found["library"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise RecordError(
                f"{place}: it holds no learner ({error}); remove it to start that learner again"
            ) from None

    def write(self, job: Assignment, learned: Learned) -> None:
        """Store a finished learner."""
        write_text(self._place(job), json.dumps(learned.as_dict()) + "\n")

    def _place(self, job: Assignment) -> Path:
        words = re.findall(r"\w+", job.arm)
        return within(self.path, DONE, f"{'-'.join(words)}-seed{job.seed}.json")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _read(place: Path) -> dict:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{place}: it cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise RecordError(f"{place}: it is damaged")
    return found
