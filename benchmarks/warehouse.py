"""The warehouse: beside rware, by team size, latency of a hosted step."""

from statistics import median

import numpy as np
import rware.warehouse as rware

import sandbox
from benchmarks.pace import Pace, seconds
from benchmarks.report import console, met, table

EPISODE = 500  # ticks
ENDLESS = 1_000_000  # ticks: no measurement gets there
DENSITY = 0.04  # robots for each cell of a courier map
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


def beside_rware(quick: bool) -> None:
    env = sandbox.make("warehouse", layout="tiny", agents=4, board=False, deliveries=0, max_ticks=EPISODE)
    env.play([0], "random")
    episodes = 1000 if quick else 4000
    peer = Pace("rware 2.0.0", lambda: play_peer(2 if quick else 8))
    one = Pace("ours, 1 thread", lambda: play_ours(env, episodes, 1))
    two = Pace("ours, 2 threads", lambda: play_ours(env, episodes, 2))
    for _ in range(2 if quick else 5):  # in turn: what else the machine does hits all alike
        for pace in (peer, one, two):
            pace.run()
    targets = {peer: "", one: met(one.rate / peer.rate, 1000), two: f"{two.rate / one.rate:.2f} x one thread; aim 2"}
    rows = [
        [p.name, p.rate, min(p.rates()), max(p.rates()), p.rate / peer.rate, p.cores, p.cpu_rate, targets[p]]
        for p in (peer, one, two)
    ]
    columns = ["", "steps/s", "least", "most", "x rware", "cores", "steps/CPU s", "target"]
    table("Joint steps: tiny, 4 robots, random actions, observations included, episodes of 500 ticks", columns, rows)


# -- by team size ------------------------------------------------------------------------------------------------------


def courier_map(side: int, seed: int = 0) -> str:
    """A movingai map with a tenth of its cells closed."""
    closed = np.random.default_rng(seed).random((side, side)) < 0.1
    rows = ["".join("@" if cell else "." for cell in row) for row in closed]
    return "\n".join(["type octile", f"height {side}", f"width {side}", "map", *rows])


class Episode:
    """One lane that is played on and on."""

    def __init__(self, policy: str, agents: int, **options):
        self.env = sandbox.make("warehouse", agents=agents, deliveries=0, max_ticks=ENDLESS, **options)
        self.agents, env = agents, self.env
        assignment, loops = env.assign_policies([policy] * agents)
        self.loop, trace = loops.play, np.zeros((1, 0, 32), np.uint8)
        actions = np.zeros((1, agents, 2), np.int32)
        self.state, parts = env.reset([1]), (env.observation(1), env.memory(1), actions, env.stats(1), assignment)
        self.play = lambda ticks: self.loop(self.state, *parts, env.params, env.faults(1), 0, 1, ticks, trace)


def team_row(policy: str, agents: int, quick: bool) -> list:
    """First tick and steady ticks of one team, on a courier map that grows with it."""
    side = round((agents / DENSITY) ** 0.5)
    episode = Episode(policy, agents, layout=courier_map(side))
    first = seconds(episode.play, 1)
    settle, ticks = (20, 10) if quick else (2 * side, max(50, 200_000 // agents))
    episode.play(settle)  # until deliveries have spread over the ticks
    chunk = median(seconds(episode.play, ticks) / ticks for _ in range(3))
    delivered = int(episode.state.delivered[0])
    return [policy, agents, f"{side} x {side}", first, 1 / chunk, 1e9 * chunk / agents, delivered]


def by_team_size(quick: bool) -> None:
    sizes = (10, 100, 1000) if quick else (10, 100, 1000, 10_000)
    for policy in ("rules", "oracle"):
        Episode(policy, 2, layout=courier_map(8)).play(2)  # compile
    rows = [team_row(policy, agents, quick) for policy in ("rules", "oracle") for agents in sizes]
    columns = ["policy", "robots", "map", "first tick s", "ticks/s", "ns/robot-tick", "deliveries"]
    table("Cost by team size: courier maps of equal density, 10 % closed, one thread, settled", columns, rows)
    for policy in ("rules", "oracle"):
        costs = [row[5] for row in rows if row[0] == policy]
        growth = costs[-1] / costs[0]
        console.print(f"{policy}: {sizes[0]} to {sizes[-1]:,} robots: x {growth:.2f}; {met(growth, 2, at_least=False)}")
    if not quick:
        console.print(f"oracle, 10,000 robots: {rows[-1][4]:.1f} ticks/s; {met(rows[-1][4], 10)}")


# -- latency -----------------------------------------------------------------------------------------------------------


def hosted_step(quick: bool) -> None:
    model = sandbox.Sandbox(SCENARIO, rng=1)
    steps = 500 if quick else 5000
    for _ in range(200):
        model.step()
    times = sorted(1e6 * seconds(model.step) for _ in range(steps))
    assert model.error is None and model.running
    row = [median(times), times[int(0.95 * steps)], met(median(times), 300, at_least=False)]
    table("Sandbox.step() with 8 rule robots, microseconds", ["median", "95th percentile", "target"], [row])


PEERS = ("rware",)
PARTS = {"rware": beside_rware, "teams": by_team_size, "step": hosted_step}
