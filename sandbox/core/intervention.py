"""Interventions: what can be done to a world while it runs, as a patch of what its ``describe`` gives."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, NamedTuple, TypeVar

from sandbox.core.errors import UsageError

T = TypeVar("T", int, tuple[int, int])


class Aim(NamedTuple):
    """What an intervention is aimed at; what is None is drawn, where it matters."""

    agent: int | None = None
    cell: tuple[int, int] | None = None  # row, column


ANY = Aim()  # all is drawn


@dataclass(frozen=True)
class Intervention:
    """One of a world's.

    ``patch(rules, description, aim, dice)`` returns the keys of the description that differ, with JSON values, and
    leaves the description as it is. It raises UsageError, in one line, where that cannot be done now.
    """

    name: str
    summary: str
    at: Literal["agent", "cell", "world"]  # what it is aimed at
    patch: Callable[[Any, dict[str, Any], Aim, Random], dict[str, Any]]


def pick(able: Collection[T], wanted: T | None, dice: Random, what: str) -> T:
    """The agent or cell that is ``wanted``, else one that is drawn of those ``able``; ``what`` they are, in words.

    Raises UsageError where the wanted one is not among them, or there is none.
    """
    if wanted is None and able:
        return dice.choice(sorted(able))
    if wanted not in able:
        there = "there is none" if wanted is None else f"{wanted} is none"
        raise UsageError(f"expected {what}; {there}")
    return wanted


def changed(entries: list[dict[str, Any]], place: int, **keys: Any) -> list[dict[str, Any]]:
    """A list of a description in which one entry has other values."""
    return [{**entry, **keys} if k == place else entry for k, entry in enumerate(entries)]
