"""Our warehouse against the rware package, step by step: it is the record.

The peer draws its new requests with our dice (``_draw_as_we_do``), so that nothing is brought in line after a delivery:
every field is compared at every step of one unbroken episode. Ties between equally long chains are decided by the order
of Python sets in rware; they are compared too.
"""

import networkx as nx
import numpy as np
import pytest
import rware.warehouse as rware

import sandbox
from sandbox.engine.draw import below
from sandbox.worlds.warehouse.dynamics.conflicts import resolve
from sandbox.worlds.warehouse.state import Facing, Stream

SIZES = {"tiny": (1, 3), "small": (2, 3), "medium": (2, 5), "large": (3, 5)}
SEEDS, STEPS = 8, 500  # rware takes a minute for twelve seeds more


def _peer(layout, agents, reward, requests):
    rows, columns = SIZES[layout]
    peer_env = rware.Warehouse(columns, 8, rows, agents, 0, 1, requests, None, None, reward)
    peer_env.reset(seed=0)
    return peer_env


def _align(peer_env, described):
    """Put the peer into the described situation."""
    for robot, given in zip(peer_env.agents, described["agents"], strict=True):
        robot.x, robot.y = given["col"], given["row"]
        robot.dir = rware.Direction(Facing[given["facing"].upper()])
        robot.carrying_shelf = peer_env.shelfs[given["carrying"] - 1] if given["carrying"] else None
    for shelf, given in zip(peer_env.shelfs, described["shelves"], strict=True):
        shelf.x, shelf.y = given["col"], given["row"]
    peer_env.request_queue = [peer_env.shelfs[k - 1] for k in described["requests"]]
    peer_env._recalc_grid()


def _view(peer_env, rewards):
    """The peer in the terms of ``describe``."""
    return {
        "agents": [
            (a.y, a.x, rware.Direction(a.dir).value, a.carrying_shelf.id if a.carrying_shelf else None, a.has_delivered)
            for a in peer_env.agents
        ],
        "shelves": [(s.y, s.x) for s in peer_env.shelfs],
        "requests": [s.id for s in peer_env.request_queue],
        "reward": list(rewards),
    }


def _ours(env, state):
    d = env.describe(state)
    return {
        "agents": [
            (a["row"], a["col"], Facing[a["facing"].upper()].value, a["carrying"], a["delivering"]) for a in d["agents"]
        ],
        "shelves": [(s["row"], s["col"]) for s in d["shelves"]],
        "requests": d["requests"],
        "reward": d["reward"],
    }


def _draw_as_we_do(peer_env, env, state):
    """Give the peer a generator whose ``choice`` is our draw for the board's place that is being refilled."""
    tick = int(state.tick[0])

    class Generator:
        def __init__(self):
            self.left = list(peer_env.goals)

        def choice(self, candidates):
            while True:  # the goals are looked at in order; find the one that asks
                x, y = self.left.pop(0)
                found = [k for k, s in enumerate(peer_env.request_queue) if (s.x, s.y) == (x, y)]
                if found:
                    return candidates[below(len(candidates), state.seed[0], tick, Stream.REQUEST, found[0])]

    peer_env._np_random = Generator()


def _flat(obs):
    """RWARE's flattened observations (N, 8 + 7 for each of the 9 cells) from ours."""
    window, vector = obs.window[0].transpose(0, 2, 3, 1), obs.vector[0].copy()
    vector[:, :2] = obs.vector[0, :, 1::-1]  # rware: x, y, carrying, direction, highway
    direction = np.eye(4)[np.maximum(0, window[..., 1].astype(int) - 1)]
    cells = np.concatenate([window[..., :1], direction, window[..., 2:4]], axis=-1)
    return np.hstack([vector, cells.reshape(len(cells), -1)]).astype(np.float32)


def _compare(layout, agents, seed, reward_name, env, choose, steps=STEPS):
    """Play both for ``steps`` and compare everything at every step; returns (deliveries, refused moves) of ours."""
    state = env.reset([seed])
    peer_env = _peer(layout, agents, rware.RewardType[reward_name.upper()], env.params.requests)
    _align(peer_env, env.describe(state))
    obs, refused, seen = env.observation(1), 0, [peer_env._make_obs(robot) for robot in peer_env.agents]
    for step in range(steps):
        env.observe(state, obs)
        assert np.array_equal(_flat(obs), np.stack(seen)), (layout, agents, seed, step)
        actions = choose(state, obs, step)
        _draw_as_we_do(peer_env, env, state)
        seen, rewards, *_ = peer_env.step([int(verb) for verb in actions[:, 0]])
        env.step(state, actions[None])
        refused += int(state.refused.sum())
        assert _ours(env, state) == _view(peer_env, rewards), (layout, agents, seed, step)
    return int(state.delivered[0]), refused


def _random(rng, agents):
    def choose(state, obs, step):
        actions = np.zeros((agents, 2), np.int32)
        actions[:, 0] = rng.integers(0, 5, agents)
        return actions

    return choose


def _make(layout, agents, reward="individual", requests=None):
    options = {"board": False, "deliveries": 0, "max_ticks": 1000, "reward": reward, "requests": requests}
    return sandbox.make("warehouse", layout=layout, agents=agents, **options)


@pytest.mark.parametrize("agents", [2, 4, 8])
@pytest.mark.parametrize("layout", list(SIZES))
def test_random_play_is_equal_at_every_step(layout, agents):
    """4 layouts x {2, 4, 8} robots x 8 seeds x 500 random joint steps, observations included."""
    env = _make(layout, agents)
    for seed in range(SEEDS):
        _compare(layout, agents, seed, "individual", env, _random(np.random.default_rng(seed), agents))


@pytest.mark.parametrize("reward", ["global", "individual", "two_stage"])
def test_play_that_delivers_is_equal(reward):
    """The oracle's and the rules' joint play, so that loads, goals, requests and rewards are really exercised."""
    for policy in ("oracle", "rules"):
        env = _make("tiny", 6, reward)
        assignment, loops = env.assign_policies([policy] * 6)
        memory, actions = env.memory(1), np.zeros((1, 6, 2), np.int32)

        def choose(state, obs, step):
            loops.choose(state, obs, 0, env.params, memory, assignment, actions)
            return actions[0].copy()

        delivered, _ = _compare("tiny", 6, 5, reward, env, choose)
        assert delivered > 10


def test_crowds_are_equal():
    """Forward in a crowd: chains, cycles, ties and swaps at nearly every step."""
    agents = 40
    env = _make("tiny", agents, requests=8)
    refused = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)

        def choose(state, obs, step):
            actions = np.zeros((agents, 2), np.int32)
            actions[:, 0] = rng.choice(5, agents, p=[0.02, 0.66, 0.14, 0.14, 0.04])
            return actions

        refused += _compare("tiny", agents, seed, "individual", env, choose, steps=250)[1]
    assert refused > 10_000


def _crowd(rng, side, agents):
    """Robots anywhere, nearly all of which want to enter some neighbouring cell: who stands where, aims, places."""
    own = rng.permutation(side * side)[:agents]
    pos = np.column_stack(divmod(own, side)).astype(np.int32)
    to = pos + rng.choice([(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)], agents, p=[0.24, 0.24, 0.24, 0.24, 0.04])
    aim = np.where(((to >= 0) & (to < side)).all(axis=1), to[:, 0] * side + to[:, 1], own).astype(np.int32)
    agent_at = np.zeros((side, side), np.int32)
    agent_at[*pos.T] = np.arange(agents) + 1
    return agent_at, aim, pos


def _stay(agent_at, aim, pos):
    """Who wants to move and may not, by graphs: a naive twin of ``conflicts.resolve``."""
    here, there = (
        [divmod(cell, len(agent_at))[::-1] for cell in cells] for cells in (_cells(agent_at, pos), aim.tolist())
    )
    graph, go = nx.DiGraph(zip(here, there, strict=True)), set()
    for nodes in nx.weakly_connected_components(graph):
        part = graph.subgraph(nodes).copy()
        if nx.is_directed_acyclic_graph(part):
            go.update(nx.dag_longest_path(part))
        elif len(ring := nx.find_cycle(part)) > 2:
            go.update(start for start, _ in ring)
    return [a != b and a not in go for a, b in zip(here, there, strict=True)]


def _cells(agent_at, pos):
    return (pos[:, 0] * len(agent_at) + pos[:, 1]).tolist()


def test_crowds_of_any_size_are_settled_as_graphs_settle_them():
    """Components of a few cells up to most of the hall: ties are broken by the order of either set."""
    tied = 0
    for seed in range(240):
        rng = np.random.default_rng(seed)
        side = int(rng.integers(3, 40 if seed < 40 else 6))
        crowd = _crowd(rng, side, max(2, int(rng.uniform(0.2, 0.95) * side * side)))
        ours = (crowd[1] != _cells(crowd[0], crowd[2])).astype(np.int8)
        by_number = ours.copy()
        resolve(*crowd, ours, True)
        resolve(*crowd, by_number, False)
        np.testing.assert_array_equal(ours, _stay(*crowd), f"seed {seed}")
        tied += (ours != by_number).any()
    assert tied > 20
