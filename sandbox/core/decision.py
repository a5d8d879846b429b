"""The input of a reasoner (percepts) and its output (decisions)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from sandbox.core.speech import Said

if TYPE_CHECKING:
    from sandbox.core.world import Observation


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
    heard: tuple[Heard, ...] = ()  # messages of others that arrive in this tick

    @classmethod
    def of(cls, observation: "Observation", agent: int, tick: int, heard: tuple[Heard, ...] = ()) -> Self:
        """One agent's part of the observation of one lane."""
        window, vector, mask, inbox, task = (field[0, agent] for field in observation)
        return cls(agent, tick, window, vector, mask, inbox, task, heard)

    @property
    def view(self) -> tuple:
        """The agent's rows of the observation, field by field."""
        return self[2:7]


class Call(NamedTuple):
    """One request to a language model, and its result."""

    tick: int  # the tick that is decided: 1, 2, 3, ...
    agent: int  # the first of the agents that make the same request
    sample: int
    attempt: int
    key: str  # SHA-256 over the whole request, hexadecimal
    prompt: str  # what follows the instructions
    reply: dict[str, str] | None  # text, tool, arguments, thinking; None: no reply
    error: str  # why the reply is missing or was not used; empty: it was used
    retry: bool  # whether the error may be temporary
    input_tokens: int
    output_tokens: int
    money: float  # US dollars
    seconds: float  # from request to reply, including the wait for a free slot
    read: str = ""  # the form of the reply, if it is not the requested one
    without: str = ""  # parameters that were not sent because the server refuses them
    outage: bool = False  # the infrastructure is the reason that the reply is missing
    began: float | None = None  # seconds since the trial began, by the computer's clock; None: it is not known

    @property
    def invalid(self) -> bool:
        """Whether a reply came but could not be used."""
        return bool(self.error) and not self.outage and (self.reply is not None or self.retry)


class ToolUse(NamedTuple):
    """A call of a user's function, and its answer."""

    tick: int  # the tick that is decided: 1, 2, 3, ...
    agent: int
    tool: str
    arguments: str  # JSON
    answer: str
    failed: bool  # whether the answer is an error


class Edit(NamedTuple):
    """A change of an agent's memory; applying all edits in order rebuilds the memory."""

    tick: int  # the tick that was decided
    change: str  # experience, block, archival, summary
    text: str  # the stored text; of a block, its whole new text
    label: str = ""  # of an experience, the action; of a block, its label
    importance: float = 0.5  # 0..1
    replaces: int = 0  # of a summary: the number of oldest experiences that it replaces


class Answered(NamedTuple):
    """The answer of the user's own code for an agent; a record has it, so that the code need not run again."""

    action: tuple[int, int] | None  # verb, target; None: it passed, or failed with an error
    said: tuple[Said, ...] = ()
    printed: str = ""
    error: str = ""  # why it failed; it is not asked again
    joules: float = 0.0  # that it spent, by the rates of its device


class Trace(NamedTuple):
    """How a decision was made."""

    thought: str = ""  # the reason that the model gave
    subgoal: str = ""  # the sub-goal that the model set itself
    calls: tuple[Call, ...] = ()  # made for the agent in this tick
    fallback: str = ""  # why the agent's fallback acts instead
    failure: str = ""  # the error of the agent itself, such as a crash of its program
    late: int = 0  # ticks between the perception and the action
    edits: tuple[Edit, ...] = ()  # of the agent's memory, in this tick
    person: tuple[int, int] | None = None  # the action that a person chose for it
    answered: Answered | None = None  # of the user's own code


class Decision(NamedTuple):
    """The action of one agent: indices into the world's verbs and the verb's targets."""

    verb: int | None  # None: the action of the agent's fallback policy
    target: int = 0
    trace: Trace | None = None
    said: tuple[Said, ...] = ()  # to others in its team
    chosen: bool = True  # False: an earlier decision is still awaited, or nothing else was legal


@dataclass
class Usage:
    """Who decided for the agents under test, and the cost; each field is a measure of the outcome."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0  # US dollars
    own_decisions: int = 0
    fallbacks: int = 0  # decisions that the fallback policy made
    taken_over: int = 0  # decisions that a person made in an agent's place
    late_decisions: int = 0
    invalid_replies: int = 0  # of language models: replies that could not be used
    joules: float = 0.0  # of agents on devices

    def add(self, decision: Decision) -> None:
        trace = decision.trace or Trace()
        self.calls += len(trace.calls)
        self.tokens += sum(call.input_tokens + call.output_tokens for call in trace.calls)
        self.money += sum(call.money for call in trace.calls)
        self.invalid_replies += sum(call.invalid for call in trace.calls)
        self.own_decisions += decision.chosen and not trace.fallback
        self.fallbacks += bool(trace.fallback)
        self.late_decisions += trace.late > 0
        self.joules += trace.answered.joules if trace.answered else 0.0

    @property
    def decisions(self) -> int:
        """The number of all decisions, no matter who made them."""
        return self.own_decisions + self.fallbacks + self.taken_over


class Reasoner(Protocol):
    """Decides for a batch of agents at once. A compiled policy is not such an object, only a name."""

    def decide(self, percepts: list[Percept]) -> list[Decision]: ...
