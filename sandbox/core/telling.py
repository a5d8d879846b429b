"""What a world says to people: what an agent is doing, why an action came to nothing, charts, gauges.

These are plain functions outside the kernels. They are called for what is shown only, never in the course of a tick.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sandbox.core.world import Observation

Outcome = Literal["", "refused", "failed"]


class Transition(NamedTuple):
    """One tick of one episode, as it is explained. All arrays have one lane, number 0; N agents."""

    before: Any  # the State in which the agents acted
    after: Any  # the State at the end of the tick
    actions: np.ndarray  # (1, N, 2) int32: verb and target of each agent, as they were performed
    obs: "Observation"  # what the agents perceived
    memory: Any  # the Memory of the policies after they had decided
    params: Any
    names: Sequence[str]  # of the agents
    policy: Callable[[int], str]  # agent -> the compiled policy that chose its action; "": something else did
    broken: Callable[[int], str]  # agent -> the perturbation that made its action fail, in words; "": none did

    def action(self, agent: int) -> tuple[int, int]:
        """(verb, target) of an agent."""
        verb, target = self.actions[0, agent].tolist()
        return verb, target

    def outcome(self, agent: int) -> Outcome:
        """Whether its action was refused (illegal when chosen), failed (legal, but prevented), or neither: ""."""
        (verb, target), mask = self.action(agent), self.obs.mask[0, agent]
        if not (self.exists(agent) and mask[verb * self._targets + target]):
            return "refused"
        return "failed" if self.after.refused[0, agent] else ""

    def exists(self, agent: int) -> bool:
        """Whether its action is a verb of the world with a possible target."""
        verb, target = self.action(agent)
        return 0 <= verb < self.params.verbs and 0 <= target < self._targets

    @property
    def _targets(self) -> int:
        return self.obs.mask.shape[-1] // self.params.verbs

    def moved(self, agent: int) -> bool:
        """Whether the agent is in another cell than before."""
        return bool((self.before.pos[0, agent] != self.after.pos[0, agent]).any())

    def there(self, row: int, col: int, now: bool = True) -> list[int]:
        """The agents in a cell at the end of the tick, or, with ``now`` False, before it."""
        pos = (self.after if now else self.before).pos[0]
        return np.flatnonzero((pos[:, 0] == row) & (pos[:, 1] == col)).tolist()

    def because(self, agent: int, cause: "Cause") -> str:
        """Why an action came to nothing, by the ``cause`` of the world; "" if that is not known, or it did not."""
        outcome = self.outcome(agent)
        if not outcome:
            return ""
        if not self.exists(agent):
            return "there is no such action"
        return (outcome == "failed" and self.broken(agent)) or cause(self, agent)


Cause = Callable[[Transition, int], str]
UNKNOWN = {"refused": "it was not possible at that moment", "failed": "something prevented it"}


def refusal(told: Transition, agent: int, cause: Cause) -> str:
    """Whether an action was refused or failed, and because of what, in words; "" if it was neither."""
    outcome = told.outcome(agent)
    return f"{outcome}: {told.because(agent, cause) or UNKNOWN[outcome]}" if outcome else ""


def offer(verbs: type[IntEnum], legal: np.ndarray) -> str:
    """The line of an observation that says what an agent can do; ``legal`` (verbs, targets) bool, verb 0 waits."""
    can = [
        f"{verb.name.lower()} {', '.join(map(str, np.flatnonzero(legal[verb]).tolist()))}"
        for verb in verbs
        if verb and legal[verb].any()
    ]
    return f"You can: {'; '.join(['wait', *can])}."


def unplanned(told: Transition, agent: int, acts: Callable[[Transition, int], str]) -> str:
    """What an agent is doing whose policy plans nothing, with its action by ``acts``; "" for any other policy."""
    policy = told.policy(agent)
    if policy == "idle":
        return "does nothing, as its policy is to stand idle"
    return f"acts at random: {acts(told, agent)}" if policy in ("random", "uniform") else ""


class Chart(NamedTuple):
    """A measure of a lane that is drawn by tick; or several, a line for each."""

    name: str  # such as "Area burnt"
    unit: str  # such as "cells"
    value: Callable[[Any, int, Any], float | tuple[float, ...]]  # state, lane, params -> a number for each line
    lines: Callable[[Any], tuple[str, ...]] | None = None  # params -> names of the lines; None: there is one

    def values(self, s: Any, lane: int, params: Any) -> tuple[float, ...]:
        """The numbers of its lines."""
        found = self.value(s, lane, params)
        return found if isinstance(found, tuple) else (found,)


class Span(NamedTuple):
    """A piece of work, in minutes since a Monday, 0:00."""

    row: int  # who does it: index into Gantt.rows
    kind: int  # what it is: index into Gantt.kinds
    start: float
    end: float | None  # None: it is under way


class Gantt(NamedTuple):
    """Who works on what, by the clock of the world."""

    rows: Callable[[Any], tuple[str, ...]]  # params -> names of agents and people
    kinds: Callable[[Any], tuple[str, ...]]  # params -> names of activities
    spans: Callable[[Any, int, Any], tuple[Span, ...]]  # state, lane, params -> what has ended in the last tick, and
    # what is under way
    clock: Callable[[Any, int, Any], float]  # state, lane, params -> minutes since a Monday, 0:00


class Gauge(NamedTuple):
    """A value that a viewer must see beside or over the picture.

    ``kind``: "score", how much of the task is done, the first gauge of a lane; "clock", time; "order", something that
    is asked for; "need" of an agent's body; "item", something that an agent has; "fact", anything else, mostly text.
    """

    kind: Literal["score", "clock", "order", "need", "item", "fact"]
    name: str  # such as "wood"
    value: float = 0
    most: float = 0  # the maximum of the value; 0: it has none
    unit: str = ""  # of the value, such as "ticks"
    text: str = ""  # what is shown in place of the value
    colour: str = ""  # "#rrggbb" of the thing, as in the picture
    icon: str = ""  # one character that stands for it, such as "♥"
    at: tuple[float, float] | None = None  # row and column of the cell where it is or is to go; it is marked there.
    # Without a grid: fractions of the whole picture's height and width

    @property
    def amount(self) -> str:
        """The value in words: "3 of 10 ticks"."""
        most, unit = f" of {self.most:,g}" if self.most else "", f" {self.unit}" if self.unit else ""
        return f"{self.value:,g}{most}{unit}"
