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


class ReplyFaults:
    """Keyed draws of the faults of a trial; ``dose`` (F,) float64 is in the order of ``Fault``, and may change."""

    def __init__(self, dose: np.ndarray, seed: int):
        self._dose, self.seed = dose, np.uint64(seed)

    def hit(self, fault: Fault, stream: int, tick: int, index: int) -> bool:
        """Whether a fault comes to ``index`` at a tick."""
        chance = self._dose[fault] * REPLIES_AT_MOST
        return chance > 0 and uniform(self.seed, tick, stream, index) < chance

    def changed(self, stream: int, when: int, tick: int) -> bool:
        """Whether the schema has changed by a tick; the streams say whether it ever does, and when."""
        return self.hit(Fault.CHANGED_SCHEMA, stream, 0, 0) and tick >= below(CHANGES_BEFORE, self.seed, 0, when, 0)


class Faulty:
    """The reasoner ``inner``, whose replies suffer. ``dose``: see ``ReplyFaults``; ``noop`` is to wait."""

    def __init__(self, reasoner: Reasoner, dose: np.ndarray, seed: int, verbs: int, noop: int):
        self.inner, self._faults, self._verbs, self._noop = reasoner, ReplyFaults(dose, seed), verbs, noop

    @property
    def setup(self):
        """Of a language model: what its requests begin with."""
        return getattr(self.inner, "setup", None)

    def close(self) -> None:
        getattr(self.inner, "close", lambda: None)()

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        answers = self.inner.decide(percepts)
        return [self._suffer(percept, Decision(*answer)) for percept, answer in zip(percepts, answers, strict=True)]

    def _suffer(self, percept: Percept, decision: Decision) -> Decision:
        tick, agent, hit = percept.tick, percept.agent, self._faults.hit
        if hit(Fault.TOOL_TIMEOUT, TIMEOUT, tick, agent) or hit(Fault.RATE_LIMIT, LIMIT, tick // LIMITED_FOR, agent):
            return decision._replace(verb=self._noop, target=0)  # what it cost stays in its trace
        if decision.verb is None:
            return decision
        if hit(Fault.PARTIAL_REPLY, PARTIAL, tick, agent):
            decision = decision._replace(target=0)
        return self._in_old_terms(decision) if self._faults.changed(SCHEMA, WHEN, tick) else decision

    def _in_old_terms(self, decision: Decision) -> Decision:
        turned = 1 + below(self._verbs - 1, self._faults.seed, 0, ORDER, 0)
        return decision._replace(verb=(decision.verb + turned) % self._verbs)
