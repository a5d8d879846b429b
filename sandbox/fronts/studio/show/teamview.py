"""A team at one moment, as pages draw it: who can speak to whom, traffic, the shared task with its states."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One agent in the network."""

    agent: int
    name: str
    x: float  # 0..1, to the right
    y: float  # 0..1, downwards
    task: str  # that it is at; empty for none
    sent: int  # messages so far, one for each edge that they took
    lead: bool
    turn: bool  # whose turn it is
    absent: bool


@dataclass(frozen=True)
class Tie:
    """Two agents of which at least one hears the other. Messages are what was said, delivered or lost."""

    one: int
    other: int
    there: bool  # whether ``other`` hears ``one``
    back: bool
    now: tuple[int, int]  # messages of the latest tick, there and back
    recent: tuple[int, int]  # of the last twenty ticks
    total: tuple[int, int]


@dataclass(frozen=True)
class TaskNode:
    """One task object."""

    name: str
    state: str  # waiting, open, claimed, done, failed: verified, but for "claimed", which is what agents are at
    owners: tuple[int, ...]  # agents that are at it, or the one whose task it is
    after: tuple[int, ...]  # places of those that must be done before
    level: int  # of the longest chain of tasks before it
    said_done: bool  # an agent has said that it is done


@dataclass(frozen=True)
class TeamView:
    """A team at one moment."""

    tick: int
    protocol: str
    summary: str
    members: tuple[Member, ...]  # those that are drawn
    agents: int  # all of them
    ties: tuple[Tie, ...]
    tasks: tuple[TaskNode, ...]
    objects: int  # all task objects
    since: int  # tick from which messages are counted
    messages: int
    lost: int
    turns: int
    stalls: int
    claims: int  # of task objects: "done"
    false_claims: int
    note: str  # what is left out of the pictures; empty for nothing
