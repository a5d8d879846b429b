"""What a world offers so that teams can share work, and the shared task as a graph of task objects.

A task object is a kind and an argument: "order 17", "achievement 3". Its state is read from the world's state. What an
agent knows of tasks comes from its own observation. Kernels, for L lanes and N agents:

===================================================  ===================================================================
``look(obs, lane, agent, params, task, own,          from an agent's observation: fill ``open_tasks`` (K, 4) int32 with
open_tasks)``                                        the tasks that it knows to be open (see ``OpenTask``), set FREE,
                                                     CELL and FINISHED in ``own`` (see ``AgentStatus``), and
                                                     ``task[KIND] = 0`` if its task is over
``check(s, lane, params, kind, argument, mark)``     -> (state, mark, cell): the state of a task
                                                     (``TaskState``: OPEN, DONE, FAILED), a note for the next check (0
                                                     at first), and the cell (row * width + column) to go to, -1 none
``tell(s, lane, agent, params)``                     -> (kind, row, column) of the sensor report that an agent sends to
                                                     all others (optional); kind 0: nothing
===================================================  ===================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from sandbox.core.speech import Act


class TaskState(IntEnum):
    """The state of a task object."""

    WAITING = 0  # for the tasks that it depends on
    OPEN = 1
    CLAIMED = 2  # an agent works on it
    DONE = 3
    FAILED = 4


class OpenTask(IntEnum):
    """Columns of an agent's knowledge of an open task."""

    CODE = 0  # see speech.task_code; 0: no offer
    CELL = 1  # where to go; -1: anywhere
    COST = 2  # estimated ticks until the agent is there
    HOST = 3  # the agent that assigns this task


class AgentStatus(IntEnum):
    """Columns of an agent's knowledge of itself."""

    FREE = 0  # 1: it can take a task
    CELL = 1  # row * width + column
    FINISHED = 2  # 1: its task has ended, and it considers it done


class TaskObject(NamedTuple):
    """One node of a shared task."""

    name: str
    kind: int  # index into ``Teamwork.kinds``
    argument: int
    after: tuple[str, ...] = ()  # names of tasks that must be done first
    role: str = ""  # the role that may take it; any role if empty
    owner: int = -1  # the agent that owns it; any if -1


@dataclass(frozen=True, eq=False)
class Protocol:
    """How a team shares work; its kernels depend on no world.

    ``receive(team, lane, agent, tick)`` updates an agent with the messages that it heard. ``speak``, with the same
    arguments, sends the messages of a compiled policy; other reasoners send their own.
    """

    name: str
    summary: str
    receive: Callable
    speak: Callable
    led: bool = False  # the team's lead must hear all others and be heard by them
    reports: bool = False  # agents tell all others what their sensors see, if their world has `tell`
    turns: bool = False  # only the agent that has the turn acts
    acts: tuple[Act, ...] = ()  # speech acts of other reasoners, besides TELL and DONE


@dataclass(frozen=True)
class TaskKind:
    """A kind of task; ``texts`` are paraphrases of its instruction, with {what} in place of the argument."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Teamwork:
    """What a world offers to teams; the kernels are described above."""

    kinds: tuple[TaskKind, ...]
    open_tasks: int  # most tasks that an agent knows of at a time
    width: Callable[[Any], int]  # params -> columns of the map, for cell numbers
    arguments: Callable[[Any, int], Sequence[str]]  # params, kind -> the names of the arguments 0, 1, ...
    generate: Callable[[Any], list[TaskObject]]  # params -> the world's own task as a graph
    look: Callable
    check: Callable
    tell: Callable | None = None
