"""Messages between agents: a few speech acts, the same for policies, scripts and language models."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import whole

INT32 = 2**31 - 1


class Act(IntEnum):
    """Kinds of messages; 0 is no message. After FIPA's communicative acts and the contract net (Smith 1980)."""

    REPORT = 1  # what the sensors of the speaker see: a kind and a place, in the world's codes
    TELL = 2  # free text; only reasoners that use language send it
    IDLE = 3  # the speaker is free for a task; its cell
    OPEN = 4  # a task without a known worker (call for proposals); task, place
    BID = 5  # the cost of a task for the speaker; task, cost in ticks
    AWARD = 6  # the hearer gets the task that it bid for; task, place
    ASSIGN = 7  # the hearer has to do a task; task, place
    CLAIM = 8  # the speaker works on a task; task, place
    DONE = 9  # the speaker claims that a task is done; the truth is in the world's state
    HAND_OFF = 10  # the turn goes to the hearer; task or 0
    NEXT = 11  # the lead of the conversation gives the hearer the word


class Said(NamedTuple):
    """One message as it is sent."""

    act: Act
    to: int = -1  # agent; -1: all agents that can hear it
    task: int = 0  # code of a task (``task_code``), 0 for none
    value: int = 0  # cell (row * W + column), cost in ticks, or another value of the act
    text: str = ""  # of TELL


def checked_words(said: Iterable[tuple[int, Said]], agents: int) -> list[tuple[int, Said]]:
    """Messages with their senders, in numbers that kernels can take; raises UsageError for invalid ones."""
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
