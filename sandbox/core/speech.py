"""What agents say to one another: a few speech acts, the same for rules, scripts and language models."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import whole

INT32 = 2**31 - 1


class Act(IntEnum):
    """Kinds of messages; 0 is none. After FIPA's communicative acts and the contract net (Smith 1980)."""

    REPORT = 1  # what the world's sensors tell: a kind and a place, as the world puts them
    TELL = 2  # text; only reasoners that have words use it
    IDLE = 3  # free for a task; its cell
    OPEN = 4  # a task that nobody is known to work on (call for proposals); task, place
    BID = 5  # what a task would cost the speaker; task, cost in ticks
    AWARD = 6  # the hearer gets the task it has bid for; task, place
    ASSIGN = 7  # the hearer is to do a task; task, place
    CLAIM = 8  # the speaker works on a task; task, place
    DONE = 9  # the speaker claims that a task is done; the truth is in the world's state
    HAND_OFF = 10  # the turn goes to the hearer; task or 0
    NEXT = 11  # who leads the talk gives the hearer the word


class Said(NamedTuple):
    """One message as it leaves its speaker."""

    act: Act
    to: int = -1  # agent; -1: all who can hear it
    task: int = 0  # code of a task (``task_code``), 0 for none
    value: int = 0  # cell (row * W + column), cost in ticks, or what the act says it is
    text: str = ""  # of TELL


def checked_words(said: Iterable[tuple[int, Said]], agents: int) -> list[tuple[int, Said]]:
    """What was said and by whom, in numbers that kernels can take; raises UsageError where a team has no such words."""
    try:
        return [(whole(row, "said: agent", 0, agents - 1), _checked(agents, *one)) for row, one in said]
    except (TypeError, ValueError):
        raise UsageError(f"said: {shown(said)}, expected pairs of an agent and what it said") from None


def _checked(agents: int, act: Act, to: int, task: int, value: int, text: str) -> Said:
    to, task = whole(to, "said: to", -1, agents - 1), whole(task, "said: task", 0, INT32)
    return Said(Act(act), to, task, whole(value, "said: value", -INT32, INT32), str(text))


KIND_BITS = 24  # of a task's code, below its kind: the argument


def task_code(kind: int, argument: int) -> int:
    """A task in one int32 that is not 0: its kind (0..62) and its argument (0..2**24 - 1)."""
    return (kind + 1) << KIND_BITS | argument
