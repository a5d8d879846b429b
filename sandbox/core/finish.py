"""How an episode ends, and the measures of a trial."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple


class Finish(IntEnum):
    """Why an episode ended; stored in ``State.done`` (int8), 0 while it runs."""

    RUNNING = 0
    COMPLETED = 1
    TICK_LIMIT = 2
    BUDGET = 3
    STALLED = 4
    INVALID = 5
    STOPPED = 6
    ERROR = 7
    AGENT_FAILED = 8  # of a trial, whatever the episode achieved: an agent under test failed

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")


class Outcome(NamedTuple):
    """The result of one trial. ``error`` is set for infrastructure errors only; they never count against an agent.

    Agents under test are those whose reasoner is not a compiled policy; if there are none, all agents.
    """

    world: str
    seed: int
    success: bool
    finish: str
    ticks: int
    steps_to_completion: int | None
    reward: float
    tasks_done: int
    tasks_total: int
    invalid_actions: int
    refused_actions: int
    seconds: float
    digest: str
    error: str | None = None
    calls: int = 0  # of language models
    tokens: int = 0  # in and out
    money: float = 0.0  # US dollars
    own_decisions: int = 0  # made by agents under test; those of compiled policies are not counted
    fallbacks: int = 0  # decisions that an agent's fallback policy made
    taken_over: int = 0  # decisions that a person made in an agent's place
    late_decisions: int = 0
    invalid_replies: int = 0  # of language models: replies that could not be used
    joules: float = 0.0  # of agents on devices (``[agents.edge]``), by the devices' rates
    autonomy: float | None = None  # 0..1, the share of decisions that were the agents' own; None: no decisions
    failure: str | None = None  # how an agent failed; the trial counts against it
    imagined_ticks: int = 0  # of all futures that its agents imagined
    messages: int = 0  # sent in a team, one for each edge
    lost_messages: int = 0
    turns: int = 0  # how often the turn, or the word, went to another agent
    stalls: int = 0  # abandoned plans, and turns that were taken away
    claims: int = 0  # of task objects: "done"
    false_claims: int = 0  # of these, the wrong ones
    idle_share: float = 0.0  # of its agents' ticks, those without work
    load_balance: float = 1.0  # of ticks at work: Jain's index, 1/N (one agent does all) .. 1 (equal shares)

    def as_dict(self) -> dict:
        return self._asdict()


_LABELS = {  # for measures whose names are unclear or too short
    "seconds": "wall-clock seconds",
    "steps_to_completion": "ticks to completion",
    "refused_actions": "prevented actions",
    "calls": "calls of language models",
    "money": "US dollars",
    "own_decisions": "decisions of the agents' own",
    "fallbacks": "decisions of the fallback",
    "taken_over": "decisions of a person instead",
    "failure": "an agent broke off",
    "error": "infrastructure error",
    "idle_share": "idle, share of ticks",
    "load_balance": "balance of work (Jain)",
}
_OF_MODELS = ("calls", "tokens", "money", "late_decisions", "invalid_replies")
_OF_TESTED = ("own_decisions", "fallbacks", "autonomy")  # measures of agents under test


def label(measure: str) -> str:
    """The name of a measure in tables and reports."""
    return _LABELS.get(measure, measure.replace("_", " "))


def notable(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The measures that a table of one trial shows: those without a default, and those that differ from it.

    With agents under test, the shares of who decided are always shown; with calls of language models, their cost.
    ``outcome`` is a result of ``Outcome.as_dict``, perhaps of an earlier version, or with keys that are not measures.
    """
    tested = any(outcome.get(name) for name in ("own_decisions", "fallbacks", "taken_over"))
    always = {*(_OF_TESTED if tested else ()), *(_OF_MODELS if outcome.get("calls") else ())}
    usual = Outcome._field_defaults if tested else Outcome._field_defaults | {"autonomy": outcome.get("autonomy")}
    found = {name: outcome[name] for name in Outcome._fields if outcome.get(name) is not None}
    return {name: value for name, value in found.items() if name in always or name not in usual or value != usual[name]}
