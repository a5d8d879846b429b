"""A team at one moment, for pages: its network, traffic, and the shared task with its states."""

from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice

import networkx as nx
import numpy as np

from sandbox.core.speech import Act
from sandbox.core.teamwork import TaskState
from sandbox.engine.coordination.network import ACT, TASK, TO, Network
from sandbox.engine.coordination.team import Assignment, code_of, object_of
from sandbox.engine.play import Talk
from sandbox.model import Sandbox
from sandbox.studio.backend import wording


@dataclass(frozen=True)
class Member:
    """One agent in the network."""

    agent: int
    name: str
    x: float  # 0..1, to the right
    y: float  # 0..1, downwards
    task: str  # its present task; empty for none
    sent: int  # messages so far, counted once for each edge
    lead: bool
    turn: bool  # whether it has the turn
    absent: bool


@dataclass(frozen=True)
class Tie:
    """Two agents of which at least one hears the other. Lost messages are counted too."""

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
    state: str  # waiting, open, claimed, done, failed: verified, except "claimed"
    owners: tuple[int, ...]  # agents working on it, or the one it is assigned to
    after: tuple[int, ...]  # indices of tasks that must be done before
    level: int  # length of the longest chain of tasks before it
    said_done: bool  # an agent has said that it is done


@dataclass(frozen=True)
class TeamView:
    """A team at one moment."""

    tick: int
    protocol: str
    summary: str
    members: tuple[Member, ...]  # the drawn ones
    agents: int  # number of all agents
    ties: tuple[Tie, ...]
    tasks: tuple[TaskNode, ...]
    objects: int  # number of all task objects
    since: int  # tick from which messages are counted
    messages: int
    lost: int
    turns: int
    stalls: int
    claims: int  # of task objects: "done"
    false_claims: int
    note: str  # text about omissions in the pictures; empty without any


# -- teamwatch: collects, tick by tick, messages and the state of the shared task; frozen

RECENT = 20  # ticks of traffic that count as recent
KEPT = 2_000  # ticks of traffic that can be forgotten again
SHOWN = 120  # drawn agents, at most
EDGES = 400  # drawn pairs, at most; those with traffic first
TASKS = 120  # drawn task objects, at most
SEED = 1  # of layouts
ROW = 20  # bits of an agent's number


class TeamWatch:
    """Counts messages by speaker and hearer. After a tick that is missed or repeated, counting starts again."""

    def __init__(self):
        self._begin(0)
        self._places: dict[tuple, dict[int, tuple[float, float]]] = {}  # layouts, by what they show

    def _begin(self, tick: int) -> None:
        self._since = self._tick = tick
        self._total: Counter[int] = Counter()  # key: speaker << ROW | hearer + 1; 0 means all hearers
        self._recent: deque[Counter[int]] = deque(maxlen=KEPT)  # of the latest ticks
        self._said_done: dict[int, int] = {}  # numbers of task objects, with the tick of the first claim

    def note(self, model: Sandbox) -> None:
        """Take in the latest tick."""
        if model.talk is None or model.latest is None:
            return
        if model.ticks != self._tick + 1:
            self._begin(model.ticks - 1)
        self._tick, team = model.ticks, model.talk.team
        speakers, messages = spoken(model)
        ways, counts = np.unique(speakers << ROW | messages[:, TO], return_counts=True)
        self._recent.append(Counter(dict(zip(ways.tolist(), counts.tolist(), strict=True))))
        self._total.update(self._recent[-1])
        done = messages[messages[:, ACT] == Act.DONE, TASK]
        for code in np.unique(done):
            if (number := int(object_of(team, code))) >= 0:
                self._said_done.setdefault(number, model.ticks)

    def forget(self, tick: int) -> None:
        """Forget all ticks after this one; where too many are forgotten, counting starts again."""
        if self._tick - tick > len(self._recent):
            self._begin(tick)
        while self._tick > tick:
            self._total.subtract(self._recent.pop())
            self._tick -= 1
        self._said_done = {number: said for number, said in self._said_done.items() if said <= tick}

    def view(self, model: Sandbox, picked: int = 0) -> TeamView | None:
        """The team; of a large one, the neighbourhood of the selected agent. None without a team."""
        if model.talk is None:
            return None
        plan, team = model.talk.plan, model.talk.team
        shown = _shown(team.net, plan.agents, picked)
        graph = _among(team.net, shown)
        ties, left = self._ties(graph)
        talk = model.finalise().talk[0]
        return TeamView(
            tick=model.ticks, protocol=plan.protocol.name, summary=plan.protocol.summary,
            members=self._members(model, graph), agents=plan.agents, ties=ties,
            tasks=self._tasks(model), objects=len(plan.objects), since=self._since,
            messages=int(talk[Talk.MESSAGES]), lost=int(talk[Talk.LOST_MESSAGES]), turns=int(talk[Talk.TURNS]),
            stalls=int(talk[Talk.STALLS]), claims=int(talk[Talk.CLAIMS]), false_claims=int(talk[Talk.FALSE_CLAIMS]),
            note=_note(len(shown), plan.agents, left, len(team.kind), picked),
        )  # fmt: skip

    # -- the network ---------------------------------------------------------------------------------------------------

    def _members(self, model: Sandbox, graph: nx.DiGraph) -> tuple[Member, ...]:
        plan, team, places = model.talk.plan, model.talk.team, self._layout(model, graph)
        jobs, sent = team.task[0], team.mail.counts[0, :, 0]
        return tuple(
            Member(
                agent, wording.name_of(model, agent), *places[agent],
                task=wording.task(model, int(jobs[agent, Assignment.CODE])) if jobs[agent, Assignment.KIND] else "",
                sent=int(sent[agent]), lead=plan.protocol.led and agent == team.lead,
                turn=bool(team.turns) and agent == model.talk.holder, absent=bool(team.absent[agent]),
            )
            for agent in graph
        )  # fmt: skip

    def _layout(self, model: Sandbox, graph: nx.DiGraph) -> dict[int, tuple[float, float]]:
        """Positions of agents: fixed for an episode, or their places in the world if the edges follow from these."""
        shown = tuple(graph)
        if model.talk.team.net.reach:
            pos = model.state.pos[0, list(shown)]
            return _scaled(dict(zip(shown, ((float(col), float(row)) for row, col in pos), strict=True)))
        if shown not in self._places:
            self._places = {shown: _scaled(_arranged(graph.to_undirected()))}
        return self._places[shown]

    def _ties(self, graph: nx.DiGraph) -> tuple[tuple[Tie, ...], int]:
        """The drawn pairs, and the number of omitted ones."""
        edges, recent = set(graph.edges), Counter()
        for said in islice(reversed(self._recent), RECENT):
            recent.update(said)

        def between(counts: Counter, a: int, b: int) -> tuple[int, int]:
            ways = ((a, b), (b, a))
            return tuple((counts[x << ROW | y + 1] + counts[x << ROW]) * ((x, y) in edges) for x, y in ways)

        pairs = sorted({(min(a, b), max(a, b)) for a, b in edges})
        if len(pairs) > EDGES:
            pairs.sort(key=lambda pair: (-sum(between(recent, *pair)), -sum(between(self._total, *pair))))
        now = self._recent[-1] if self._recent else Counter()
        ties = tuple(
            Tie(*pair, pair in edges, pair[::-1] in edges,
                *(between(counts, *pair) for counts in (now, recent, self._total)))
            for pair in pairs[:EDGES]
        )  # fmt: skip
        return ties, max(0, len(pairs) - EDGES)

    # -- the shared task -----------------------------------------------------------------------------------------------

    def _tasks(self, model: Sandbox) -> tuple[TaskNode, ...]:
        team, objects = model.talk.team, model.talk.plan.objects
        place = {one.name: t for t, one in enumerate(objects)}
        busy, code = team.task[0, :, Assignment.KIND] > 0, team.task[0, :, Assignment.CODE]
        at = [np.flatnonzero(busy & (code == code_of(team, t))).tolist() for t in range(len(objects))]
        levels, found = [], []
        for t, one in enumerate(objects):  # tasks are sorted: each comes after its requirements
            after = tuple(place[name] for name in one.after)
            levels.append(1 + max((levels[k] for k in after), default=-1))
            state, owners = TaskState(team.state[0, t]), tuple(at[t]) or ((one.owner,) if one.owner >= 0 else ())
            told = "claimed" if state == TaskState.OPEN and at[t] else state.name.lower()
            found.append(TaskNode(one.name, told, owners, after, levels[t], t in self._said_done))
        return tuple(found[:TASKS])


def spoken(model: Sandbox) -> tuple[np.ndarray, np.ndarray]:
    """Messages of the latest tick: speakers (n,) int64, and (n, 4) int32: to + 1 (0: all), act, task, value."""
    said = model.talk.team.mail.said[0]
    page = said[(model.latest.tick - 1) % len(said)]
    speakers, places = np.nonzero(page[:, :, ACT])
    return speakers, page[speakers, places]


def _heard_by(net: Network, agent: int) -> list[int]:
    """The agents that an agent hears now."""
    return net.sender[0, net.first[0, agent] : net.first[0, agent + 1]].tolist()


def _shown(net: Network, agents: int, picked: int) -> list[int]:
    """All agents; in a large team, the selected agent and the nearest ones in the network."""
    if agents <= SHOWN:
        return list(range(agents))
    found, known = [picked], {picked}
    for agent in found:  # the list grows: breadth-first search
        fresh = [other for other in _heard_by(net, agent) if other not in known][: SHOWN - len(found)]
        found += fresh
        known.update(fresh)
    return sorted(found)


def _among(net: Network, shown: list[int]) -> nx.DiGraph:
    """The present network; an edge leads from speaker to hearer."""
    graph = nx.DiGraph()
    graph.add_nodes_from(shown)
    graph.add_edges_from((speaker, agent) for agent in shown for speaker in _heard_by(net, agent) if speaker in graph)
    return graph


def _arranged(graph: nx.Graph) -> dict[int, np.ndarray]:
    """A ring for a complete network, a ring around its centre for a star, else a spring layout with a fixed seed."""
    ties, most = graph.number_of_edges(), max(graph, key=graph.degree)
    if ties == len(graph) * (len(graph) - 1) // 2:
        return nx.circular_layout(graph)
    if ties == len(graph) - 1 == graph.degree[most]:
        return nx.shell_layout(graph, [[most], [agent for agent in graph if agent != most]])
    return nx.spring_layout(graph, seed=SEED, iterations=100)


def _scaled(places: dict) -> dict[int, tuple[float, float]]:
    """Positions scaled to the unit square."""
    points = np.array(list(places.values()), float).reshape(-1, 2)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    flat = np.ptp(points, axis=0) < 1e-9
    scaled = np.where(flat, 0.5, (points - low) / span)
    return {agent: (float(x), float(y)) for agent, (x, y) in zip(places, scaled, strict=True)}


def _note(shown: int, agents: int, ties: int, objects: int, picked: int) -> str:
    parts = []
    if shown < agents:
        parts.append(f"{shown} of {agents:,} agents are drawn: those nearest to agent {picked} in the network")
    if ties:
        parts.append(f"{ties:,} ties with the least traffic are left out")
    if objects > TASKS:
        parts.append(f"{TASKS} of {objects:,} tasks are drawn")
    return "; ".join(parts)
