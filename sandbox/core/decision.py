"""What a reasoner is handed, and what it answers."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sandbox.core.speech import Said


class Heard(NamedTuple):
    """A message that has arrived."""

    sender: int
    said: Said


class Percept(NamedTuple):
    """What one agent perceives in one tick: its row of the observation's arrays."""

    agent: int
    tick: int
    window: Any  # (C, K, K) int8
    vector: Any  # (V,) float32
    mask: Any  # (A,) bool
    inbox: Any  # (M, 4) int32
    task: Any  # (4,) int32
    heard: tuple[Heard, ...] = ()  # what others said to it, as it comes in now

    @property
    def view(self) -> tuple:
        """Its rows of the observation, field by field."""
        return self[2:7]


class Call(NamedTuple):
    """One request to a language model, and what came back."""

    tick: int  # the one that is decided: 1, 2, 3, ...
    agent: int  # the first, where several ask the same
    sample: int
    attempt: int
    key: str  # SHA-256 over everything that was asked, hexadecimal
    prompt: str  # what follows the instructions
    reply: dict[str, str] | None  # text, tool, arguments, thinking; None where none came
    error: str  # why the reply is missing or was not used; empty where it was
    retry: bool  # whether the error is one that may pass
    input_tokens: int
    output_tokens: int
    money: float  # US dollars
    seconds: float  # from asking to the reply, waiting for a free place included
    read: str = ""  # how the action was found in the reply, where it is not just what was asked for
    without: str = ""  # parameters that the server refuses, so that they were not sent
    outage: bool = False  # the reply is missing for a reason of the infrastructure

    @property
    def invalid(self) -> bool:
        """Whether something came, and could not be used."""
        return bool(self.error) and not self.outage and (self.reply is not None or self.retry)


class ToolUse(NamedTuple):
    """A call of a function of the user's, and what it answered."""

    tick: int  # the one that is decided: 1, 2, 3, ...
    agent: int
    tool: str
    arguments: str  # JSON
    answer: str
    failed: bool  # whether the answer is an error


class Edit(NamedTuple):
    """A change of an agent's memory; a memory is made again by applying its edits in order."""

    tick: int  # the one that was decided
    change: str  # experience, block, archival, summary
    text: str  # what is kept; of a block, all that stands in it now
    label: str = ""  # of an experience, the action; of a block, its label
    importance: float = 0.5  # 0..1
    replaces: int = 0  # of a summary: how many experiences, the oldest ones, it stands for


class Trace(NamedTuple):
    """How a decision came about."""

    thought: str = ""  # the reason that the model gave
    subgoal: str = ""  # what it has set itself
    calls: tuple[Call, ...] = ()  # made for it in this tick
    fallback: str = ""  # why the agent's fallback acts instead
    failure: str = ""  # how the agent itself broke off: the fault of its program
    late: int = 0  # ticks between what was perceived and the action
    edits: tuple[Edit, ...] = ()  # of the agent's memory, in this tick
    person: tuple[int, int] | None = None  # the action that a person took for it


class Decision(NamedTuple):
    """The action of one agent: indices into the world's verbs and the verb's targets."""

    verb: int | None  # None: what the agent's fallback policy would do
    target: int = 0
    trace: Trace | None = None
    said: tuple[Said, ...] = ()  # to others in its team
    chosen: bool = True  # False: an earlier decision is still awaited, or nothing else was legal


@dataclass
class Usage:
    """Who decided for the agents under test, and what that has cost; each field is a measure of the outcome."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0  # US dollars
    own_decisions: int = 0
    fallbacks: int = 0  # decisions that the fallback policy made
    taken_over: int = 0  # decisions that a person made in an agent's place
    late_decisions: int = 0
    invalid_replies: int = 0  # of language models: they came, and could not be used

    def add(self, decision: Decision) -> None:
        trace = decision.trace or Trace()
        self.calls += len(trace.calls)
        self.tokens += sum(call.input_tokens + call.output_tokens for call in trace.calls)
        self.money += sum(call.money for call in trace.calls)
        self.invalid_replies += sum(call.invalid for call in trace.calls)
        self.own_decisions += decision.chosen and not trace.fallback
        self.fallbacks += bool(trace.fallback)
        self.late_decisions += trace.late > 0

    @property
    def decisions(self) -> int:
        """All that were made, by whomever."""
        return self.own_decisions + self.fallbacks + self.taken_over


class Reasoner(Protocol):
    """Decides for a batch of agents at once; one that follows a world's compiled policy is no object but a name."""

    def decide(self, percepts: list[Percept]) -> list[Decision]: ...
