"""What a world offers to teams, so that they can share its work out; and the shared task as a graph of task objects.

A task object is a kind and an argument: "order 17", "achievement 3". How it stands is read from the world's state; what
an agent knows of tasks comes from its own observation. Kernels, for L lanes and N agents:

===================================================  ===================================================================
``look(obs, lane, agent, params, task, own,          from an agent's observation: fill ``open_tasks`` (K, 4) int32 with
open_tasks)``                                        the tasks that it knows to be open (see ``OpenTask``), set FREE,
                                                     CELL and FINISHED in ``own`` (see ``AgentStatus``), and
                                                     ``task[0] = 0`` where its task is over
``check(s, lane, params, kind, argument, mark)``     -> (state, mark, cell): how a task stands in the state
                                                     (``TaskState``: OPEN, DONE, FAILED), a note for the next check (0
                                                     at first), and the cell (row * width + column) to go to, -1 none
``tell(s, lane, agent, params)``                     -> (kind, row, column) of what an agent's sensors tell all others
                                                     (optional); kind 0: nothing
===================================================  ===================================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from sandbox.core.speech import Act


class TaskState(IntEnum):
    """How a task object stands."""

    WAITING = 0  # for others that come before it
    OPEN = 1
    CLAIMED = 2  # somebody is at it
    DONE = 3
    FAILED = 4


class OpenTask(IntEnum):
    """Columns of what an agent knows of an open task."""

    CODE = 0  # see speech.task_code; 0: no offer
    CELL = 1  # where to go, -1 anywhere
    COST = 2  # ticks until the agent is there, about
    HOST = 3  # the agent that shares this task out


class AgentStatus(IntEnum):
    """Columns of what an agent knows of itself."""

    FREE = 0  # 1: it could take on a task
    CELL = 1  # row * width + column
    FINISHED = 2  # 1: its task is over, and it takes it to be done


class TaskObject(NamedTuple):
    """One node of a shared task."""

    name: str
    kind: int  # index into ``Teamwork.kinds``
    argument: int
    after: tuple[str, ...] = ()  # names of those that must be done before
    role: str = ""  # who may take it on; any role if empty
    owner: int = -1  # the agent whose task it is; any if -1


@dataclass(frozen=True, eq=False)
class Protocol:
    """How a team shares work out; its kernels know no world.

    ``receive(team, lane, agent, tick)``: what changes for an agent by what it has heard. ``speak``, with the same
    arguments: what an agent says that follows the protocol by rule; those that reason otherwise speak for themselves.
    """

    name: str
    summary: str
    receive: Callable
    speak: Callable
    led: bool = False  # one agent, the team's lead, must be heard by all others and hear them
    reports: bool = False  # agents tell all others what their sensors see, where their world has such reports
    turns: bool = False  # only who has the turn acts
    acts: tuple[Act, ...] = ()  # what those can say that speak for themselves, besides TELL and DONE


@dataclass(frozen=True)
class TaskKind:
    """Something that can be asked for; ``texts`` are paraphrases, in which {what} stands for the argument."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Teamwork:
    """A world's side of teams; its kernels are described above."""

    kinds: tuple[TaskKind, ...]
    open_tasks: int  # tasks that an agent knows of at a time, at most
    width: Callable[[Any], int]  # params -> columns of the map, by which cells are counted
    arguments: Callable[[Any, int], Sequence[str]]  # rules, kind -> what each argument 0, 1, ... is called
    generate: Callable[[Any], list[TaskObject]]  # params -> the world's own task as a graph
    look: Callable
    check: Callable
    tell: Callable | None = None
