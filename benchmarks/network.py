"""Messages: ticks a second of rewiring and delivery by team size, beside networkx with dictionaries."""

from collections import defaultdict
from random import Random

import networkx as nx
import numpy as np

import sandbox
from benchmarks.report import Figure, at_least, at_most
from benchmarks.rounds import Pace, in_turns, seconds
from benchmarks.warehouse import courier_map
from sandbox.core.speech import Act
from sandbox.engine.coordination.network import ARRIVED, deliver, mail_for, open_page, rewire, say
from sandbox.engine.kernel import kernel
from sandbox.teams.graphs import graph_of, network_of, network_table

SIZES = (1_000, 10_000, 100_000)
REACH, CROWD, LOSS = 10, 0.025, 0.1  # cells, agents to a cell, chance
MOST = 20  # senders heard: nobody has more in reach here, so that both deliver the same
TICK_MS = 60.0  # for 100,000 agents, all of it


@kernel
def everybody_speaks(mail, tick):
    """All say one thing to all who hear them."""
    open_page(mail, 0, tick)
    for agent in range(mail.said.shape[2]):
        say(mail, 0, tick, agent, -1, Act.IDLE, 0, agent)


@kernel
def everybody_moves(pos, tick, side):
    """One step along a row, all around."""
    for agent in range(pos.shape[1]):
        pos[0, agent, 1] = (pos[0, agent, 1] + 1) % side


class Ours:
    """A team with the arrays and kernels of the package; ``side`` 0: nobody moves."""

    def __init__(self, graph: nx.DiGraph, pos: np.ndarray, side: int):
        self.net, self.pos, self.side, self.tick = network_of(graph), pos[None].copy(), side, 0
        self.mail = mail_for(self.net, 1, 2)
        self.messages = np.zeros((self.net.sender.shape[1] * 2, 4), np.int32)
        self.arrived = np.zeros(len(pos), np.int32)

    def step(self) -> None:
        if self.side:
            everybody_moves(self.pos, self.tick, self.side)
            rewire(self.pos, 0, self.net)
        deliver(np.uint64(1), self.tick, 0, self.net, self.mail, self.messages, self.arrived)
        everybody_speaks(self.mail, self.tick)
        self.tick += 1

    @property
    def delivered(self) -> int:
        return int(self.mail.counts[0, :, ARRIVED].sum())


class Plain:
    """The same as one would write it: networkx finds who is near (by SciPy's tree), dictionaries hold the letters."""

    def __init__(self, graph: nx.DiGraph, pos: np.ndarray, side: int):
        self.graph, self.pos, self.side, self.loss = graph, pos.copy(), side, graph.graph["loss"]
        self.rng, self.said, self.delivered = Random(1), {}, 0

    def step(self) -> None:
        if self.side:
            self.pos[:, 1] = (self.pos[:, 1] + 1) % self.side
            near = nx.empty_graph(len(self.pos))
            nx.set_node_attributes(near, dict(enumerate(self.pos.tolist())), "pos")
            near.add_edges_from(nx.geometric_edges(near, REACH, p=1))
            self.graph = near
        messages = defaultdict(list)
        for sender, message in self.said.items():
            for hearer in self.graph[sender]:
                if self.rng.random() >= self.loss:
                    messages[hearer].append((sender, *message))
        self.delivered += sum(map(len, messages.values()))
        self.said = {agent: (Act.IDLE, 0, agent) for agent in range(len(self.pos))}


def steps(team: Ours | Plain, ticks: int):
    def work() -> int:
        for _ in range(ticks):
            team.step()
        return ticks

    return work


def compare(title: str, options: dict, moving: bool, quick: bool) -> list[Figure]:
    """Both in turns, by team size, with lost messages; and that without loss both deliver the same."""
    figures = []
    for agents in SIZES[:2] if quick else SIZES:
        side = int(np.sqrt(agents / CROWD))
        pos = np.random.default_rng(0).integers(0, side, (agents, 2)).astype(np.int32)
        same = [kind(graph_of(network_table(options), agents), pos, side * moving) for kind in (Ours, Plain)]
        for team in same:
            steps(team, 3)()
        assert same[0].delivered == same[1].delivered > 0
        graph = graph_of(network_table({**options, "loss": LOSS}), agents)
        ticks = max(1, 100_000 // agents)
        name = f"{title}, {agents:,}"
        ours = Pace(f"ours, {name}", steps(Ours(graph, pos, side * moving), 20 * ticks))
        plain = Pace(f"networkx, {name}", steps(Plain(graph, pos, side * moving), ticks))
        in_turns(3, ours, plain)
        peer = plain.figure("ticks", cpu=True)
        figures += [peer, ours.figure("ticks", cpu=True, beside=peer)]
        if agents == SIZES[-1]:
            cost = [1000 / rate for rate in ours.cpu_rates]
            figures.append(Figure(ours.name, "CPU ms/tick", cost, target=at_most(TICK_MS)))
    return figures


def moving(quick: bool) -> list[Figure]:
    """The graph is made anew in each tick, from positions."""
    return compare(f"within {REACH} cells, moving", {"kind": "range", "reach": REACH, "most": MOST}, True, quick)


def fixed(quick: bool) -> list[Figure]:
    """A graph that stays."""
    return compare("small world", {"kind": "small_world"}, False, quick)


def market(quick: bool) -> list[Figure]:
    """A whole team in the hosted tier: rules, a market, a network by position."""
    figures = []
    for agents in (100, 1_000) if quick else (100, 1_000, 10_000):
        side = round((agents / CROWD) ** 0.5)
        world = {"name": "warehouse", "layout": courier_map(side), "deliveries": 0, "max_ticks": 1_000_000}
        team = {"protocol": "market", "network": {"kind": "range", "reach": REACH}}
        model = sandbox.Sandbox({"world": world, "agents": [{"count": agents}], "team": team}, rng=1)
        for _ in range(30):
            model.step()
        ticks = 100 if agents < 10_000 else 20
        rates = [ticks / seconds(lambda model=model, ticks=ticks: [model.step() for _ in range(ticks)])
                 for _ in range(3)]  # fmt: skip
        assert model.error is None
        name = f"{agents:,} robots, {side} x {side}, hosted"
        figures.append(Figure(name, "ticks/s", rates, target=at_least(5) if agents == 10_000 else None))
    return figures


PEERS = ("networkx",)
SPEEDS = {"moving": moving, "fixed": fixed, "market": market}
