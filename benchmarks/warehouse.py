"""The warehouse: beside rware, by team size, latency of a hosted step."""

import time
from collections.abc import Sequence

import numpy as np
import rware.warehouse as rware

import sandbox
from benchmarks.report import Figure, at_least, at_most, times
from benchmarks.rounds import Pace, in_turns, seconds

EPISODE = 500  # ticks
ENDLESS = 1_000_000  # ticks: no measurement gets there
SCENARIO = {
    "world": {"name": "warehouse", "layout": "small", "deliveries": 0, "max_ticks": ENDLESS},
    "agents": [{"count": 8, "reasoner": "rules"}],
}


# -- beside rware ------------------------------------------------------------------------------------------------------


def play_peer(episodes: int) -> int:
    """rware, layout tiny, 4 robots; its actions are drawn beforehand, at no cost to it."""
    peer_env = rware.Warehouse(3, 8, 1, 4, 0, 1, 4, None, EPISODE, rware.RewardType.INDIVIDUAL)
    actions = np.random.default_rng(0).integers(0, 5, (EPISODE, 4)).tolist()
    for episode in range(episodes):
        peer_env.reset(seed=episode)
        for joint in actions:
            peer_env.step(joint)
    return episodes * EPISODE


def play_ours(env, episodes: int, threads: int) -> int:
    """The same of ours, with drawing the actions, and with setting the episodes up."""
    state, _ = env.play(range(episodes), "random", threads=threads)
    return int(state.tick.sum())


def beside_rware(quick: bool) -> list[Figure]:
    """Joint steps: tiny, 4 robots, random actions, observations included, episodes of 500 ticks."""
    env = sandbox.make("warehouse", layout="tiny", agents=4, board=False, deliveries=0, max_ticks=EPISODE)
    env.play([0], "random")
    episodes = 1000 if quick else 4000
    peer = Pace("rware 2.0.0, tiny, 4 robots", lambda: play_peer(2 if quick else 8))
    one = Pace("ours, 1 thread", lambda: play_ours(env, episodes, 1))
    two = Pace("ours, 2 threads", lambda: play_ours(env, episodes, 2))
    in_turns(3 if quick else 5, peer, one, two)
    rware, alone = peer.figure("joint steps"), one.figure("joint steps")
    return [
        rware, one.figure("joint steps", beside=rware, target=times(1000)),
        two.figure("joint steps", beside=alone, target=times(1.9)),
    ]  # fmt: skip


# -- by team size ------------------------------------------------------------------------------------------------------


def courier_map(side: int, seed: int = 0) -> str:
    """A movingai map with a tenth of its cells closed."""
    closed = np.random.default_rng(seed).random((side, side)) < 0.1
    rows = ["".join("@" if cell else "." for cell in row) for row in closed]
    return "\n".join(["type octile", f"height {side}", f"width {side}", "map", *rows])


def costs(policies: Sequence[str], agents: int, side: int, quick: bool) -> dict[str, list[float]]:
    """CPU nanoseconds a robot and tick of teams on a courier map with a tenth of its cells closed, by round.

    An episode of n ticks more takes so much longer than one in which deliveries have just spread over the ticks.
    """
    options = {"layout": courier_map(side), "deliveries": 0, "max_ticks": ENDLESS}
    env, settle = sandbox.make("warehouse", agents=agents, **options), 20 if quick else 2 * side
    more = max(settle, (100_000 if quick else 2_000_000) // agents)

    def cpu(policy: str, ticks: int) -> float:
        begun = time.process_time()
        env.play([1], policy, ticks=ticks)
        return time.process_time() - begun

    found = {policy: [] for policy in policies}
    for _ in range(3):
        for policy, own in found.items():
            own.append(1e9 * (cpu(policy, settle + more) - cpu(policy, settle)) / (more * agents))
    return found


def by_team_size(quick: bool) -> list[Figure]:
    """Cost by team size on one map, 500 x 500 cells unless quick, one thread."""
    side, sizes = (158, (10, 1_000)) if quick else (500, (10, 10_000))
    policies, figures = ("random", "rules", "oracle"), []
    for policy in policies:
        sandbox.make("warehouse", agents=2, layout=courier_map(8)).play([1], policy, ticks=2)  # compile
    found = {agents: costs(policies, agents, side, quick) for agents in sizes}
    for policy in policies:
        few, many = (
            Figure(f"{agents:,} robots, {side} x {side}, {policy}", "CPU ns/robot-tick", found[agents][policy])
            for agents in sizes
        )
        figures += [few, many._replace(beside=few, target=at_most(2, of_ratio=True))]
    rates = [1e9 / (cost * sizes[-1]) for cost in many.values]
    return [*figures, Figure(many.name, "ticks/CPU s", rates, target=at_least(10))]


def crowd(quick: bool) -> list[Figure]:
    """100,000 robots by rules on 2,000 x 2,000 cells, a tenth as many if quick: the hosted tier, with digests."""
    agents, side = (10_000, 632) if quick else (100_000, 2_000)
    world = {"name": "warehouse", "layout": courier_map(side), "deliveries": 0, "max_ticks": ENDLESS}
    model = sandbox.Sandbox({"world": world, "agents": [{"count": agents, "reasoner": "rules"}]}, rng=1)

    def step(ticks: int) -> int:
        for _ in range(ticks):
            model.step()
        return ticks

    first, pace = seconds(step, 1), Pace(f"{agents:,} robots, {side:,} x {side:,}, rules, hosted", lambda: step(10))
    step(20)
    in_turns(3, pace)
    assert model.error is None
    return [
        pace.figure("ticks", target=at_least(1)), pace.figure("ticks", cpu=True),
        Figure(f"{pace.name}, first tick", "s", [first]),
    ]  # fmt: skip


# -- latency -----------------------------------------------------------------------------------------------------------


def hosted_step(quick: bool) -> list[Figure]:
    """Sandbox.step() with 8 rule robots."""
    model = sandbox.Sandbox(SCENARIO, rng=1)
    steps = 500 if quick else 5000
    for _ in range(200):
        model.step()
    rounds = [[1e6 * seconds(model.step) for _ in range(steps)] for _ in range(5)]
    assert model.error is None and model.running
    middle, late = ([float(np.quantile(times, share)) for times in rounds] for share in (0.5, 0.95))
    return [
        Figure("hosted step, 8 rule robots: median", "us", middle, target=at_most(300)),
        Figure("hosted step, 8 rule robots: 95th percentile", "us", late),
    ]


PEERS = ("rware",)
SPEEDS = {"rware": beside_rware, "teams": by_team_size, "crowd": crowd, "step": hosted_step}
