"""The wildfire: beside Mesa's forest fire, a large map with a thousand crews, what policies save."""

from functools import partial

import mesa
import numpy as np
from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid

import sandbox
from benchmarks.report import Figure, at_least, table, times
from benchmarks.rounds import Pace, in_turns, seconds
from sandbox.statistics import mean_difference
from sandbox.worlds.wildfire.state import Count, Ground

DENSITY = 0.9
ENDLESS = 1_000_000  # ticks: no measurement gets there


# -- beside Mesa -------------------------------------------------------------------------------------------------------


class Tree(FixedAgent):
    """A tree of Mesa's example, written after its documentation: the installed package does not hold it."""

    def __init__(self, model, cell):
        super().__init__(model)
        self.cell, self.condition = cell, "Fine"

    def step(self):
        if self.condition == "On Fire":
            for neighbour in self.cell.neighborhood.agents:
                if neighbour.condition == "Fine":
                    neighbour.condition = "On Fire"
            self.condition = "Burned Out"


class ForestFire(mesa.Model):
    """Its model, without data collection: trees step in random order; it halts when none is on fire."""

    def __init__(self, side: int, seed: int):
        super().__init__(seed=seed)
        grid = OrthogonalMooreGrid((side, side), torus=False, capacity=1, random=self.random)
        for cell in grid.all_cells:
            if self.random.random() < DENSITY:
                tree = Tree(self, cell)
                if cell.coordinate[0] == 0:
                    tree.condition = "On Fire"

    def step(self):
        self.agents.shuffle_do("step")
        self.running = any(tree.condition == "On Fire" for tree in self.agents)


class FrontierFire(ForestFire):
    """The same, kinder to Mesa than its example: only trees on fire are stepped."""

    def __init__(self, side: int, seed: int):
        super().__init__(side, seed)
        self.burning = [tree for tree in self.agents if tree.condition == "On Fire"]

    def step(self):
        self.random.shuffle(self.burning)
        front = self.burning
        near = {tree for burning in front for tree in burning.cell.neighborhood.agents if tree.condition == "Fine"}
        for tree in front:
            tree.step()
        self.burning = list(near)
        self.running = bool(near)


def burn_mesa(kind: type, side: int, burnt: dict) -> int:
    model = kind(side, 1)
    while model.running:
        model.step()
    burnt["Mesa"] = sum(tree.condition == "Burned Out" for tree in model.agents) / side**2
    return 1


def burn_ours(env, forests: int, burnt: dict) -> int:
    state, _ = env.play(range(forests), "idle")
    burnt["ours"] = (state.land >> 3 == Ground.BURNT).mean()
    return forests


def beside_mesa(quick: bool) -> list[Figure]:
    """Classic forest: planting it and letting it burn out."""
    side, burnt = (150 if quick else 500), {}
    env = sandbox.make("wildfire", classic=True, density=DENSITY, agents=1, height=side, width=side, max_ticks=ENDLESS)
    env.play([0], "idle")
    peer = Pace(f"Mesa's forest fire, {side} x {side}", lambda: burn_mesa(ForestFire, side, burnt))
    front = Pace(f"Mesa's frontier only, {side} x {side}", lambda: burn_mesa(FrontierFire, side, burnt))
    ours = Pace("ours, 1 thread", lambda: burn_ours(env, 20, burnt))
    in_turns(3 if quick else 2, ours, peer, front)
    assert abs(burnt["ours"] - burnt["Mesa"]) < 0.01
    whole, frontier = (pace.figure("forests", cpu=True) for pace in (peer, front))
    return [
        whole, frontier, ours.figure("forests", cpu=True, beside=whole, target=times(100)),
        ours.figure("forests", cpu=True, beside=frontier),
    ]  # fmt: skip


# -- a large map -------------------------------------------------------------------------------------------------------


def large_map(quick: bool) -> list[Figure]:
    """4,096 x 4,096 cells, 1,000 crews by rules: the compiled loop, and the hosted tier with digests."""
    options, rounds = {"layout": "village", "height": 4096, "width": 4096, "max_ticks": ENDLESS}, 2 if quick else 4
    scenario = {"world": {"name": "wildfire", **options}, "agents": [{"count": 1000, "reasoner": "rules"}]}
    model, env = sandbox.Sandbox(scenario, rng=1), sandbox.make("wildfire", agents=1000, **options)
    resets, hosted, digests, compiled = [], [], [], []
    few, many = 20, 120  # ticks of two episodes; one takes so much longer than the other
    env.play([1], "rules", ticks=2)  # compile
    model.step()
    for _ in range(rounds):
        resets.append(seconds(env.reset, [1]))
        spans = [seconds(partial(env.play, [1], "rules", ticks=ticks)) for ticks in (few, many)]
        compiled.append((many - few) / (spans[1] - spans[0]))
        hosted.append(100 / seconds(lambda: [model.step() for _ in range(100)]))
        digests.append(1e3 * seconds(env.digest, model.state))
    name = "4,096 x 4,096 cells, 1,000 crews"
    return [
        Figure(f"{name}, hosted", "ticks/s", hosted, target=at_least(10)),
        Figure(f"{name}, compiled", "ticks/s", compiled), Figure(f"{name}, a digest", "ms", digests),
        Figure(f"{name}, a reset", "s", resets),
    ]  # fmt: skip


# -- what is saved -----------------------------------------------------------------------------------------------------


def saved(env, policy: str, episodes: int) -> np.ndarray:
    """Share of buildings and households saved by the time the fire is out, for each seed."""
    stats = env.play(range(episodes), policy, threads=None)[0].stats
    gone = stats[:, Count.LOST] + stats[:, Count.PERISHED]
    return 1 - gone / (stats[:, Count.BUILDINGS] + stats[:, Count.HOUSEHOLDS])


def shares(quick: bool) -> None:
    episodes, rows = (200 if quick else 1000), []
    for layout in ("village", "valley", "plain"):
        env = sandbox.make("wildfire", layout=layout, agents=6, save=0.0)
        share = {policy: saved(env, policy, episodes) for policy in ("idle", "random", "rules", "oracle")}
        before = "idle"
        for policy, values in share.items():
            told = ""
            if policy in ("rules", "oracle"):
                interval = mean_difference(values - share[before])
                told = f"{interval.low:+.3f} .. {interval.high:+.3f} of {before}"
                before = policy
            rows.append([layout, policy, values.mean(), float((values >= 0.8).mean()), told])
    columns = ["layout", "policy", "saved", "saved at least .8", "paired difference, 95 % interval"]
    table(f"Share of buildings and households saved: 48 x 48, 6 crews, {episodes} seeds", columns, rows)


PEERS = ("mesa", "scipy")
SPEEDS = {"mesa": beside_mesa, "large": large_map}
PARTS = {"saved": shares}
