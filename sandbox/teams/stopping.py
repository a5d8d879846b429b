"""Termination conditions: ``all_tasks() | ticks(200) & stall(50)``, in Python and in a scenario."""

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.plain import LARGEST
from sandbox.engine.coordination.stopping import DEEPEST, MOST_ASKED, Measure, Operator

WHERE = "team.stop"


class Condition:
    """A termination condition. ``a & b``: both are met; ``a | b``: one of them is. Without steps it is never met.

    ``asked`` are the texts and the functions of the model that it tests; the k-th has the measure ASKED + k.
    """

    def __init__(self, *steps: tuple[int, float], asked: tuple[str | Callable[[Any], bool], ...] = ()):
        self.steps, self.asked = steps, asked
        if self._depth > DEEPEST:
            raise UsageError(f"{WHERE}: nested {self._depth} deep, expected {DEEPEST} at most")
        if len(asked) > MOST_ASKED:
            raise UsageError(f"{WHERE}: {len(asked)} words and predicates, expected {MOST_ASKED} at most")

    def __and__(self, other: "Condition") -> "Condition":
        return self._joined(other, Operator.AND)

    def __or__(self, other: "Condition") -> "Condition":
        return self._joined(other, Operator.OR)

    def _joined(self, other: "Condition", how: Operator) -> "Condition":
        if not (self.steps and other.steps):  # an empty condition is neutral
            return self if self.steps else other
        behind = len(self.asked)
        shifted = ((op + behind if Measure.ASKED <= op < Operator.AND else op, value) for op, value in other.steps)
        return Condition(*self.steps, *shifted, (int(how), 0.0), asked=self.asked + other.asked)

    @property
    def _depth(self) -> int:
        depth, deepest = 0, 0
        for operation, _ in self.steps:
            depth += 1 if operation < Operator.AND else -1
            deepest = max(deepest, depth)
        return deepest

    @cached_property
    def program(self) -> np.ndarray:
        """The program (K, 2) float64 of ``engine.coordination.stopping.met``."""
        return np.array(self.steps, np.float64).reshape(-1, 2)

    @property
    def hosted_only(self) -> bool:
        """Whether it needs measures that only the hosted tier has."""
        return any(Measure.TOKENS <= operation < Operator.AND for operation, _ in self.steps)


def _number(measure: Measure, n: Any, least: float) -> Condition:
    if isinstance(n, bool) or not isinstance(n, int | float) or not least <= n <= LARGEST:
        raise UsageError(f"{WHERE}: {measure.name.lower()}({shown(n)}), expected a number from {least:g} on")
    return Condition((int(measure), float(n)))


def all_tasks() -> Condition:
    """Every task object is done."""
    return Condition((int(Measure.ALL_TASKS), 1.0))


def ticks(n: int) -> Condition:
    """``n`` ticks have passed."""
    return _number(Measure.TICKS, n, 1)


def messages(n: int) -> Condition:
    """``n`` messages were sent; a message along several edges counts for each."""
    return _number(Measure.MESSAGES, n, 1)


def stall(n: int) -> Condition:
    """For ``n`` ticks, neither a task object nor the world's own task has made progress."""
    return _number(Measure.STALL, n, 1)


def tokens(n: int) -> Condition:
    """Language models have read and written ``n`` tokens."""
    return _number(Measure.TOKENS, n, 1)


def money(dollars: float) -> Condition:
    """``dollars`` US dollars were spent on language models."""
    return _number(Measure.MONEY, dollars, 0)


def seconds(n: float) -> Condition:
    """``n`` seconds of wall-clock time have passed; such an episode is not reproducible."""
    return _number(Measure.SECONDS, n, 0)


def word(text: str) -> Condition:
    """An agent has said a text that contains this one."""
    if not isinstance(text, str) or not text:
        raise UsageError(f"{WHERE}: word({text!r}), expected a text")
    return Condition((int(Measure.ASKED), 1.0), asked=(text,))


def predicate(met: Callable[[Any], bool]) -> Condition:
    """A function of the model returns True; from Python only."""
    return Condition((int(Measure.ASKED), 1.0), asked=(met,))


NAMES: dict[str, Callable[..., Condition]] = {
    each.__name__: each for each in (all_tasks, ticks, messages, stall, tokens, money, seconds, word)
}


def parse(text: str) -> Condition:
    """The condition of a scenario's ``stop``; raises UsageError, one line."""
    if not text.strip():
        return Condition()
    try:
        return _read(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(f'{WHERE}: {text[:60]!r}, expected such as "all_tasks | stall(50) & ticks(200)"') from None


def _read(node: ast.expr) -> Condition:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        left, right = _read(node.left), _read(node.right)
        return left & right if isinstance(node.op, ast.BitAnd) else left | right
    call, where = node if isinstance(node, ast.Call) else None, f"{WHERE}: column {node.col_offset + 1}"
    name = call.func if call else node
    if not isinstance(name, ast.Name):
        raise UsageError(f"{where}: expected a condition, such as stall(50), joined to others by & or |")
    if name.id not in NAMES:
        raise unknown("condition", name.id, NAMES, where)
    values = call.args if call else []
    wanted = 0 if name.id == all_tasks.__name__ else 1
    if len(values) != wanted or (call and call.keywords) or not all(isinstance(v, ast.Constant) for v in values):
        raise UsageError(f"{where}: {ast.unparse(node)[:60]}, expected {name.id}{'(one value)' if wanted else ''}")
    return NAMES[name.id](*(value.value for value in values))
