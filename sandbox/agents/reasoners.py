"""Reasoners without a package of their own: faults of replies, people, scripts."""

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.decision import Decision, Percept, Reasoner, Trace
from sandbox.core.errors import UsageError, unknown
from sandbox.core.people import Action, People, Question
from sandbox.core.perturb import REPLIES_AT_MOST, Fault
from sandbox.core.world import World
from sandbox.engine.draw import FAULT, below, uniform

# -- faulty: faults of replies, which come late, in part, in another schema, or not at all

TIMEOUT, LIMIT, PARTIAL, SCHEMA, WHEN, ORDER = (FAULT + 16 + k for k in range(6))  # streams
LIMITED_FOR = 10  # ticks of one rate limit
CHANGES_BEFORE = 50  # tick by which a changing schema has changed


class ReplyFaults:
    """Keyed draws of the faults of a trial; ``severity`` (F,) float64 is in the order of ``Fault``, and may change."""

    def __init__(self, severity: np.ndarray, seed: int):
        self._dose, self.seed = severity, np.uint64(seed)

    def hit(self, fault: Fault, stream: int, tick: int, index: int) -> bool:
        """Whether a fault hits ``index`` at a tick."""
        chance = self._dose[fault] * REPLIES_AT_MOST
        return chance > 0 and uniform(self.seed, tick, stream, index) < chance

    def changed(self, stream: int, when: int, tick: int) -> bool:
        """Whether the schema has changed by a tick. The two streams draw whether it changes at all, and when."""
        return self.hit(Fault.CHANGED_SCHEMA, stream, 0, 0) and tick >= below(CHANGES_BEFORE, self.seed, 0, when, 0)


class Faulty:
    """The reasoner ``inner`` under faults of its replies. ``severity``: see ``ReplyFaults``; ``noop`` means waiting."""

    def __init__(self, reasoner: Reasoner, severity: np.ndarray, seed: int, verbs: int, noop: int):
        self.inner, self._faults, self._verbs, self._noop = reasoner, ReplyFaults(severity, seed), verbs, noop

    @property
    def setup(self):
        """The common beginning of requests, of a language model."""
        return getattr(self.inner, "setup", None)

    def close(self) -> None:
        getattr(self.inner, "close", lambda: None)()

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        answers = self.inner.decide(percepts)
        return [self._suffer(percept, Decision(*answer)) for percept, answer in zip(percepts, answers, strict=True)]

    def _suffer(self, percept: Percept, decision: Decision) -> Decision:
        tick, agent, hit = percept.tick, percept.agent, self._faults.hit
        if hit(Fault.TOOL_TIMEOUT, TIMEOUT, tick, agent) or hit(Fault.RATE_LIMIT, LIMIT, tick // LIMITED_FOR, agent):
            return decision._replace(verb=self._noop, target=0)  # its cost stays in its trace
        if decision.verb is None:
            return decision
        if hit(Fault.PARTIAL_REPLY, PARTIAL, tick, agent):
            decision = decision._replace(target=0)
        return self._in_old_terms(decision) if self._faults.changed(SCHEMA, WHEN, tick) else decision

    def _in_old_terms(self, decision: Decision) -> Decision:
        turned = 1 + below(self._verbs - 1, self._faults.seed, 0, ORDER, 0)
        return decision._replace(verb=(decision.verb + turned) % self._verbs)


def without_faults(reasoner: Reasoner) -> Reasoner:
    """The reasoner itself, with or without faults of replies."""
    return reasoner.inner if isinstance(reasoner, Faulty) else reasoner


# -- human: a person decides, or the agent's fallback if no answer comes in time


class HumanOptions(BaseModel):
    """Options of the reasoner ``human``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    patience: float = Field(30.0, ge=0, le=86_400)
    """Seconds that a tick waits for the person."""


class Human:
    """Asks ``people`` for every agent of a group at once; ``question`` makes the question of an agent's row."""

    def __init__(self, options: HumanOptions, people: People, question: Callable[[int, float], Question]):
        self._patience, self._people, self._question = options.patience, people, question

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        asked = [self._question(percept.agent, self._patience) for percept in percepts]
        return [self._decision(answer) for answer in self._people.ask(asked)]

    def _decision(self, answer: Action | None) -> Decision:
        if answer is None:
            return Decision(None, 0, Trace(fallback="no person answered"))
        return Decision(*answer, Trace(person=answer))


# -- scripted: actions from a list, then the no-op for ever


def parse_script(script: Sequence[str], world: World, where: str) -> list[Decision]:
    """Decisions of a script. Each line is a verb, or a verb and the number of its target ("click 3")."""
    decisions = []
    for number, line in enumerate(script):
        verb, _, target = line.strip().partition(" ")
        if verb not in world.verbs:
            raise unknown("verb", verb, world.verbs, f"{where}[{number}]")
        if target and not (target.isdecimal() and int(target) < world.targets):
            raise UsageError(f"{where}[{number}]: target '{target}' of '{verb}', expected 0..{world.targets - 1}")
        decisions.append(Decision(world.verbs.index(verb), int(target or 0)))
    return decisions


class Scripted:
    """Plays ``script``, one decision a tick, then ``noop``."""

    def __init__(self, script: Sequence[Decision], noop: int):
        self._script, self._after = script, Decision(noop)

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [self._script[p.tick] if p.tick < len(self._script) else self._after for p in percepts]


# -- reasoners
