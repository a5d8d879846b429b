"""Networks: graphs drawn by networkx or read from a file, and the arrays that messages travel along."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sandbox.core.errors import UsageError, first_problem, unknown
from sandbox.engine.coordination.network import UNLIMITED, Network, Terms
from sandbox.teams.graph_files import EXPECTED, read_adjacency, take_in

WHERE = "team.network"
MOST_EDGES = 2_000_000  # about 1 GB and 5 s in networkx
KINDS = {"loss": np.float64, "delay": np.int32, "bandwidth": np.int32}  # dtypes of Terms, by their names in tables
LONGEST = 1_000  # ticks of delay; messages are stored as long
_AGENTS = 1 << 17  # more agents than a team has


class EdgeTable(BaseModel):
    """Loss, delay and bandwidth of an edge."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    loss: float = Field(0.0, ge=0, le=1)
    """Chance that a message is lost."""
    delay: int = Field(0, ge=0, le=LONGEST)
    """Ticks of delay, in addition to the one tick of every message."""
    bandwidth: int = Field(UNLIMITED, ge=1, le=UNLIMITED)
    """Most messages that an edge carries in one tick; further ones are dropped."""


class NetworkTable(EdgeTable):
    """Who can speak to whom: a kind of graph with its options."""

    kind: str = "complete"
    """Kind of graph: complete, star, ring, tree, small_world, scale_free, range or file."""
    neighbours: int = Field(4, ge=2, multiple_of=2)
    """For small_world: neighbours of each agent before edges are rewired, an even number."""
    rewired: float = Field(0.1, ge=0, le=1)
    """For small_world: share of edges that lead to a random agent instead."""
    drawing: int = Field(0, ge=0)
    """For small_world and scale_free: number of the drawing; each number gives another graph."""
    attached: int = Field(2, ge=1)
    """For scale_free: edges of each new agent."""
    branching: int = Field(2, ge=1)
    """For tree: agents directly below each agent."""
    reach: int = Field(5, ge=1, le=100_000)
    """For range: cells (Manhattan distance) within which agents hear each other."""
    most: int = Field(16, ge=1, le=1_000)
    """For range: most agents that an agent hears."""
    file: str = ""
    """For file: path of a graph in one of networkx's formats, beside the scenario."""
    directed: bool = False
    """For file: whether edges lead one way, if the file does not say so."""
    graph: dict[str, Any] = {}
    """For file: the graph itself; filled in from the file."""
    cut: list[list[int]] = []
    """Pairs of agents whose edge is removed, in both directions."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """Accept the name of a kind; raises UsageError for an unknown kind, and for an option of another kind."""
        table = {"kind": given} if isinstance(given, str) else given
        if isinstance(table, Mapping):
            kind = table.get("kind", "complete")
            if str(kind) not in OPTIONS:
                raise unknown("network", kind, OPTIONS, WHERE)
            known = {"kind", "cut", *EdgeTable.model_fields, *OPTIONS[kind]}
            for key in table:
                if key not in known and not (key in cls.model_fields and table[key] == cls.model_fields[key].default):
                    raise unknown("key", key, known, f"{WHERE}: {kind}")
        return table


OPTIONS: dict[str, tuple[str, ...]] = {
    "complete": (), "star": (), "ring": (), "tree": ("branching",),
    "small_world": ("neighbours", "rewired", "drawing"), "scale_free": ("attached", "drawing"),
    "range": ("reach", "most"), "file": ("file", "directed", "graph"),
}  # fmt: skip


def network_table(given: str | Mapping[str, Any] | NetworkTable) -> NetworkTable:
    """The table of a scenario's network; raises UsageError."""
    try:
        return NetworkTable.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"{WHERE}: {first_problem(error)}") from None


def graph_of(table: NetworkTable, agents: int, lead: int = 0, seed: int = 0, names: Sequence[str] = ()) -> nx.DiGraph:
    """The graph of a team: nodes are agents 0..N-1, an edge leads from speaker to hearer; no self-loops.

    Random graphs are drawn from ``seed`` and their table's ``drawing``. The graph's own attributes are the terms of
    edges that state none, and ``reach`` and ``most``, which are 0 unless the edges follow from positions. Raises
    UsageError.
    """
    _check_size(table.kind, agents, _size(table, agents))
    try:
        found = _from_file(table, agents, names) if table.kind == "file" else _draw(table, agents, lead, seed)
    except nx.NetworkXException as error:
        raise UsageError(f"{WHERE}: {table.kind}: {agents} agents: {error}") from None
    reach, most = (table.reach, table.most) if table.kind == "range" else (0, 0)
    terms = {key: getattr(table, key) for key in KINDS}
    graph = nx.empty_graph(agents, nx.DiGraph)
    both = found.to_directed(as_view=True)
    graph.add_edges_from((a, b, data) for a, b, data in both.edges(data=True) if a != b)
    _cut(graph, table.cut)
    graph.graph = {**terms, "reach": reach, "most": most}
    return graph


def _cut(graph: nx.DiGraph, cut: Sequence[Sequence[int]]) -> None:
    for ends in cut:
        if len(ends) != 2 or not (graph.has_edge(*ends) or graph.has_edge(*reversed(ends))):
            raise UsageError(f"{WHERE}.cut: {list(ends)}, expected two agents with an edge between them")
        graph.remove_edges_from([tuple(ends), tuple(reversed(ends))])


def _from_file(table: NetworkTable, agents: int, names: Sequence[str]) -> nx.Graph:
    """The stored graph, or that of the file, with agents as nodes."""
    where = f"{WHERE}: {table.file or 'graph'}"
    if not table.graph and not table.file:
        raise UsageError(f'{WHERE}: file: expected file = "...", {EXPECTED}')
    found = read_adjacency(table.graph or take_in(Path(table.file), table.directed), where)
    _check_size("file", agents, found.number_of_edges())
    for a, b, data in found.edges(data=True):
        try:
            EdgeTable(**data)
        except ValidationError as error:
            raise UsageError(f"{where}: edge {a} to {b}: {first_problem(error)}") from None
    return nx.relabel_nodes(found, _agents(found, agents, names, where))


def _agents(graph: nx.Graph, agents: int, names: Sequence[str], where: str) -> dict[str, int]:
    """The agent of each node: its number or its name, or its position in the file if no node has either.

    Raises UsageError if nodes and agents do not correspond.
    """
    known = {str(agent): agent for agent in range(agents)} | {name: agent for agent, name in enumerate(names)}
    size = f"{where}: {len(graph):,} nodes for a team of {agents:,}"
    if not known.keys() & {*graph}:
        if len(graph) != agents:
            raise UsageError(f"{size}; expected one for each agent")
        return {node: agent for agent, node in enumerate(graph)}
    for node in graph:
        if node not in known:
            named = f", or a name such as {names[0]}" if names else ""
            raise UsageError(f"{size}; '{node}' is not an agent; expected 0..{agents - 1}{named}")
    numbers = {node: known[node] for node in graph}
    missing = set(range(agents)) - {*numbers.values()}
    if missing:
        raise UsageError(f"{size}; {_name(min(missing), names)} is missing")
    if len(numbers) > agents:
        raise UsageError(f"{size}; an agent occurs by number and by name")
    return numbers


def _size(table: NetworkTable, agents: int) -> int:
    """The maximum number of edges of a kind."""
    each = {"complete": agents - 1, "small_world": table.neighbours, "scale_free": 2 * table.attached,
            "range": table.most, "file": 0}  # fmt: skip
    return agents * min(agents - 1, each.get(table.kind, 2))


def _check_size(kind: str, agents: int, edges: int) -> None:
    if edges > MOST_EDGES:
        made = f"{agents:,} agents make {edges:,} edges"
        raise UsageError(f"{WHERE}: {kind}: {made}, expected {MOST_EDGES:,} at most")


def _draw(table: NetworkTable, agents: int, lead: int, seed: int) -> nx.Graph:
    """The graph of a generated kind; too small a team gets a complete graph."""
    others, seed = agents - 1, seed + table.drawing
    led = {0: lead, lead: 0}  # in networkx the centre and the root are 0
    kinds: dict[str, Callable[[], nx.Graph]] = {
        "complete": lambda: nx.complete_graph(agents, nx.DiGraph),
        "star": lambda: nx.relabel_nodes(nx.star_graph(others), led),
        "ring": lambda: nx.cycle_graph(agents),
        "tree": lambda: nx.relabel_nodes(nx.full_rary_tree(table.branching, agents), led),
        "small_world": lambda: nx.connected_watts_strogatz_graph(agents, table.neighbours, table.rewired, seed=seed),
        "scale_free": lambda: nx.barabasi_albert_graph(agents, min(table.attached, others), seed=seed),
        "range": lambda: nx.empty_graph(agents),
    }  # fmt: skip
    small = {"small_world": table.neighbours >= others, "scale_free": others == 0}
    return kinds["complete" if small.get(table.kind) else table.kind]()


def network_of(graph: nx.DiGraph, lanes: int = 1, loss: float = 0.0, late: int = 0) -> Network:
    """The arrays of a graph by ``graph_of``; perturbations add ``loss`` (a chance) and ``late`` (ticks)."""
    moving, agents = graph.graph["reach"] > 0, len(graph)
    first, sender, terms = _places(graph, lanes) if moving else _edges(graph)
    terms = Terms(terms.loss + loss * (1 - terms.loss), terms.delay + np.int32(late), terms.width)
    scratch = (lanes, agents) if moving else (1, 0)
    bins, order = np.zeros((scratch[0], scratch[1] + 1), np.int32), np.zeros((*scratch, 3), np.int32)
    return Network(first, sender, terms, bins, order, graph.graph["reach"])


def _places(graph: nx.DiGraph, lanes: int) -> tuple[np.ndarray, np.ndarray, Terms]:
    """Arrays for the maximum number of edges in each lane."""
    agents, each = len(graph), min(graph.graph["most"], len(graph) - 1)
    return np.zeros((lanes, agents + 1), np.int32), np.zeros((lanes, agents * each), np.int32), _alike(graph)


def _edges(graph: nx.DiGraph) -> tuple[np.ndarray, np.ndarray, Terms]:
    """The edges sorted by receiver, then by sender."""
    ends = np.fromiter(chain.from_iterable(graph.edges), np.int32).reshape(-1, 2)
    order = np.lexsort((ends[:, 0], ends[:, 1]))
    first = np.searchsorted(ends[order, 1], np.arange(len(graph) + 1)).astype(np.int32)
    terms = _alike(graph)
    if any(data for *_, data in graph.edges(data=True)):
        terms = Terms(*(_column(graph, key, kind)[order] for key, kind in KINDS.items()))
    return first[None], ends[order, 0][None], terms


def _alike(graph: nx.DiGraph) -> Terms:
    return Terms(*(np.full(1, graph.graph[key], kind) for key, kind in KINDS.items()))


def _column(graph: nx.DiGraph, key: str, kind: type) -> np.ndarray:
    return np.array([value for *_, value in graph.edges(data=key, default=graph.graph[key])], kind)


def losing_as(network: Network, other: Network) -> Network:
    """The network with the losses of another one; an edge missing there loses everything.

    Raises UsageError if the other one has an additional edge.
    """
    if network.reach:
        return network._replace(terms=network.terms._replace(loss=other.terms.loss))
    keys, known = _keys(network), _keys(other)
    place = np.minimum(np.searchsorted(keys, known), max(0, len(keys) - 1))
    for key in known[keys[place] != known] if len(keys) else known:
        raise UsageError(f"{WHERE}: no edge from {key % _AGENTS} to {key // _AGENTS} when the team began")
    loss, size = np.ones(len(keys)), max(1, len(keys))
    loss[place] = other.terms.loss
    return network._replace(terms=Terms(np.resize(loss, size), *(np.resize(each, size) for each in network.terms[1:])))


def _keys(network: Network) -> np.ndarray:
    """A number for each edge; the numbers ascend in the order of the edges."""
    receiver = np.repeat(np.arange(network.first.shape[1] - 1), np.diff(network.first[0]))
    return receiver * _AGENTS + network.sender[0]


def as_graph(network: Network, lane: int = 0) -> nx.DiGraph:
    """The present graph of a lane, with the terms of each edge, for pictures and tests."""
    row = min(lane, len(network.first) - 1)
    first, sender = network.first[row], network.sender[row]
    graph = nx.empty_graph(len(first) - 1, nx.DiGraph)
    for agent in range(len(first) - 1):
        for edge in range(first[agent], first[agent + 1]):
            terms = (values[min(edge, len(values) - 1)].item() for values in network.terms)
            graph.add_edge(int(sender[edge]), agent, **dict(zip(KINDS, terms, strict=True)))
    return graph


def check_lead(graph: nx.DiGraph, lead: int, names: Sequence[str] = ()) -> None:
    """Raises UsageError, naming the agent, if an agent has no edge to or from the ``lead``.

    If edges follow from positions, nothing is checked.
    """
    if graph.graph["reach"]:
        return
    for agent in range(len(graph)):
        if agent != lead and not (graph.has_edge(agent, lead) and graph.has_edge(lead, agent)):
            ends = (lead, agent) if graph.has_edge(agent, lead) else (agent, lead)
            way = " to ".join(_name(end, names) for end in ends)
            raise UsageError(f"{WHERE}: no edge from {way}; expected the lead to hear and reach everybody")


def _name(agent: int, names: Sequence[str]) -> str:
    return names[agent] if names else f"agent {agent}"
