"""A library of skills: a file that people can read, searched by the descriptions of its skills."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Self

import tomli_w

from sandbox.agents.embed import nearest
from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import read_toml
from sandbox.record.whole import write_text

TOP = 5  # skills that are retrieved for a task, as Voyager's


class Skill(NamedTuple):
    """A program that achieves something; it defines the function ``to_NAME``."""

    name: str  # of the achievement
    description: str
    program: str
    calls: tuple[str, ...] = ()  # earlier skills, by name
    foe: str = ""  # the kind of creature that it fights; it then becomes a reflex of an agent that is hurt

    @property
    def call(self) -> str:
        return f"to_{self.name}()"


@cache
def basics() -> str:
    return files(__package__).joinpath("basics.py").read_text(encoding="utf-8")


class Library:
    """Skills by name, in the order in which they were learned."""

    def __init__(self, skills: Iterable[Skill] = ()):
        self._skills = {skill.name: skill for skill in skills}

    def __iter__(self) -> Iterator[Skill]:
        return iter(self._skills.values())

    def __len__(self) -> int:
        return len(self._skills)

    def __contains__(self, name: str) -> bool:
        return name in self._skills

    def __getitem__(self, name: str) -> Skill:
        if name not in self._skills:
            raise unknown("skill", name, self._skills)
        return self._skills[name]

    def add(self, skill: Skill) -> None:
        """Add a skill, replacing one of the same name; raises UsageError if it calls a skill that is not here."""
        for name in skill.calls:
            self[name]
        self._skills[skill.name] = skill

    def retrieve(self, task: str, count: int = TOP) -> list[Skill]:
        """The skills whose descriptions are most similar to the task, best first."""
        skills = list(self)
        return [skills[k] for k in nearest(task, [skill.description for skill in skills], count)]

    def text(self, skill: Skill) -> str:
        """A whole program: the basics, the skills that it calls, in order, the skill itself, and its call."""
        parts: dict[str, str] = {}
        self._collect(skill, parts, set())
        reflexes = [each for each in self if each.foe]
        for each in reflexes:
            if each.name not in parts:
                self._collect(each, parts, set())
        learned = [f"REFLEXES.append(({each.foe!r}, to_{each.name}))" for each in reflexes]
        return "\n\n".join([basics(), *parts.values(), *learned, skill.call]) + "\n"

    def _collect(self, skill: Skill, parts: dict[str, str], open_: set[str]) -> None:
        for name in skill.calls:
            if name not in parts and name not in open_:
                self._collect(self[name], parts, open_ | {skill.name})
        parts[skill.name] = skill.program

    def as_list(self) -> list[dict]:
        """The skills as JSON values."""
        return [{**skill._asdict(), "calls": list(skill.calls)} for skill in self]

    @classmethod
    def of(cls, skills: Iterable[dict]) -> Self:
        """The inverse of ``as_list``; raises TypeError or AttributeError for invalid values."""
        return cls(Skill(**{**each, "calls": tuple(each.get("calls", ()))}) for each in skills)

    def save(self, path: Path) -> None:
        """As TOML."""
        write_text(path, tomli_w.dumps({"skill": self.as_list()}, multiline_strings=True))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The inverse of ``save``; raises UsageError for any other file."""
        try:
            return cls.of(read_toml(path.read_text(encoding="utf-8")).get("skill", []))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise UsageError(f"{path}: expected a library of skills, [[skill]] tables ({error})") from None
