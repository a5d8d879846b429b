"""People in a team: they decide for agents, approve actions, or take an agent over."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sandbox.core.errors import UsageError, unknown

Action = tuple[int, int]  # verb, target
ALLOW, DENY = "allow", "deny"


class Question(NamedTuple):
    """One question about one agent in one tick."""

    tick: int  # the tick that is decided: 1, 2, 3, ...
    agent: int
    name: str  # the agent's
    patience: float  # seconds to wait for an answer
    view: str  # what the agent perceives, in words
    verbs: tuple[str, ...]  # of the world
    legal: dict[str, list[int]]  # verbs that have an effect now, each with its targets
    noop: int
    said: Action | None = None  # the action to approve; None: the person chooses the action
    why: str = ""  # why the action needs approval
    effects: tuple[str, ...] = ()  # what each verb does, in a sentence of the world; "" where it has none

    def in_words(self, action: Action) -> str:
        """Such as ``click 3``; target 0 is left out."""
        verb, target = action
        return self.verbs[verb] if target == 0 else f"{self.verbs[verb]} {target}"

    def read(self, words: str) -> Action:
        """The action of an answer: ``allow``, ``deny``, a verb, or a verb and the number of its target; else the no-op.

        Raises UsageError for anything else, and for an action that has no effect now.
        """
        words = words.strip()
        if not words or (words == DENY and self.said):
            return self.noop, 0
        if words == ALLOW and self.said:
            return self.said
        verb, _, target = words.partition(" ")
        if verb not in self.legal:
            raise unknown("action", verb, {*self.legal, *((ALLOW, DENY) if self.said else ())})
        number = int(target) if target.isdecimal() else (self.legal[verb][0] if not target else -1)
        if number not in self.legal[verb]:
            raise UsageError(f"{words}: expected a target of '{verb}': {', '.join(map(str, self.legal[verb]))}")
        return self.verbs.index(verb), number


class People(Protocol):
    """The people who answer questions and steer agents."""

    def ask(self, questions: list[Question]) -> list[Action | None]:
        """An action for each question, all asked at once; None without an answer within its patience."""
        ...

    def held(self, tick: int) -> Mapping[int, Action | None]:
        """The agents that a person steers in the tick that is decided, each with its action.

        Their reasoners are not called. None: no action was given, so the agent does nothing. Called once a tick.
        """
        ...


class Nobody:
    """No people, as in batches: questions get no answer at once, and no agent is steered."""

    def ask(self, questions: list[Question]) -> list[Action | None]:
        return [None] * len(questions)

    def held(self, tick: int) -> Mapping[int, Action | None]:
        return {}
