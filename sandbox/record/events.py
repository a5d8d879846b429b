"""The events of a run: one frozen model for each kind, and their one canonical form as bytes.

``Event`` is the union over ``kind``. An unknown kind or field is an error.
"""

import json
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic needs it below Python 3.12

from sandbox.core.errors import RecordError
from sandbox.core.speech import Act
from sandbox.record.packing import PACKED_FROM, column, pack

OTHER_VERSION = "which this version of sandbox does not know: another version wrote it"
Count = Annotated[int, Field(ge=0, lt=2**63)]  # fits a SQLite integer
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # SHA-256, hexadecimal
Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentEntry(_Frozen):
    """One agent of a trial; its place in the list is its index in actions and rewards."""

    name: str
    role: str
    reasoner: str


class RunStarted(_Frozen):
    """The first event of a run: the scenario and the versions of the software."""

    kind: Literal["run_started"] = "run_started"
    scenario: dict[str, JsonValue]
    scenario_hash: str
    versions: dict[str, str]
    trials: Count  # planned


class TrialStarted(_Frozen):
    kind: Literal["trial_started"] = "trial_started"
    trial: Count
    seed: Annotated[int, Field(ge=0, lt=2**64)]
    agents: tuple[AgentEntry, ...]


class TickDone(_Frozen):
    """The results of one tick; the ticks of a trial count 1, 2, 3, ...

    In JSON the two arrays are lists, or from ``PACKED_FROM`` agents on texts (``packing``). Records of earlier versions
    have lists for any number of agents.
    """

    kind: Literal["tick"] = "tick"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    actions: Annotated[np.ndarray, column(tuple[tuple[Int32, Int32], ...], "<i4", 2)]  # (N, 2): verb, target
    reward: Annotated[np.ndarray, column(tuple[float, ...], "<f8")]  # (N,), of each agent in this tick
    digest: Digest  # of the state after the tick

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TickDone) and canonical(self) == canonical(other)


class Described(TypedDict):
    """The description of a user's function that a language model read."""

    name: str
    description: str
    parameters: dict[str, JsonValue]


class ModelUsed(_Frozen):
    """The language model of a group of agents, with the common beginning of its requests in the trial."""

    kind: Literal["model"] = "model"
    trial: Count
    agents: Annotated[tuple[int, ...], Field(min_length=1)]
    model: str
    instructions: str
    tools: tuple[dict[str, JsonValue], ...]
    max_tokens: Count
    temperature: float | None
    price: tuple[float, float]  # US dollars for one token: input, output
    functions: dict[str, Described] = {}  # of the user, by full name


class CodeUsed(_Frozen):
    """The user's own code that decides for a group of agents; its name is in the scenario."""

    kind: Literal["code"] = "code"
    trial: Count
    agents: Annotated[tuple[int, ...], Field(min_length=1)]
    version: str  # SHA-256 of its file, or empty


class CallDone(_Frozen):
    """One request to a language model with its result, recorded before the tick that needs it; see ``core.Call``."""

    kind: Literal["call"] = "call"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    sample: Count
    attempt: Count
    key: Digest  # of the whole request
    prompt: str  # the text after the instructions
    reply: dict[str, str] | None
    error: str
    retry: bool
    input_tokens: Count
    output_tokens: Count
    money: float
    seconds: float
    read: str = ""  # this field and the next three are missing in records of earlier versions
    without: str = ""
    outage: bool = False
    began: float | None = None


class Spoken(TypedDict):
    """One message; see ``core.Said``."""

    act: Annotated[int, Field(ge=1, le=max(Act))]
    to: Annotated[int, Field(ge=-1)]
    task: int
    value: int
    text: str


class ToolAnswered(_Frozen):
    """A call of a user's function, recorded as soon as it has answered; see ``core.ToolUse``.

    An interrupted tick leaves such events without its own. When the tick is executed again, it gets the same answers.
    """

    kind: Literal["tool"] = "tool"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    tool: str
    arguments: str
    answer: str
    failed: bool


class AgentAnswered(_Frozen):
    """The answer of the user's own code for an agent in the following tick; see ``core.Answered``."""

    kind: Literal["answered"] = "answered"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    action: tuple[int, int] | None  # verb, target
    said: tuple[Spoken, ...]
    printed: str
    error: str
    joules: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class MemoryEdited(_Frozen):
    """A change of an agent's memory in the following tick; see ``core.Edit``."""

    kind: Literal["memory"] = "memory"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    change: Literal["experience", "block", "archival", "summary"]
    text: str
    label: str
    importance: float
    replaces: Count


class MessageSaid(_Frozen):
    """A message of an agent that chooses its own messages, in the following tick; see ``core.Said``."""

    kind: Literal["said"] = "said"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    act: Annotated[int, Field(ge=1, le=max(Act))]
    to: Annotated[int, Field(ge=-1)]
    task: int  # code, 0 for none
    value: int
    text: str


class HumanActed(_Frozen):
    """The action of a person for an agent: the answer to a question, or by control of the agent."""

    kind: Literal["human"] = "human"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    action: tuple[int, int]  # verb, target


class Reviewed(_Frozen):
    """The effect of a guard's rule on an action of the following tick; see ``Review``."""

    kind: Literal["review"] = "review"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    agent: Count
    said: tuple[int, int]  # verb, target
    rule: Count
    effect: Literal["deny", "modify", "escalate"]
    enforced: tuple[int, int]
    by: Literal["rule", "human", "timeout"]


class Resumed(_Frozen):
    """A trial continues that was killed, stopped or failed. An outcome recorded before this event no longer counts."""

    kind: Literal["resumed"] = "resumed"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]  # the next tick
    versions: dict[str, str]


class Changed(_Frozen):
    """From the next tick on, the trial has another scenario, of the same world and team."""

    kind: Literal["changed"] = "changed"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    scenario: dict[str, JsonValue]


class Placed(_Frozen):
    """Before the next tick, somebody intervened in the world: keys of its description with their new values."""

    kind: Literal["placed"] = "placed"
    trial: Count
    tick: Annotated[Count, Field(ge=1)]
    patch: dict[str, JsonValue]


class TrialFinished(_Frozen):
    kind: Literal["trial_finished"] = "trial_finished"
    trial: Count
    outcome: dict[str, JsonValue]


class RunFinished(_Frozen):
    """The last event of a run; it seals the record. A run that is not done may be ``Resumed``."""

    kind: Literal["run_finished"] = "run_finished"
    trials: Count
    status: Literal["done", "stopped", "failed"]


Event = Annotated[
    RunStarted
    | TrialStarted
    | ModelUsed
    | CodeUsed
    | CallDone
    | ToolAnswered
    | AgentAnswered
    | MemoryEdited
    | HumanActed
    | MessageSaid
    | Reviewed
    | TickDone
    | Resumed
    | Changed
    | Placed
    | TrialFinished
    | RunFinished,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return vars(value)
    return value.tolist() if len(value) < PACKED_FROM else pack(value)


_JSON = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False, default=_plain
)

_QUOTES = 2 * (len(TickDone.model_fields) + 2)  # of a tick: around its keys, its kind and its digest
_PACKED = [f'"{name}":"'.encode() for name in ("actions", "reward")]


def canonical(event: Event) -> bytes:
    """The event as JSON in UTF-8: sorted keys, no spaces, floats in their shortest form that reads back equal.

    Raises RecordError for what JSON cannot hold: NaN, infinities, lone surrogates.
    """
    try:
        return _JSON.encode(vars(event)).encode()
    except ValueError as error:
        raise RecordError(f"a {event.kind} event cannot be recorded: {error}") from error


def is_canonical(event: Event, body: bytes) -> bool:
    """Whether an event was read from its canonical body.

    SQLite reads a duplicate key differently, for instance. For a tick, which is long, it suffices to count quotation
    marks, since neither numbers nor packed arrays can hide a key.
    """
    if isinstance(event, TickDone):
        packed = sum(key in body for key in _PACKED)
        return body.count(b'"') == _QUOTES + 2 * packed and (not packed or len(event.actions) >= PACKED_FROM)
    return _JSON.encode({name: getattr(event, name) for name in event.model_fields_set}).encode() == body


def parse(body: bytes) -> Event:
    """The event of a canonical body; raises RecordError for an invalid one."""
    try:
        return _EVENT.validate_json(body, strict=True)  # without strict, "1" and 1.0 would be read as the recorded 1
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        kind, *field = map(str, first["loc"] or ("",))
        place = ".".join((kind, *field))
        if first["type"] == "extra_forbidden":
            raise RecordError(f"an event '{kind}' with the field '{'.'.join(field)}', {OTHER_VERSION}") from error
        if first["type"] == "union_tag_invalid":
            raise RecordError(f"an event '{first['ctx']['tag']}', {OTHER_VERSION}") from error
        raise RecordError(f"not an event of a run: {place + ': ' if place else ''}{first['msg']}") from error
