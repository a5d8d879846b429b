"""Who hears whom: delivery against a slow twin of dictionaries, chances, graphs from files, and errors."""

import json
import os
import subprocess
import sys
import time
import tomllib

import networkx as nx
import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.core.errors import UsageError
from sandbox.core.speech import Act
from sandbox.engine.coordination import network as post
from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel
from sandbox.scenario.load import as_toml, load
from sandbox.teams.graph_files import take_in
from sandbox.teams.graphs import NetworkTable, as_graph, check_lead, graph_of, network_of, network_table

SEED, PLACES, TICKS = np.uint64(7), 4, 8
RANDOM = st.integers(0, 2**32 - 1).map(np.random.default_rng)
KINDS = ("complete", "star", "ring", "tree", "small_world", "scale_free")


def network(graph: nx.DiGraph, **more):
    """The arrays of any graph of numbers; edges' attributes are their terms."""
    graph.graph = {"loss": 0.0, "delay": 0, "bandwidth": post.UNLIMITED, "reach": 0, "most": 0}
    return network_of(graph, **more)


@kernel
def fill(seed, tick, lane, net, mail, out):
    """``out`` (N, E, S) bool: which message arrives along which edge, asked of every agent for its own edges only."""
    row = min(lane, net.first.shape[0] - 1)
    for agent in range(net.first.shape[1] - 1):
        for edge in range(net.first[row, agent], net.first[row, agent + 1]):
            for m in range(mail.said.shape[3]):
                out[agent, edge, m] = post.arrives(seed, tick, lane, net, mail, agent, edge, m)


def arrivals(net, mail, tick: int, lane: int = 0, seed=SEED) -> set[tuple[int, int, int]]:
    """(sender, receiver, message) of all that arrive in a tick."""
    row = min(lane, len(net.first) - 1)
    out = np.zeros((net.first.shape[1] - 1, max(1, net.sender.shape[1]), mail.said.shape[3]), np.bool_)
    fill(seed, tick, lane, net, mail, out)
    return {(int(net.sender[row, edge]), int(agent), int(m)) for agent, edge, m in np.argwhere(out)}


def speak(mail, tick: int, said: dict[int, list[int]], lane: int = 0, act: Act = Act.BID) -> None:
    """A page on which each agent of ``said`` says as many things, to those who stand there (-1: to all)."""
    post.open_page(mail, lane, tick)
    for agent, hearers in said.items():
        assert [post.say(mail, lane, tick, agent, to, act, 1, k) for k, to in enumerate(hearers)] == [
            k < mail.said.shape[3] for k in range(len(hearers))
        ]


def twin(graph: nx.DiGraph, talk: list[dict[int, list[int]]], tick: int, seed=SEED) -> tuple[set, set]:
    """What arrives and what is lost, as one would write it with a graph and dictionaries."""
    arrived, lost = set(), set()
    for a, b, terms in graph.edges(data=True):
        then = tick - 1 - terms["delay"]
        said = talk[then].get(a, ())[:PLACES] if then >= 0 else ()
        taken = [m for m, to in enumerate(said) if to in (-1, b)]
        for place, m in enumerate(taken):
            chance = uniform(seed, then, post.CHANCE, m << 34 | a << 17 | b)
            (lost if place >= terms["bandwidth"] or chance < terms["loss"] else arrived).add((a, b, m))
    return arrived, lost


def books(net, mail, tick: int) -> list[list[tuple[int, ...]]]:
    """What ``deliver`` puts into each agent's letters, whatever stood there before."""
    agents, edges = net.first.shape[1] - 1, net.sender.shape[1]
    letters, arrived = np.full((edges * mail.said.shape[3], 4), 9, np.int32), np.full(agents, 9, np.int32)
    post.deliver(SEED, tick, 0, net, mail, letters, arrived)
    starts = net.first[0, :-1] * mail.said.shape[3]
    return [[tuple(map(int, line)) for line in letters[a : a + n]] for a, n in zip(starts, arrived, strict=True)]


def any_graph(rng: np.random.Generator, most: int = 7) -> nx.DiGraph:
    agents = int(rng.integers(1, most + 1))
    graph = nx.gnp_random_graph(agents, rng.uniform(0, 1), seed=int(rng.integers(2**31)), directed=True)
    for *_, terms in graph.edges(data=True):
        terms.update(
            loss=float(rng.choice([0.0, 0.5, 1.0])), delay=int(rng.integers(4)), bandwidth=int(rng.integers(1, 4))
        )
    return graph


def any_talk(rng: np.random.Generator, agents: int) -> list[dict[int, list[int]]]:
    return [
        {agent: rng.integers(-1, agents, rng.integers(0, PLACES + 2)).tolist() for agent in range(agents)}
        for _ in range(TICKS)
    ]  # fmt: skip


@given(RANDOM)
@settings(max_examples=60)
def test_what_arrives_is_what_the_graph_and_its_terms_say(rng):
    """Nothing along an edge that is not there, nothing that was not said, nothing twice; and the books are right."""
    graph = any_graph(rng)
    net = network(graph)
    mail, talk = post.mail_for(net, 1, PLACES), any_talk(rng, len(graph))
    counts = np.zeros((len(graph), 3), np.int64)
    for tick in range(TICKS):
        speak(mail, tick, talk[tick])
        found, (arrived, lost) = arrivals(net, mail, tick), twin(graph, talk, tick)
        assert {(a, b) for a, b, _ in found} <= {*graph.edges}
        assert found == arrived
        letters = books(net, mail, tick)
        assert sorted((a, b, m) for b, own in enumerate(letters) for a, _, _, m in own) == sorted(arrived)
        assert all(act == Act.BID and task == 1 for own in letters for _, act, task, _ in own)
        for a, *_ in arrived | lost:
            counts[a, post.SENT] += 1
        for kind, column in ((arrived, post.ARRIVED), (lost, post.LOST)):
            for _, b, _ in kind:
                counts[b, column] += 1
        assert (mail.counts[0] == counts).all()


@pytest.mark.parametrize("loss", [0.02, 0.3, 0.95])
def test_losses_are_binomial_and_independent_of_sender_receiver_message_and_tick(loss):
    agents, ticks = 60, 4
    net = network(nx.complete_graph(agents, nx.DiGraph), loss=loss)
    mail, heard = post.mail_for(net, 1, 2), np.zeros((ticks, agents, agents, 2))
    for tick in range(ticks + 1):
        for sender, receiver, m in arrivals(net, mail, tick):
            heard[tick - 1, sender, receiver, m] = 1
        speak(mail, tick, {agent: [-1, -1] for agent in range(agents)})
    there = ~np.eye(agents, dtype=bool)
    x = heard[:, there, :]
    n, keep = x.size, 1 - loss
    assert abs(x.sum() - n * keep) < 5 * np.sqrt(n * keep * loss)
    centred = np.where(there[None, :, :, None], heard - keep, 0)
    for axes in (
        (0,),
        (1,),
        (2,),
        (3,),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 3),
    ):  # sums over these vary as of independent draws
        sums = centred.sum(axes)
        scale = np.broadcast_to(there[None, :, :, None], heard.shape).sum(axes) * keep * loss
        z = (sums**2 / np.maximum(scale, 1e-9))[scale > 0]
        spread = np.sqrt((2 + 1 / (keep * loss)) / z.size)  # of a mean of squared, scaled binomials
        assert abs(z.mean() - 1) < 6 * spread, (axes, z.mean())


def test_a_delay_is_exact():
    graph = nx.DiGraph([(0, b, {"delay": b - 1}) for b in range(1, 7)])
    net = network(graph)
    mail = post.mail_for(net, 1, 1)
    found = {}
    for tick in range(15):
        speak(mail, tick, {0: [-1]} if tick == 3 else {})
        found.update({b: found.get(b, []) + [tick] for _, b, _ in arrivals(net, mail, tick)})
    assert found == {b: [3 + 1 + b - 1] for b in range(1, 7)}


def test_a_bandwidth_is_exact_and_counts_what_takes_the_edge_only():
    graph = nx.DiGraph([(0, b, {"bandwidth": b}) for b in range(1, 7)])
    net = network(graph)
    mail = post.mail_for(net, 1, 6)
    speak(mail, 0, {0: [-1, 2, -1, 3, -1, -1]})
    taken = {b: [m for m, to in enumerate([-1, 2, -1, 3, -1, -1]) if to in (-1, b)] for b in range(1, 7)}
    assert arrivals(net, mail, 1) == {(0, b, m) for b in range(1, 7) for m in taken[b][:b]}
    books(net, mail, 1)
    assert mail.counts[0, 0, post.SENT] == 4 * 6 + 2
    assert mail.counts[0, 1:, post.LOST].tolist() == [3, 3, 2, 0, 0, 0]


@given(RANDOM)
@settings(max_examples=30)
def test_the_place_of_an_edge_in_the_arrays_is_nothing(rng):
    """Edges of an agent in any order, or without some others: the fate of the rest is the same."""
    graph = any_graph(rng)
    net, talk = network(graph), any_talk(rng, len(graph))
    rows = zip(net.first[0], net.first[0, 1:], strict=False)
    place = np.concatenate([rng.permutation(np.arange(a, b)) for a, b in rows])
    less = nx.create_empty_copy(graph)
    less.add_edges_from((a, b, data) for a, b, data in graph.edges(data=True) if rng.random() < 0.5)
    terms = post.Terms(*(column[place] if len(column) > 1 else column for column in net.terms))
    mixed, short = net._replace(sender=net.sender[:, place], terms=terms), network(less)
    mails = [post.mail_for(each, 1, PLACES) for each in (net, mixed, short)]
    for tick in range(TICKS):
        for mail in mails:
            speak(mail, tick, talk[tick])
        whole, same, part = (arrivals(n, mail, tick) for n, mail in zip((net, mixed, short), mails, strict=True))
        assert whole == same and part == {(a, b, m) for a, b, m in whole if less.has_edge(a, b)}


def test_a_page_is_cleared_and_lanes_are_apart():
    net = network(nx.complete_graph(3, nx.DiGraph))
    mail = post.mail_for(net, 2, 1)
    speak(mail, 0, {0: [-1]}, lane=0)
    speak(mail, 0, {1: [2]}, lane=1)
    assert arrivals(net, mail, 1, 0) == {(0, 1, 0), (0, 2, 0)} and arrivals(net, mail, 1, 1) == {(1, 2, 0)}
    speak(mail, 1, {}, 0), speak(mail, 2, {}, 0)
    assert not mail.said[0].any() and not arrivals(net, mail, 2, 0) and not arrivals(net, mail, 3, 0)


def test_nothing_arrives_from_an_episode_before():
    net = network(nx.DiGraph([(0, 1, {"delay": 2})]))
    mail = post.mail_for(net, 1, 1)
    for tick in range(4):
        speak(mail, tick, {0: [-1]})
    for tick in range(5):
        speak(mail, tick, {0: [-1]} if tick == 1 else {})
        assert arrivals(net, mail, tick) == ({(0, 1, 0)} if tick == 4 else set())
        assert books(net, mail, tick)[1] == ([(0, Act.BID, 1, 0)] if tick == 4 else [])


def test_perturbations_are_folded_in():
    graph = nx.DiGraph([(0, 1, {"loss": 0.5, "delay": 2}), (1, 0, {})])
    net = network(graph, loss=0.2, late=3)
    folded = as_graph(net)
    assert folded.edges[0, 1] == {"loss": pytest.approx(0.6), "delay": 5, "bandwidth": post.UNLIMITED}
    assert folded.edges[1, 0] == {"loss": pytest.approx(0.2), "delay": 3, "bandwidth": post.UNLIMITED}
    assert network(nx.DiGraph([(0, 1)]), loss=1.0).terms.loss.tolist() == [1.0]
    assert post.mail_for(net, 1, 1).said.shape[1] == 5 + 2


def test_nobody_is_always_the_first_to_be_heard():
    agents, first = 9, np.zeros(9)
    net = network(nx.complete_graph(agents, nx.DiGraph))
    mail = post.mail_for(net, 1, 1)
    for tick in range(200):
        for own in books(net, mail, tick):
            if own:
                first[own[0][0]] += 1
        speak(mail, tick, {agent: [-1] for agent in range(agents)})
    assert first.sum() == 199 * 9 and (abs(first - 199) < 5 * np.sqrt(199 * 8 / 9)).all()


# -- by position -------------------------------------------------------------------------------------------------------


def ranging(agents: int, lanes: int = 1, **options):
    return network_of(graph_of(network_table({"kind": "range", **options}), agents), lanes)


def in_reach(pos: np.ndarray, reach: int) -> set[tuple[int, int]]:
    there = np.flatnonzero(pos[:, 0] >= 0)
    return {(int(a), int(b)) for a in there for b in there if a != b and np.abs(pos[a] - pos[b]).sum() <= reach}


@given(RANDOM)
@settings(max_examples=80)
def test_a_graph_by_position_is_who_is_in_reach(rng):
    agents, lanes = int(rng.integers(1, 40)), int(rng.integers(1, 4))
    reach, most = int(rng.integers(1, 12)), int(rng.integers(1, 40))
    net = ranging(agents, lanes, reach=reach, most=most)
    for _ in range(2):  # made anew
        pos = rng.integers(0, rng.integers(1, [60, 200]), (lanes, agents, 2)).astype(np.int32)
        pos[rng.random((lanes, agents)) < 0.1] = -1
        for lane in range(lanes):
            post.rewire(pos, lane, net)
        for lane in range(lanes):
            found, near = {*as_graph(net, lane).edges}, in_reach(pos[lane], reach)
            assert net.first[lane, -1] == len(found)  # nobody twice
            assert found <= near
            for agent in range(agents):
                heard, there = (sum(b == agent for _, b in edges) for edges in (found, near))
                assert heard == min(most, there)


def test_nobody_anywhere_hears_nobody():
    net = ranging(5)
    post.rewire(np.zeros((1, 5, 2), np.int32), 0, net)
    assert len(as_graph(net).edges) == 20
    post.rewire(np.full((1, 5, 2), -1, np.int32), 0, net)
    assert not as_graph(net).edges
    mail = post.mail_for(net, 1, 1)
    speak(mail, 0, {agent: [-1] for agent in range(5)})
    assert books(net, mail, 1) == [[]] * 5 and not mail.counts.any()


def test_a_crowd_hears_different_ones():
    """In one cell a hundred agents hear four each; nobody is heard by all, hardly anyone by none."""
    net = ranging(100, most=4)
    post.rewire(np.zeros((1, 100, 2), np.int32), 0, net)
    heard = np.bincount(net.sender[0], minlength=100)
    assert heard.sum() == 400 and heard.max() <= 12 and (heard > 0).sum() > 80


def test_a_hundred_thousand_agents():
    agents = 100_000
    net = ranging(agents, reach=10, loss=0.1)
    mail = post.mail_for(net, 1, PLACES)
    pos = np.random.default_rng(1).integers(0, 1000, (1, agents, 2)).astype(np.int32)
    post.rewire(pos, 0, net)
    mail.said[0, 0, :, 0, post.ACT] = Act.IDLE
    letters, arrivals = np.zeros((net.sender.shape[1] * PLACES, 4), np.int32), np.zeros(agents, np.int32)
    start = time.perf_counter()
    post.rewire(pos, 0, net)
    post.deliver(SEED, 1, 0, net, mail, letters, arrivals)
    assert time.perf_counter() - start < 5  # it compiles in this time too; what it takes is in the benchmark
    edges, (sent, arrived, lost) = int(net.first[0, -1]), mail.counts[0].sum(0)
    assert 1_000_000 < edges <= 16 * agents and sent == edges == arrived + lost == arrivals.sum() + lost
    assert abs(lost - 0.1 * edges) < 5 * np.sqrt(0.09 * edges)
    for agent in range(0, agents, 9973):
        near = np.flatnonzero(np.abs(pos[0] - pos[0, agent]).sum(1) <= 10)
        heard = net.sender[0, net.first[0, agent] : net.first[0, agent + 1]]
        assert {*heard} <= {*near} - {agent} and len({*heard}) == min(16, len(near) - 1)


# -- graphs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("agents", [1, 2, 3, 5, 20])
def test_every_kind_joins_a_team_of_any_size_both_ways(kind, agents):
    graph = graph_of(network_table(kind), agents, lead=agents // 2, seed=5)
    assert [*graph] == [*range(agents)] and nx.is_strongly_connected(graph)
    assert {*graph.edges} == {(b, a) for a, b in graph.edges} == {*as_graph(network_of(graph)).edges}


def test_kinds_are_what_they_are_called():
    def degrees(given, agents=12, lead=3):
        return dict(graph_of(network_table(given), agents, lead, seed=1).out_degree)

    assert {*degrees("complete").values()} == {11} and {*degrees("ring").values()} == {2}
    assert degrees("star") == {agent: 11 if agent == 3 else 1 for agent in range(12)}
    tree = graph_of(network_table({"kind": "tree", "branching": 3}), 13, lead=4)
    assert tree.out_degree(4) == 3 and nx.is_tree(tree.to_undirected()) and nx.eccentricity(tree, 4) == 2
    assert sum(degrees({"kind": "small_world", "neighbours": 4}).values()) == 12 * 4
    assert sum(degrees({"kind": "scale_free", "attached": 2}).values()) == 2 * 2 * (12 - 2)


@pytest.mark.parametrize("kind", ["small_world", "scale_free"])
def test_a_random_graph_is_the_seeds(kind):
    def edges(seed):
        return {*graph_of(network_table(kind), 30, seed=seed).edges}

    assert edges(1) == edges(1) != edges(2)
    assert edges(2**64 - 1)


@pytest.mark.parametrize("kind", ["small_world", "scale_free"])
def test_a_random_graph_can_be_drawn_anew(kind):
    def edges(drawing):
        return {*graph_of(network_table({"kind": kind, "drawing": drawing}), 30, seed=1).edges}

    assert edges(0) == {*graph_of(network_table(kind), 30, seed=1).edges}
    assert edges(1) == edges(1) != edges(0)
    with pytest.raises(UsageError, match="drawing"):
        network_table({"kind": "ring", "drawing": 1})


def test_a_table_is_named_or_spelt_out_and_written_as_it_is_read():
    assert network_table("ring") == network_table({"kind": "ring"})
    table = network_table({"kind": "small_world", "rewired": 0.3, "loss": 0.1, "delay": 2, "bandwidth": 1})
    assert NetworkTable(**table.model_dump(exclude_defaults=True)) == NetworkTable(**table.model_dump()) == table


FILES = {
    "net.edgelist": "# who hears whom\nrobot-0 robot-1 {'loss': 0.25, 'delay': 3}\nrobot-1 robot-2\n",
    "net.txt": "0 1 {'loss': 0.25, 'delay': 3}\n1 2\n",
    "net.json": json.dumps(
        {"directed": False, "multigraph": False, "graph": [], "nodes": [{"id": 0}, {"id": 1}, {"id": "robot-2"}],
         "adjacency": [[{"id": 1, "loss": 0.25, "delay": 3, "colour": "red"}], [{"id": "robot-2"}], []]}
    ),
    "net.graphml": (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="d0" for="edge" attr.name="loss" attr.type="double"/>'
        '<key id="d1" for="edge" attr.name="delay" attr.type="int"/>'
        '<graph edgedefault="undirected"><node id="0"/><node id="robot-1"/><node id="2"/>'
        '<edge source="0" target="robot-1"><data key="d0">0.25</data><data key="d1">3</data></edge>'
        '<edge source="robot-1" target="2"/></graph></graphml>'
    ),
}  # fmt: skip
NAMES = ("robot-0", "robot-1", "robot-2")


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_taken_in_and_gives_its_graph(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name])
    taken = json.loads(json.dumps(tomllib.loads(tomli_w.dumps(take_in(path)))))
    given = {"kind": "file", "file": name, "bandwidth": 2}
    for table in ({**given, "graph": taken}, {**given, "file": str(path)}):
        graph = graph_of(network_table(table), 3, names=NAMES)
        assert {*graph.edges} == {(0, 1), (1, 0), (1, 2), (2, 1)}
        folded = as_graph(network_of(graph))
        assert folded.edges[0, 1] == folded.edges[1, 0] == {"loss": 0.25, "delay": 3, "bandwidth": 2}
        assert folded.edges[1, 2] == {"loss": 0.0, "delay": 0, "bandwidth": 2}


RING = nx.relabel_nodes(nx.cycle_graph(4), str)
LINKS = {"nodes": [{"id": k} for k in range(4)], "links": [{"source": k, "target": (k + 1) % 4} for k in range(4)]}
OTHERS = {
    "weighted.edgelist": "0 1 1.5\n1 2 1.5\n2 3 1.5\n3 0 1.5\n",
    "data.edgelist": "0 1 {'weight': 1.5, 'colour': 'red'}\n1 2 {'weight': 2}\n2 3\n3 0\n",
    "both_ways.edgelist": "0 1\n1 0\n1 2\n2 3\n3 0\n",
    "comma.CSV": "# made by hand\n0, 1, 2e-3\n1, 2, 1\n2,3,\n3,0,0.5\n",
    "semicolon.txt": "% of a matrix\n0;1\n1;2\n2;3 # the last but one\n3;0",
    "tabs.tsv": "0\t1\n1\t2\n2\t3\n3\t0\n",
    "gephi.csv": "Source,Target,Type,Weight\n0,1,Undirected,1\n1,2,Undirected,2\n2,3,Undirected,1\n3,0,Undirected,1\n",
    "quoted.csv": '"from","to"\n"robot-0","robot-1"\n"robot-1","robot-2"\n"robot-2","robot-3"\n"robot-3","robot-0"\n',
    "quoted.txt": '"0";"1";"1.5"\n"1";"2";"1.5"\n"2";"3";"1.5"\n"3";"0";"1.5"\n',
    "pandas.csv": nx.to_pandas_edgelist(RING).to_csv(),
    "spaced.txt": "source target\n0 1\n1 2\n2 3\n3 0\n",
    "net.adjlist": "#comment\n0 1 3\n1 2\n2 3\n3\n",
    "windows.edgelist": "\ufeff0 1\r\n1 2\r\n2 3\r\n3 0\r\n",
    "links.json": json.dumps({"directed": False, "multigraph": False, "graph": {}, **LINKS}),
    "edges.JSON": json.dumps({"directed": False, "multigraph": True, "nodes": LINKS["nodes"], "edges": LINKS["links"]}),
    "bare.json": json.dumps(LINKS),
    "cytoscape.json": json.dumps(nx.cytoscape_data(RING)),
    "capital.GraphML": "\n".join(nx.generate_graphml(RING)),
    "graphml.XML": "\n".join(nx.generate_graphml(RING)),
    "net.gexf": "\n".join(nx.generate_gexf(RING)),
    "labels.gml": "\n".join(nx.generate_gml(RING)),
    "ids.gml": "Creator \"x\"\ngraph [ node [ id 0 ] node [ id 1 ] node [ id 2 ] node [ id 3 ] "
               "edge [ source 0 target 1 ] "
               "edge [ source 1 target 2 ] edge [ source 2 target 3 ] edge [ source 3 target 0 ] ]",
    "places.edgelist": "ann bob\nbob cid\ncid dan\ndan ann\n",
    "names.edgelist": "robot-3 robot-0\nrobot-0 robot-1\nrobot-1 robot-2\nrobot-2 robot-3\n",
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_other_tools_write_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(OTHERS[name].encode())
    table = network_table({"kind": "file", "file": str(tmp_path / name)})
    assert {*graph_of(table, 4, names=[f"robot-{k}" for k in range(4)]).edges} == {
        *nx.cycle_graph(4).to_directed().edges
    }


def test_a_file_in_utf_16_and_edges_with_terms(tmp_path):
    (tmp_path / "wide.csv").write_bytes("source,target,delay,loss\n0,1,2,0.5\n1,2,3,0.25\n".encode("utf-16"))
    (tmp_path / "way.csv").write_text("Source,Target,Type\n0,1,Directed\n1,2,Directed\n")
    graph = graph_of(network_table({"kind": "file", "file": str(tmp_path / "wide.csv")}), 3)
    assert graph.edges[0, 1] == graph.edges[1, 0] == {"loss": 0.5, "delay": 2} and graph.edges[1, 2]["delay"] == 3
    assert {*graph_of(network_table({"kind": "file", "file": str(tmp_path / "way.csv")}), 3).edges} == {(0, 1), (1, 2)}


def test_a_graph_may_stand_in_the_scenario_itself():
    data = nx.adjacency_data(nx.path_graph(3))
    assert {*graph_of(network_table({"kind": "file", "graph": data}), 3).edges} == {(0, 1), (1, 0), (1, 2), (2, 1)}


def test_files_may_lead_one_way(tmp_path):
    graph = nx.DiGraph([("0", "1"), ("1", "2"), ("2", "2")])
    nx.write_graphml(graph, tmp_path / "way.graphml")
    (tmp_path / "way.edgelist").write_text("0 1\n1 2\n")
    (tmp_path / "way.json").write_text(json.dumps(nx.adjacency_data(graph)))
    for name in ("way.graphml", "way.json", "way.edgelist"):
        table = {"kind": "file", "file": str(tmp_path / name), "directed": name == "way.edgelist"}
        assert {*graph_of(network_table(table), 3).edges} == {(0, 1), (1, 2)}


TEAM = """
[world]
name = "warehouse"
layout = "tiny"

[[agents]]
count = 3

[team]
protocol = "market"
network = { kind = "file", file = "net.graphml", loss = 0.1 }
"""


def test_a_scenario_stands_for_itself(tmp_path):
    """The graph of a file beside it is part of it, also when it is written and read again somewhere else."""
    (tmp_path / "net.graphml").write_text(FILES["net.graphml"])
    (tmp_path / "team.toml").write_text(TEAM)
    scenario = load(tmp_path / "team.toml")
    (tmp_path / "net.graphml").unlink()
    again = load(tomllib.loads(as_toml(scenario.as_dict())))
    assert again == scenario == load(scenario) and again.hash == scenario.hash
    graph = graph_of(again.team.network, 3, names=NAMES)
    assert {*graph.edges} == {(0, 1), (1, 0), (1, 2), (2, 1)} and graph.graph["loss"] == 0.1


def test_a_file_that_does_not_fit_the_team_is_refused_when_the_stage_is_set(tmp_path):
    (tmp_path / "net.graphml").write_text(FILES["net.graphml"])
    (tmp_path / "team.toml").write_text(TEAM)
    with pytest.raises(UsageError, match="net.graphml: 3 nodes for a team of 4; robot-3 is missing"):
        load(tmp_path / "team.toml", {"agents.0.count": 4}).env()
    with pytest.raises(UsageError, match=r"team.network: .*gone.graphml: no such file"):
        load(tmp_path / "team.toml", {"team.network.file": "gone.graphml"})


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, agents, words",
    [
        ("rign", 3, "unknown network 'rign'; did you mean 'ring'?"),
        (7, 3, "valid dictionary"),
        ({"kind": ["ring"]}, 3, "unknown network"),
        ({"kind": "ring", "los": 0.1}, 3, "ring: unknown key 'los'; did you mean 'loss'?"),
        ({"kind": "ring", "reach": 9}, 3, "ring: unknown key 'reach'"),
        ({"loss": 1.5}, 3, "loss: input should be less than or equal to 1, got 1.5"),
        ({"loss": float("nan")}, 3, "loss: "),
        ({"delay": -1}, 3, "delay: input should be greater than or equal to 0, got -1"),
        ({"delay": 1.0}, 3, "delay: input should be a valid integer"),
        ({"bandwidth": 0}, 3, "bandwidth: input should be greater than or equal to 1, got 0"),
        ({"kind": "range", "reach": 0}, 3, "reach: "),
        ({"kind": "small_world", "neighbours": 3}, 9, "neighbours: input should be a multiple of 2"),
        ("complete", 100_000, "complete: 100,000 agents make 9,999,900,000 edges, expected 2,000,000 at most"),
        ({"kind": "file"}, 3, 'file: expected file = "..."'),
        ({"kind": "file", "graph": {"nodes": 3}}, 3, "graph: not adjacency data"),
    ],
)
def test_a_bad_table_is_one_clear_line(given, agents, words):
    with pytest.raises(UsageError) as caught:
        graph_of(network_table(given), agents)
    assert (
        words in str(caught.value) and str(caught.value).startswith("team.network: ") and "\n" not in str(caught.value)
    )


def test_a_file_may_not_hold_any_number_of_edges(monkeypatch, tmp_path):
    (tmp_path / "net.txt").write_text("0 1\n1 2\n2 0\n")
    monkeypatch.setattr("sandbox.teams.graphs.MOST_EDGES", 2)
    table = network_table({"kind": "file", "file": str(tmp_path / "net.txt"), "directed": True})
    with pytest.raises(UsageError, match="team.network: file: 3 agents make 3 edges, expected 2 at most"):
        graph_of(table, 3)


def test_what_networkx_cannot_draw_is_one_clear_line(monkeypatch):
    def give_up(*_, **__):
        raise nx.NetworkXError("Maximum number of tries exceeded")

    monkeypatch.setattr(nx, "connected_watts_strogatz_graph", give_up)
    with pytest.raises(UsageError, match="team.network: small_world: 9 agents: Maximum number of tries exceeded"):
        graph_of(network_table("small_world"), 9)


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("missing.graphml", None, "missing.graphml: no such file"),
        ("net.dot", "graph {}", "expected a file that ends in .graphml, .xml, .gexf, .gml, .edgelist"),
        ("net.gml", "graph []", "no nodes"),
        ("net.edgelist", "0 1 2 3\n", "'0 1 2 3': expected two nodes, and a weight or a dict of attributes"),
        ("net.edgelist", "0\n1\n", "'0': expected two nodes"),
        ("net.edgelist", "0,1\n1,\n", "'1,': expected two nodes"),
        ("net.edgelist", "0 1 heavy\n", "'0 1 heavy': expected two nodes"),
        ("net.edgelist", "# nothing\n", "no edges"),
        ("net.edgelist", "<graphml></graphml>", "expected two nodes"),
        ("net.json", "\n".join(nx.generate_graphml(nx.path_graph(3))), "looks like GraphML; expected a graph in JSON"),
        ("net.graphml", '{"nodes": [], "edges": []}', "looks like a graph in JSON; expected GraphML"),
        ("net.json", '{"nodes": []}', "expected 'nodes' and 'edges', 'links' or 'adjacency'"),
        ("net.json", "[1]", "not a graph in JSON"),
        ("net.json", "[" * 100_000, "not a graph in JSON"),
        ("net.csv", "source,target,delay\n0,1,\n1,2,3\n", "0 to 1.delay: expected a finite number, got nan"),
        ("net.csv", "source,target\n0,1\n1\n", "a line with one node; expected two"),
        ("net.txt", "ann bob\n", "2 nodes for a team of 3; expected one for each agent"),
        ("net.txt", "\x89PNG", "expected two nodes"),
        ("bad.graphml", "<graphml><node", "bad.graphml: not GraphML (ParseError: "),
        ("none.graphml", "<html/>", "none.graphml: looks like an HTML page; expected GraphML"),
        ("bad.json", '{"nodes": ', "bad.json: not a graph in JSON (JSONDecodeError: "),
        ("list.json", "[1, 2]", "list.json: not a graph in JSON"),
        ("link.json", '{"nodes": [{"id": 0}], "links": []}', "1 nodes for a team of 3; robot-1 is missing"),
        ("binary.txt", b"\xff\xfe\x00 \x01", "binary.txt: not text in UTF-16"),
        ("picture.gml", b"\x89PNG\r\n", "picture.gml: looks like a PNG picture; expected a graph: GraphML"),
        ("empty.txt", "", "no edges"),
        ("few.txt", "0 1\n", "2 nodes for a team of 3; robot-2 is missing"),
        ("many.txt", "0 1\n1 2\n2 3\n", "4 nodes for a team of 3; '3' is not an agent; expected 0..2, or a name"),
        ("who.txt", "0 1\n1 robot-7\n", "3 nodes for a team of 3; 'robot-7' is not an agent"),
        ("twice.txt", "0 1\n1 2\n2 robot-1\n", "4 nodes for a team of 3; an agent occurs by number and"),
        ("loss.txt", "0 1\n1 2 {'loss': 1.5}\n", "edge 1 to 2: loss: input should be less than or equal to 1, got "),
        ("late.txt", "0 1\n1 2 {'delay': -2}\n", "edge 1 to 2: delay: input should be greater than or equal to 0"),
        ("thin.txt", "0 1\n1 2 {'bandwidth': 0}\n", "edge 1 to 2: bandwidth: input should be greater than or equal"),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_clear_line(tmp_path, name, text, words):
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        graph_of(network_table({"kind": "file", "file": str(path)}), 3, names=NAMES)
    assert (
        words in str(caught.value) and str(caught.value).startswith("team.network: ") and "\n" not in str(caught.value)
    )


def test_two_edges_between_the_same_agents_are_refused(tmp_path):
    nx.write_graphml(nx.MultiGraph([("0", "1"), ("0", "1"), ("1", "2")]), tmp_path / "two.graphml")
    with pytest.raises(UsageError, match="two edges between the same nodes"):
        take_in(tmp_path / "two.graphml")


def test_a_lead_is_joined_to_everybody_both_ways():
    for kind in ("complete", "star"):
        check_lead(graph_of(network_table(kind), 6, lead=2), 2)
    with pytest.raises(UsageError, match="no edge from agent 0 to agent 2"):
        check_lead(graph_of(network_table("ring"), 6), 2)
    graph = graph_of(network_table("complete"), 3)
    graph.remove_edge(1, 2)
    with pytest.raises(UsageError, match="no edge from robot-1 to robot-2; expected the lead to hear and reach everyb"):
        check_lead(graph, 1, NAMES)


# -- twins -------------------------------------------------------------------------------------------------------------

EPISODE = """
import hashlib, numpy as np, warnings
from sandbox.engine.coordination import network as post
from sandbox.teams.graphs import graph_of, network_of, network_table
warnings.simplefilter("ignore")  # keyed draws wrap around
table = {"kind": "range", "reach": 4, "most": 5, "loss": 0.3, "delay": 1, "bandwidth": 2}
net, rng, digest = network_of(graph_of(network_table(table), 12)), np.random.default_rng(3), hashlib.sha256()
mail, arrived = post.mail_for(net, 1, 3), np.zeros(12, np.int32)
letters = np.zeros((net.sender.shape[1] * 3, 4), np.int32)
for tick in range(12):
    post.rewire(rng.integers(-1, 9, (1, 12, 2)).astype(np.int32), 0, net)
    post.deliver(np.uint64(5), tick, 0, net, mail, letters, arrived)
    post.open_page(mail, 0, tick)
    for agent, to, act in rng.integers([0, -1, 1], [12, 12, 3], (30, 3)):
        post.say(mail, 0, tick, agent, to, act, 1, 7)
    for array in (net.first, net.sender[0, :net.first[0, -1]], letters, arrived, mail.said, mail.counts):
        digest.update(array.tobytes())
assert mail.counts[0].sum(0).min() > 9, mail.counts[0].sum(0)
print(digest.hexdigest())
"""


def test_compiled_and_plain_python_are_the_same():
    found = []
    for plain in ("0", "1"):
        env = {**os.environ, "NUMBA_DISABLE_JIT": plain}
        done = subprocess.run([sys.executable, "-c", EPISODE], env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]
