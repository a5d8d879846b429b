"""Faults of replies: what a reasoner that is asked has answered may come late, in part, or in yesterday's terms.

The generic perturbations of replies (``core.perturb``), for any reasoner of the hosted tier. All are keyed draws.
"""

import numpy as np

from sandbox.core.decision import Decision, Percept, Reasoner
from sandbox.core.perturb import REPLIES_AT_MOST, Fault
from sandbox.engine.draw import FAULT, below, uniform

TIMEOUT, LIMIT, PARTIAL, SCHEMA, WHEN, ORDER = (FAULT + 16 + k for k in range(6))  # streams
LIMITED_FOR = 10  # ticks of one rate limit
CHANGES_BEFORE = 50  # ticks: by then a schema that changes has changed


class Faulty:
    """A reasoner whose replies suffer. ``dose`` (F,) float64 is in the order of ``Fault``; ``noop`` is to wait."""

    def __init__(self, reasoner: Reasoner, dose: np.ndarray, seed: int, verbs: int, noop: int):
        self._reasoner, self._chance, self._seed = reasoner, dose * REPLIES_AT_MOST, np.uint64(seed)
        self._verbs, self._wait = verbs, Decision(noop)

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        answers = self._reasoner.decide(percepts)
        return [self._suffer(percept, Decision(*answer)) for percept, answer in zip(percepts, answers, strict=True)]

    def _suffer(self, percept: Percept, decision: Decision) -> Decision:
        if self._hit(Fault.TOOL_TIMEOUT, TIMEOUT, percept.tick, percept.agent):
            return self._wait
        if self._hit(Fault.RATE_LIMIT, LIMIT, percept.tick // LIMITED_FOR, percept.agent):
            return self._wait
        if self._hit(Fault.PARTIAL_REPLY, PARTIAL, percept.tick, percept.agent):
            decision = decision._replace(target=0)
        if self._hit(Fault.CHANGED_SCHEMA, SCHEMA, 0, 0):
            decision = self._in_old_terms(percept.tick, decision)
        return decision

    def _in_old_terms(self, tick: int, decision: Decision) -> Decision:
        if tick < below(CHANGES_BEFORE, self._seed, 0, WHEN, 0):
            return decision
        turned = 1 + below(self._verbs - 1, self._seed, 0, ORDER, 0)
        return decision._replace(verb=(decision.verb + turned) % self._verbs)

    def _hit(self, fault: Fault, stream: int, tick: int, agent: int) -> bool:
        return self._chance[fault] > 0 and uniform(self._seed, tick, stream, agent) < self._chance[fault]
