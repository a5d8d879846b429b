"""Interventions: changes of a running world, as patches of the description that ``describe`` returns."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, NamedTuple, TypeVar

from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import whole

T = TypeVar("T", int, tuple[int, int])


class Aim(NamedTuple):
    """The target of an intervention; an entry that is None is drawn if the intervention needs it."""

    agent: int | None = None
    cell: tuple[int, int] | None = None  # row, column


FAR = 2**31 - 1  # larger than any map
ANY = Aim()  # everything is drawn


@dataclass(frozen=True)
class Intervention:
    """An intervention of a world.

    ``patch(params, description, aim, dice)`` returns the keys of the description that change, with JSON values. It
    does not modify the description. It raises UsageError if the intervention is not possible now.
    """

    name: str
    summary: str
    at: Literal["agent", "cell", "world"]  # the kind of target
    patch: Callable[[Any, dict[str, Any], Aim, Random], dict[str, Any]]

    def aimed(self, aim: Aim, agents: int) -> Aim:
        """The aim in plain numbers; raises UsageError for a wrong kind of target or an unknown agent."""
        if not isinstance(aim, Aim):
            raise UsageError(f"{self.name}: aim {shown(aim)}, expected an Aim")
        agent, cell = aim
        if agent is not None:
            agent = whole(agent, f"{self.name}: agent", 0, agents - 1)
        if cell is not None:
            if not isinstance(cell, Sequence) or isinstance(cell, str) or len(cell) != 2:
                raise UsageError(f"{self.name}: cell {shown(cell)}, expected row and column")
            row, column = (whole(part, f"{self.name}: cell", -FAR, FAR) for part in cell)
            cell = row, column
        for what, given in (("agent", agent), ("cell", cell)):
            if given is not None and self.at != what:
                raise UsageError(f"{self.name}: {what} {given}, expected no {what}: it is aimed at the {self.at}")
        return Aim(agent, cell)


def pick(able: Collection[T], wanted: T | None, dice: Random, what: str) -> T:
    """The agent or cell that is ``wanted``, or a random one of ``able``; ``what`` describes these in words.

    Raises UsageError if the wanted one is not among them, or if there is none.
    """
    if wanted is None and able:
        return dice.choice(sorted(able))
    if wanted is None or wanted not in able:
        found = "there is none" if wanted is None else f"got {wanted}"
        raise UsageError(f"expected {what}; {found}")
    return wanted


def changed(entries: list[dict[str, Any]], place: int, **keys: Any) -> list[dict[str, Any]]:
    """A copy of a list of a description with other values in one entry."""
    return [{**entry, **keys} if k == place else entry for k, entry in enumerate(entries)]
