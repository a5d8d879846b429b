"""Budgets. A call is made only if its worst case fits into the rest, so a budget is never exceeded."""

from typing import NamedTuple

from sandbox.agents.llm.options import Budget
from sandbox.agents.llm.request import Answer, Request, Setup, compact

OVERHEAD = 1024  # most tokens that a provider adds to a request


class Worst(NamedTuple):
    """The worst-case cost of a request."""

    input: int  # tokens, of one byte or more
    output: int
    money: float


class Ledger:
    """The expenses of a group of agents in an episode, and its remaining budget."""

    def __init__(self, budget: Budget, setup: Setup):
        self._budget, self._setup = budget, setup
        self.calls, self.tokens, self.money, self.seconds = 0, 0, 0.0, 0.0

    def worst(self, request: Request) -> Worst:
        """The worst case: the bytes of the request bound its input tokens, ``max_tokens`` bounds its output tokens."""
        told = len(request.prompt.encode()) + len(compact(request.schema))
        tokens = self._setup.size + told + OVERHEAD, self._setup.max_tokens
        return Worst(*tokens, self._price(*tokens))

    def reserve(self, worst: Worst) -> bool:
        """Whether the request may be sent. If so, its worst case counts as spent until it is settled."""
        after = self.calls + 1, self.tokens + worst.input + worst.output, self.money + worst.money
        limits = self._budget.calls, self._budget.tokens, self._budget.money
        if self.left <= 0 or any(limit is not None and sum_ > limit for sum_, limit in zip(after, limits, strict=True)):
            return False
        self.calls, self.tokens, self.money = after
        return True

    def settle(self, worst: Worst, answer: Answer) -> tuple[int, int, float]:
        """Replace the worst case of a request by its real cost; returns tokens in and out, and money.

        If the usage is unknown, or above the worst case, the worst case stays.
        """
        told = answer.tokens or (worst.input, worst.output)
        tokens = min(max(told[0], 0), worst.input), min(max(told[1], 0), worst.output)
        money = self._price(*tokens)
        self.tokens += sum(tokens) - worst.input - worst.output
        self.money += money - worst.money
        return *tokens, money

    def waited(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def left(self) -> float:
        """Remaining seconds of waiting."""
        return float("inf") if self._budget.seconds is None else self._budget.seconds - self.seconds

    def _price(self, tokens_in: int, tokens_out: int) -> float:
        price_in, price_out = self._setup.price
        return tokens_in * price_in + tokens_out * price_out
