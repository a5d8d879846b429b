"""Process files: read, and checked for what pydantic can check. Errors are one line, with the nearest valid name.

A process file is TOML (see ``processes/``):

``title``, ``case``   its name, and what a case is called; ``texts``: the instruction in three paraphrases
``policy``            values that checks refer to, by name; ``changed``: those after a change of policy
``post.NAME``         people: how many, when they ``work`` ("mon-fri 8-17, sat 9-12"), ``minutes`` for what is escalated
                      to them or reviewed by them, the share of errors ``caught``, ``wage`` (euros an hour), ``batch``.
                      The post ``team`` is that of the agents: its people are the staff that the load refers to
``post.NAME.person``  people who differ, instead of ``people``: ``count``, ``work``, ``wage``, and ``minutes`` of the
                      activities that they do, if they do not do all, or not as fast as others
``arrival``           ``gap`` (minutes between two cases; the load scales it), and when cases can arrive (``work``)
``document.NAME``     fields, each with one way to come about: ``draw`` = [low, high], ``copy``, ``product`` of two,
                      ``pick`` of so many (``favourites``: the share that a fifth of them has), ``code`` of a field,
                      ``serial`` from a number on, ``of`` a field ``times`` [low, high]; ``unit``: euro (cents), code
``form``              fields that stand in another field's place on the changed form
``activity``          in order: ``name``; ``post`` and ``minutes``, or ``days`` of waiting (``outside`` = false: inside
                      the company); ``brings`` documents; ``match`` (the rule is to match before completing),
                      ``approval``, ``review``; ``check``s: ``rule`` (equal, at most, at most policy, present, unique,
                      separate), ``left``, ``right``, ``tolerance``, ``remedy`` (ask, reject, escalate), ``answer``
                      (how long one takes), ``leak``, ``wrong`` (euros wrong: a field, less another)
``issue``             what can be wrong: ``field``, its ``share`` of the cases, ``dose`` (the perturbation that adds to
                      it), and ``scale``, ``zero``, ``repeat`` or ``other``; ``twin``: the next case is the same, clean
``flow``              ``share`` and ``path``: names of activities; "NAME 0.05" is taken by 5 % of the cases, and at
                      "-> NAME 0.2" 20 % go on at NAME, or at "-> end"

A duration is ``{ median, p10, p90 }`` (lognormal), ``{ mean }`` (exponential), ``{ low, high }``, ``{ constant }``, or
``{ law, parameters }`` of ``scipy.stats``, and perhaps the ``low`` and ``high`` between which it is.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.core.errors import UsageError, first_problem, unknown
from sandbox.core.files import TOMLDecodeError, explained, read_toml
from sandbox.core.maps import read_layout

MOST_PEOPLE = 1_000  # of a post
EXPECTED = "a process of the world 'office' (TOML)"
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Wage = Annotated[float, Field(ge=0, le=1e6)]
Whole = Annotated[int, Field(ge=0, le=100_000_000)]
Wholes = Annotated[list[Whole], Field(min_length=2, max_length=2)]
Pair = Annotated[list[Positive], Field(min_length=2, max_length=2)]
Names = Annotated[list[str], Field(min_length=2, max_length=2)]
Name = Annotated[str, Field(min_length=1, max_length=40)]


class _Typed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Duration(_Typed):
    median: Positive | None = None
    p10: Positive | None = None
    p90: Positive | None = None
    mean: Positive | None = None
    low: Positive | None = None
    high: Positive | None = None
    constant: Positive | None = None
    law: str | None = None
    parameters: Annotated[list[float], Field(min_length=1, max_length=5)] | None = None


class Caught(_Typed):
    rested: Share
    tired: Share
    full: Positive


class Person(_Typed):
    count: int = Field(1, ge=1, le=MOST_PEOPLE)
    work: str | None = None
    wage: Wage | None = None
    minutes: dict[str, Duration] = {}


class Post(_Typed):
    people: int = Field(1, ge=1, le=MOST_PEOPLE)
    person: list[Person] = Field(default_factory=list, max_length=100)
    work: str
    minutes: Duration | None = None
    caught: Caught
    wage: Wage
    batch: int = Field(1, ge=1, le=32)

    def crew(self) -> list[Person]:
        """Each of its people."""
        return [each for each in self.person or [Person(count=self.people)] for _ in range(each.count)]


class DocumentField(_Typed):
    draw: Wholes | None = None
    copy_: str | None = Field(None, alias="copy")
    product: Names | None = None
    pick: Annotated[int, Field(ge=5, le=10_000)] | None = None
    favourites: Share = 0.8
    code: str | None = None
    serial: Whole | None = None
    of: str | None = None
    times: Pair | None = None
    unit: Literal["number", "euro", "code"] = "number"


class Answer(_Typed):
    hours: Duration | None = None
    days: Duration | None = None
    outside: bool = True


class CheckFile(_Typed):
    name: Name
    rule: Literal["equal", "at most", "at most policy", "present", "unique", "separate"]
    left: str
    right: str = ""
    tolerance: str = ""
    remedy: Literal["ask", "reject", "escalate"]
    answer: Answer | None = None
    leak: bool = False
    wrong: list[str] = Field(default_factory=list, max_length=2)


class ActivityFile(_Typed):
    name: Name
    post: str = ""
    minutes: Duration | None = None
    days: Duration | None = None
    hours: Duration | None = None
    outside: bool = True
    brings: list[str] = []
    match: bool = False
    approval: bool = False
    review: bool = False
    check: list[CheckFile] = Field(default_factory=list, max_length=8)


class IssueFile(_Typed):
    name: Name
    field: str
    share: Share = 0.0
    dose: str
    scale: Pair | None = None
    of: str = ""
    zero: bool = False
    repeat: bool = False
    other: bool = False
    twin: bool = False


class FlowFile(_Typed):
    name: Name
    share: Share
    path: list[str] = Field(min_length=1, max_length=1_000)


class OfficeFile(_Typed):
    manager: str
    reviewer: str
    urgent: Share = 0.1


class ArrivalFile(_Typed):
    gap: Duration = Duration(mean=1.0)
    work: str = ""


class Process(_Typed):
    """A process file."""

    title: Name
    case: Name
    texts: list[str] = Field(min_length=3)
    policy: dict[str, float | int] = {}
    changed: dict[str, float | int] = {}
    office: OfficeFile
    arrival: ArrivalFile = ArrivalFile()
    post: dict[str, Post]
    document: dict[str, dict[str, DocumentField]]
    form: dict[str, str] = {}
    activity: list[ActivityFile] = Field(min_length=1, max_length=30)
    issue: list[IssueFile] = Field(default_factory=list, max_length=30)
    flow: list[FlowFile] = Field(min_length=1, max_length=30)


@cache
def names() -> tuple[str, ...]:
    """The processes that come with the world, in alphabetical order."""
    found = (file.name.removesuffix(".toml") for file in files(__package__).joinpath("processes").iterdir())
    return tuple(sorted(found))


def load(layout: str) -> tuple[Process, str]:
    """The process of a layout, given by name, by path, or as text; and its name in messages."""
    if layout in names():
        where = f"{layout}.toml"
        return checked(files(__package__).joinpath("processes", where).read_text("utf-8"), where), where
    text, where = read_layout(layout, names(), "world 'office'")
    with explained(text, where, EXPECTED):
        return checked(text, where), where


def checked(text: str, where: str) -> Process:
    """A process file with the right keys and types; raises UsageError."""
    try:
        read = read_toml(text)
    except TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        at = place.rstrip(")") if place.startswith("line") else f"line {text.count(chr(10)) + 1}"
        raise UsageError(f"{where}: {at}: {message or error}") from None
    try:
        return Process.model_validate(read)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if first["type"] == "extra_forbidden":
            *path, key = first["loc"]
            raise unknown("key", str(key), _keys(Process, path), ".".join([where, *map(str, path)])) from None
        raise UsageError(f"{where}: {first_problem(error)}") from None


def _keys(model: Any, path: list) -> list[str]:
    """The keys of the table at a place of a process file."""
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[part].annotation
        for inner in getattr(model, "__args__", ()):  # of list, dict, or None
            found = _model(inner)
            if found is not None and (isinstance(part, int) or not isinstance(model, type)):
                model = inner
    found = _model(model)
    return [name if name != "copy_" else "copy" for name in found.model_fields] if found else []


def _model(kind: Any) -> type[BaseModel] | None:
    """The model within an annotation."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for inner in getattr(kind, "__args__", ()) if (found := _model(inner))), None)
