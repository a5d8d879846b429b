"""A team's arrays: network, tasks, and the task of each agent. They depend on no world and no protocol.

N agents, L lanes, T task objects, K open tasks, E edges, S messages of an agent in a tick, at most.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.speech import KIND_BITS, Act
from sandbox.core.teamwork import TaskState
from sandbox.engine.coordination.network import SENT, Mail, Network, say
from sandbox.engine.kernel import kernel

FAR = 1 << 28  # higher than any cost


class Assignment(IntEnum):
    """Columns of ``Team.task``; the first four are part of the observation."""

    KIND = 0  # + 1; 0: nothing
    ARGUMENT = 1
    ROW = 2
    COL = 3
    CODE = 4  # kept after the task is done, until that is reported
    COST = 5  # when it was taken


class Message(IntEnum):
    """Columns of a message that has arrived."""

    FROM = 0  # sender
    ACT = 1
    TASK = 2
    VALUE = 3


class Note(IntEnum):
    """Columns of a protocol's notes for an agent."""

    CODE = 0  # of a task
    AGENT = 1
    TICK = 2


class Turn(IntEnum):
    """Columns of a protocol's notes of the team."""

    HOLDER = 0  # agent that has the turn
    SINCE = 1  # tick
    BEST = 2  # highest number of done parts of the shared task
    PROGRESS = 3  # tick of the last progress


class Count(IntEnum):
    """Columns of the counts of an episode."""

    TURNS = 0
    STALLS = 1
    CLAIMS = 2  # of task objects: "done"
    FALSE_CLAIMS = 3


class Team(NamedTuple):
    """A team of one scenario."""

    net: Network
    lead: int
    patience: int  # ticks without news after which others stop waiting for an agent
    width: int  # columns of the world's map
    turns: bool  # only the holder of the turn acts
    hosted: np.ndarray  # (N,) bool           agents that choose their own messages
    absent: np.ndarray  # (N,) bool           agents that are present but do nothing
    roles: np.ndarray  # (N,) int32
    kind: np.ndarray  # (T,) int32
    argument: np.ndarray  # (T,) int32
    role: np.ndarray  # (T,) int32            -1: any
    owner: np.ndarray  # (T,) int32           agent, -1: any
    after: np.ndarray  # (A, 2) int32         task, and one that must be done before
    depth: np.ndarray  # (T,) int32           length of the longest chain of tasks that depend on it
    stop: Any  # the program of termination conditions
    mail: Mail
    messages: np.ndarray  # (L, E * S, 4) int32   arrived ones, see Message; agent i's begin at first[i] * S
    arrived: np.ndarray  # (L, N) int32       number of arrived messages
    task: np.ndarray  # (L, N, 6) int32       see Assignment
    own: np.ndarray  # (L, N, 3) int32        see AgentStatus
    open_tasks: np.ndarray  # (L, N, K, 4) int32  see OpenTask
    notes: np.ndarray  # (L, N, Q, 3) int32   see Note; CODE 0: empty
    turn: np.ndarray  # (L, 4) int32          see Turn
    count: np.ndarray  # (L, 4) int64         see Count
    state: np.ndarray  # (L, T) int8          see TaskState
    mark: np.ndarray  # (L, T) int32          notes of the verifier
    place: np.ndarray  # (L, T) int32         cell to go to, -1 none
    times: np.ndarray  # (L, T, 2) int32      tick in which it became open, and done; -1 not yet
    measures: np.ndarray  # (L, M) float64    inputs of termination conditions


@kernel
def begin(team, lane):
    """Start an episode: no tasks are taken, no messages sent."""
    for agent in range(len(team.hosted)):
        for k in range(team.task.shape[2]):
            team.task[lane, agent, k] = 0
        for k in range(team.notes.shape[2]):
            team.notes[lane, agent, k, Note.CODE] = 0
        for k in range(3):
            team.mail.counts[lane, agent, k] = 0
    for k in range(team.turn.shape[1]):
        team.turn[lane, k] = 0
    team.turn[lane, Turn.HOLDER] = next_present(team, len(team.hosted) - 1)
    for k in range(team.count.shape[1]):
        team.count[lane, k] = 0
    for t in range(len(team.kind)):
        team.state[lane, t], team.mark[lane, t], team.place[lane, t] = TaskState.WAITING, 0, -1
        team.times[lane, t, 0], team.times[lane, t, 1] = -1, -1


@kernel
def messages_of(team, lane, agent):
    """Start and end, in ``team.messages[lane]``, of the messages that reached an agent in this tick."""
    first = team.net.first[lane % len(team.net.first), agent] * team.mail.said.shape[3]
    return first, first + team.arrived[lane, agent]


@kernel
def tell(team, lane, agent, tick, to, act, task, value):
    """Send a message to an agent, or to all that can hear it (``to`` -1)."""
    return say(team.mail, lane, tick, agent, to, act, task, value)


@kernel
def answer_time(team):
    """Maximum ticks until the answer to a message sent now has arrived."""
    return 2 * team.mail.said.shape[1]


@kernel
def way(team, a, b):
    """Manhattan distance between two cells; 0 if one of them is "anywhere"."""
    if a < 0 or b < 0:
        return 0
    return abs(a // team.width - b // team.width) + abs(a % team.width - b % team.width)


@kernel
def code_of(team, t):
    """The code of a task object."""
    return (team.kind[t] + 1) << KIND_BITS | team.argument[t]


@kernel
def object_of(team, code):
    """The number of the task object with this code; -1 without one."""
    for t in range(len(team.kind)):
        if code_of(team, t) == code:
            return t
    return -1


@kernel
def depth_of(team, code):
    """The length of the chain of task objects that depend on one; 0 for a code of no task object."""
    t = object_of(team, code)
    return team.depth[t] if t >= 0 else 0


@kernel
def may_do(team, agent, task):
    """Whether an agent may take a task object, by owner and by role."""
    if team.owner[task] >= 0 and team.owner[task] != agent:
        return False
    return team.role[task] < 0 or team.role[task] == team.roles[agent]


@kernel
def may_take(team, agent, code):
    """The same by a task's code; any agent may take a task that is not a task object."""
    t = object_of(team, code)
    return t < 0 or may_do(team, agent, t)


@kernel
def next_present(team, agent):
    """The next agent in order, cyclically, that is not absent."""
    agents = len(team.hosted)
    for k in range(1, agents + 1):
        if not team.absent[(agent + k) % agents]:
            return (agent + k) % agents
    return agent


@kernel
def pass_turn(team, lane, agent, tick):
    """Give the turn to an agent."""
    if team.turn[lane, Turn.HOLDER] != agent:
        team.count[lane, Count.TURNS] += 1
    team.turn[lane, Turn.HOLDER], team.turn[lane, Turn.SINCE] = agent, tick


@kernel
def claim_done(team, lane, agent, tick, to, code):
    """Claim that a task is done. Claims of task objects are counted, and the false ones too."""
    tell(team, lane, agent, tick, to, Act.DONE, code, 0)
    t = object_of(team, code)
    if t >= 0:
        team.count[lane, Count.CLAIMS] += 1
        team.count[lane, Count.FALSE_CLAIMS] += team.state[lane, t] != TaskState.DONE


@kernel
def may_act(team, lane, agent):
    """Whether an agent may act in this tick: it is not absent and, with turns, has the turn."""
    return not (team.absent[agent] or (team.turns and team.turn[lane, Turn.HOLDER] != agent))


@kernel
def messages_sent(team, lane):
    """Messages sent so far by all, counted once for each edge."""
    sent = 0
    for agent in range(len(team.hosted)):
        sent += team.mail.counts[lane, agent, SENT]
    return sent
