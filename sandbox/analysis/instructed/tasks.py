"""Contrastive tasks: from the same start, several instructions. Which of all is done first says what was obeyed.

A start counts if at least three instructions can be done from it, and only those are told. An agent that ignores what
it is told does the same in each of these tasks, so it obeys in few of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.analysis.instructed.demonstrations import Place
from sandbox.analysis.instructed.plans import Lanes, counts, plans, tick
from sandbox.analysis.instructed.starts import starts
from sandbox.nets.generalist import Generalist

FEWEST, TICKS = 3, 40  # instructions of a start; ticks until an attempt has failed


@dataclass(frozen=True, eq=False)
class Tasks:
    """Starts with instructions: n tasks."""

    start: np.ndarray  # (n,) int: which start
    goal: np.ndarray  # (n,) int: what is told
    ways: list[list[int]]  # the pairs of the demonstrator
    lanes: Lanes  # n lanes

    def __len__(self) -> int:
        return len(self.goal)


def tasks(place: Place, seeds: range, most: int) -> Tasks:
    """The tasks of the first ``most`` starts of these seeds that have enough instructions; fewer, if there are not."""
    found: list[Lanes] = []
    goals: list[int] = []
    ways: list[list[int]] = []
    of: list[int] = []
    for start in starts(place.env, seeds):
        known = plans(place.env, start)
        if len(known) < FEWEST:
            continue
        of += [len(found)] * len(known)
        goals += known
        ways += known.values()
        found.append(start)
        if len(found) == most:
            break
    lanes = _stacked([found[k] for k in of]) if of else Lanes(place.env.allocate(0), place.env.observation(0))
    return Tasks(np.array(of, int), np.array(goals, int), ways, lanes)


def _stacked(parts: Sequence[Lanes]) -> Lanes:
    """All lanes of these parts, in order."""
    return Lanes(*(type(of[0])(*map(np.concatenate, zip(*of, strict=True))) for of in zip(*parts, strict=True)))


class Listening:
    """A generalist in a place, whose lanes are told something; it draws its pairs."""

    def __init__(self, net: Generalist, place: Place, sentences: np.ndarray, rng: np.random.Generator):
        self._net, self._place, self._sentences, self._rng = net, place, sentences, rng

    def pairs(self, now: Lanes, rows: np.ndarray, tick: int) -> np.ndarray:
        logits = self._net.logits(self._place.env.world.name, self._place.codes(now.view), self._sentences[rows])
        return drawn(np.where(now.mask, logits, -np.inf), self._rng)


class Chance:
    """Random legal pairs."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng

    def pairs(self, now: Lanes, rows: np.ndarray, tick: int) -> np.ndarray:
        return drawn(np.where(now.mask, 0.0, -np.inf), self._rng)


class Shown:
    """The demonstrator, which sees the state and foresees all dice."""

    def __init__(self, told: Tasks):
        self._told = told

    def pairs(self, now: Lanes, rows: np.ndarray, tick: int) -> np.ndarray:
        return np.array([self._told.ways[row][tick] for row in rows])


def drawn(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) a pair for each row of logits (n, A), with the odds that they are (Gumbel's way)."""
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def obeyed(place: Place, told: Tasks, agent: Listening | Chance | Shown) -> np.ndarray:
    """(n,) bool: what was told was done, and nothing else before or with it, within TICKS."""
    env, now, rows = place.env, told.lanes, np.arange(len(told))
    before = counts(env, told.lanes.state)
    good: np.ndarray = np.zeros(len(told), np.bool_)
    for t in range(TICKS):
        left = ~now.over & now.mask.any(axis=1)
        now, rows = now.chosen(left), rows[left]
        if not len(rows):
            break
        tick(env, now, agent.pairs(now, rows, t))
        done = counts(env, now.state) > before[rows]
        good[rows] = (done.sum(axis=1) == 1) & done[np.arange(len(rows)), told.goal[rows]]
        goes_on = ~done.any(axis=1)
        now, rows = now.chosen(goes_on), rows[goes_on]
    return good
