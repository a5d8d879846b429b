"""Site files. Errors name line and column.

A site file is TOML (see ``sites/``); it holds one task and its pages:

``texts``     the instruction in three paraphrases; ``{who}`` is filled in with the episode's value
``values``    what an episode draws: ``who = "person"``, or ``who = { kind = "person", count = 5 }``; kinds: vocabulary
``goal``      registers and what they must hold at the end: a number, a text, or ``"{who}"``
``steps``     the recorded solution: ``[approver: ]click|type|select|read|scroll ID [VALUE]``
``page``      name, ``kind`` (site, dialog), and lines of elements ``{ button = "Save", id = "save", do = [effects] }``;
              a list is one line; ``{ each = "who", of = [elements] }`` is a line for each value, in random order.
              A label is a text, ``"{who}"``, or ``"=register"``; further keys: ``options`` (combobox),
              ``group`` (radio), ``hidden``, ``disabled``
``synonyms``  other forms of labels: ``"Save" = ["Keep"]``; without them a label is never renamed
``agents``, ``start``   1 or 2, and the page of each

Effects (``columns.Op``): ``go|open PAGE``, ``close``, ``set REG VALUE``, ``add REG N``, ``save ID REG``,
``copy REG REG``, ``show|hide|toggle|enable|clear ID...``, ``filter EACH VALUES ID``, ``sort EACH VALUES``,
``if ID VALUE`` and ``where REG VALUE`` (the rest only if that holds). In a line of ``each``,
``{who}`` is the line's own value.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.core.errors import UsageError, first_problem, unknown
from sandbox.core.files import TOMLDecodeError, explained, read_toml
from sandbox.core.maps import read_layout

COMMON = "common"  # pages that every site has: log-in, time-out, pop-ups
ALL = "all"
EXPECTED = "a site of the world 'web' (TOML)"
KEYS = ("title", "agents", "start", "texts", "steps", "values", "goal", "page", "synonyms")


class _Typed(BaseModel):
    """The types of the entries of a site file; the compiler checks their meaning."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Cell(_Typed):
    id: str = ""
    do: list[str] = []
    options: str | list[str] = []
    group: str = ""
    each: str = ""
    of: list["_Cell"] = []


class _Page(_Typed):
    name: str = ""
    kind: str = ""
    lines: list[_Cell | list[_Cell]] = []


class _Drawn(_Typed):
    kind: str = ""


class _File(_Typed):
    title: str = ""
    agents: int = 1
    start: str | list[str] = ""
    texts: list[str] = []
    steps: list[str] = []
    values: dict[str, str | _Drawn] = {}
    goal: dict[str, Any] = {}
    page: list[_Page] = []
    synonyms: dict[str, list[str]] = {}


class Source(NamedTuple):
    """The text of a site file, and its name in messages."""

    text: str
    where: str

    def place(self, token: str, after: str = "") -> str:
        """Line and column (from 1) of the first ``token`` that is written after ``after``."""
        start = max(0, self.text.find(after))
        found = re.compile(r"(?<![\w-])" + re.escape(token) + r"(?![\w-])").search(self.text, start)
        at = found.start() if found else start
        return (
            f"{self.where}: line {self.text.count(chr(10), 0, at) + 1}, column {at - self.text.rfind(chr(10), 0, at)}"
        )

    def bad(self, token: object, message: str, after: str = "") -> UsageError:
        return UsageError(f"{self.place(str(token), after)}: {message}")

    def unknown(self, kind: str, name: object, known, after: str = "") -> UsageError:
        return unknown(kind, name, known, self.place(str(name), after))


@cache
def names() -> tuple[str, ...]:
    """The templates that come with the world, in alphabetical order."""
    found = (file.name.removesuffix(".toml") for file in files(__package__).joinpath("sites").iterdir())
    return tuple(sorted(name for name in found if name != COMMON))


def document(source: Source) -> dict:
    """A site file as nested tables; UsageError if it is not TOML or has unknown keys."""
    try:
        read = read_toml(source.text)
    except TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        where = place.rstrip(")") if place.startswith("line") else f"line {source.text.count(chr(10)) + 1}"
        raise UsageError(f"{source.where}: {where}: {message or error}") from None
    for key in read:
        if key not in KEYS:
            raise source.unknown("key", key, KEYS)
    try:
        _File.model_validate(read)
    except ValidationError as error:
        told = first_problem(error, named=lambda part: isinstance(part, int) or part.islower())
        raise UsageError(f"{source.where}: {told}") from None
    return read


@cache
def built_in(name: str) -> tuple[Source, dict]:
    """A built-in site file."""
    source = Source(files(__package__).joinpath("sites", f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    return source, document(source)


def load(layout: str, agents: int) -> list[tuple[str, Source, dict]]:
    """(name, site) of each template of a layout: one by name, a path, text, or ``all`` for so many agents."""
    if layout == ALL:
        own = [(name, *built_in(name)) for name in names()]
        return [entry for entry in own if entry[2].get("agents", 1) <= agents]
    if layout in names():
        chosen = (layout, *built_in(layout))
    else:
        text, where = read_layout(layout, (*names(), ALL), "world 'web'")
        source = Source(text, where)
        with explained(text, where, EXPECTED):
            chosen = ("site", source, document(source))
    if chosen[2].get("agents", 1) > agents:
        raise UsageError(f"world 'web': layout '{chosen[0]}' needs 2 agents, got {agents}")
    return [chosen]
