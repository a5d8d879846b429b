"""The answers of agents whose trained policy runs on a device (``Own`` asks them, and a record keeps them)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sandbox.agents.edge.net import Cost, Net
from sandbox.agents.edge.options import EdgeOptions
from sandbox.agents.odds import ILLEGAL, chances, dice
from sandbox.agents.python.api import Setting
from sandbox.core.decision import Answered, Percept
from sandbox.core.errors import UsageError
from sandbox.nets.weights import Weights

PAIR_BYTES, CODE_BYTES = 2, 1  # of an answer, and of each number of an observation, between device and server
SPENT, LATE = "its energy is spent", "a decision takes longer than its budget"
ASKED = "asked the larger policy"
DICE = 1 << 20  # stream of the draws


class Deployed:
    """A policy on its device, and a larger one that is asked where it is unsure; one net for all agents of a group.

    Raises UsageError for a net that needs more memory than there is.
    """

    def __init__(self, options: EdgeOptions, policies: Sequence[Weights], setting: Setting):
        own, larger = policies[0], policies[1] if len(policies) > 1 else None
        self._options, self._drawn, self._targets = options, dice(setting.seed, DICE), setting.targets
        self._net, self.version = Net(own, options.runtime), own.sha256
        self._larger = Net(larger, "numpy") if larger else None
        self._spent: Counter[int] = Counter()  # joules of each agent
        if self._net.bytes > 1024 * options.kilobytes:
            raise UsageError(
                f"edge.kilobytes: {options.kilobytes:g}, but the net has {self._net.bytes / 1024:.1f} as "
                f"{options.runtime}; expected more, a smaller net, or another runtime"
            )

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        return [self._answer(percept) for percept in percepts]

    def close(self) -> None:
        """There is nothing to give back."""

    def _answer(self, percept: Percept) -> Answered:
        if self._spent[percept.agent] >= self._options.millijoules / 1000:
            return Answered(None, printed=SPENT)
        if not percept.mask.any():
            return Answered(None, printed=ILLEGAL)
        cost, odds, asked = self._decided(percept)
        self._spent[percept.agent] += cost.joules
        if not self._in_time(cost):
            return Answered(None, printed=LATE, joules=cost.joules)
        action = divmod(self._drawn(odds, percept), self._targets)
        return Answered(action, printed=asked, joules=cost.joules)

    def _decided(self, percept: Percept) -> tuple[Cost, np.ndarray, str]:
        """What a decision costs, the probabilities of the pairs, and whether the larger policy was asked."""
        rows = self._net.seen(percept.window, percept.vector)
        cost, odds = self._net.cost(len(rows), self._options.device), chances(self._net.logits(rows), percept.mask)
        if self._larger is None or odds.max() >= self._options.below:
            return cost, odds, ""
        whole = cost + self._sending(percept)
        if not self._in_time(whole):
            return cost, odds, ""
        seen = self._larger.seen(percept.window, percept.vector)
        return whole, chances(self._larger.logits(seen), percept.mask), ASKED

    def _sending(self, percept: Percept) -> Cost:
        """Of a question to the larger policy, and its answer."""
        device, numbers = self._options.device, percept.window.size + percept.vector.size
        sent = numbers * CODE_BYTES + PAIR_BYTES
        return Cost(sent * device.sent_nj * 1e-9, device.sent_ms / 1000)

    def _in_time(self, cost: Cost) -> bool:
        return cost.seconds * 1000 <= self._options.milliseconds
