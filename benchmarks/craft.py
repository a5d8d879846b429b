"""Craft: beside crafter, the profile of random play, the Crafter score of our policies beside published agents."""

import time

import crafter
import numpy as np

import sandbox
from benchmarks.report import Figure, at_least, show, table, times
from benchmarks.rounds import Pace, in_turns, seconds
from sandbox.engine.play import Due
from sandbox.worlds.craft.state import Achievement

NAMES = [a.name.lower() for a in Achievement]
PUBLISHED = {  # score %, reward of an episode: Hafner 2021, 2023; Wu and others 2023
    "random": (1.6, 2.1), "Rainbow": (4.3, 6.0), "PPO": (4.6, 4.2), "DreamerV2": (10.0, 9.0), "DreamerV3": (14.5, 11.7),
    "SPRING (language model)": (27.3, 12.3), "human": (50.5, 14.3),
}  # fmt: skip
PROFILE = {  # % of episodes of the random agent, Hafner 2021
    "wake_up": 93.6, "collect_sapling": 50.2, "place_plant": 44.6, "collect_wood": 24.4, "place_table": 4.4,
}  # fmt: skip
LENGTH = 168  # steps of an episode of the random agent


def score(share: np.ndarray) -> float:
    """The Crafter score in percent of the success rates (22,) in percent."""
    return float(np.expm1(np.log1p(share).mean()))


# -- beside crafter ----------------------------------------------------------------------------------------------------


class Blind(crafter.Env):
    """Crafter with rendering and the semantic view switched off."""

    def __init__(self, seed: int):
        super().__init__(seed=seed)
        self.render = self._sem_view = lambda *_: None
        self.reset()


class Walk:
    """Random play in crafter, in one episode that never ends."""

    def __init__(self, peer_env: crafter.Env):
        self.peer_env, self.actions = peer_env, np.random.default_rng(0)

    def play(self, steps: int) -> int:
        for action in self.actions.integers(0, 17, steps):
            self.peer_env._player.inventory["health"] = 9  # nobody dies: crafter's reset takes most of a second
            self.peer_env.step(int(action))
        return steps


class Lanes:
    """The same of ours: many episodes, set up beforehand, in one call a tick, with observations."""

    def __init__(self, env, lanes: int):
        self.env, self.lanes, self.round, self.state = env, lanes, 0, env.allocate(lanes)
        _, self.loops = env.assign_policies([None])
        self.parts = env.stats(lanes), env.params, env.faults(lanes)
        self.observation = env.observation(lanes)
        self.actions = np.zeros((64, lanes, 1, 2), np.int32)
        self.actions[..., 0] = np.random.default_rng(0).integers(0, 17, (64, lanes, 1))

    def set_up(self) -> None:
        self.round += 1
        self.env.reset(range(self.round * self.lanes, (self.round + 1) * self.lanes), self.state)

    def play(self, ticks: int) -> int:
        """So many ticks, fewer of those who die before."""
        before = int(self.state.tick.sum())
        for tick in range(ticks):
            due = np.where(self.state.done == 0, Due.TICK, Due.WAIT).astype(np.int8)
            self.loops.turn(self.state, self.observation, self.actions[tick % 64], *self.parts, due)
        return int(self.state.tick.sum()) - before


def beside_crafter(quick: bool) -> list[Figure]:
    """Steps without setting up: one player, 64 x 64, uniform random verbs, drawn beforehand."""
    env, walk = sandbox.make("craft", agents=1, goal="none", max_ticks=10_000), Walk(Blind(0))
    watched = Walk(crafter.Env(seed=0))
    watched.peer_env.reset()
    lanes = Lanes(env, 300 if quick else 1000)
    lanes.set_up()
    lanes.play(1)  # compile
    seeing = Pace("crafter 1.8.3 with its picture", lambda: watched.play(150 if quick else 500))
    peer = Pace("crafter 1.8.3 without rendering", lambda: walk.play(1500 if quick else 5000))
    ours = Pace("ours, 1 thread, with observations", lambda: lanes.play(150))
    for _ in range(3 if quick else 5):
        lanes.set_up()
        in_turns(1, seeing, peer, ours)
    pictured, blind = (pace.figure(cpu=True) for pace in (seeing, peer))
    begun = Figure("crafter 1.8.3 setting an episode up", "ms", [1e3 * seconds(Blind, 5) for _ in range(3)])
    resets = [1e3 * seconds(env.reset, range(200)) / 200 for _ in range(3)]
    return [
        pictured, blind, ours.figure(cpu=True, target=at_least(800_000)),
        ours.figure(cpu=True, beside=blind, target=times(3000)), ours.figure(cpu=True, beside=pictured),
        begun, Figure("ours, setting an episode up", "ms", resets, beside=begun),
    ]  # fmt: skip


# -- the profile of random play ----------------------------------------------------------------------------------------


def peer_episodes(episodes: int) -> tuple[np.ndarray, np.ndarray]:
    """(lengths, unlocked (episodes, 22)) of uniform random play in crafter itself."""
    rng, lengths, unlocked = np.random.default_rng(1), [], []
    peer_env = Blind(77)
    for _ in range(episodes):
        peer_env.reset()
        done = False
        while not done:
            _, _, done, info = peer_env.step(int(rng.integers(17)))
        lengths.append(peer_env._step)
        unlocked.append([info["achievements"][name] > 0 for name in NAMES])
    return np.array(lengths), np.array(unlocked)


def random_profile(quick: bool) -> None:
    env, episodes = sandbox.make("craft", agents=1, goal="none", max_ticks=10_000), 2000 if quick else 10_000
    state, _ = env.play(range(episodes), "uniform", threads=None)
    lengths, unlocked = peer_episodes(20 if quick else 300)
    ours, theirs = 100 * (state.achieved[:, 0] > 0).mean(axis=0), 100 * unlocked.mean(axis=0)
    rows = [["episode length", float(LENGTH), float(state.tick.mean()), float(lengths.mean()), float(lengths.std())]]
    for name, published in PROFILE.items():
        k = NAMES.index(name)
        rows.append([f"{name} %", published, float(ours[k]), float(theirs[k]), float(100 * unlocked[:, k].std())])
    for row in rows:
        row[4] = row[4] / len(lengths) ** 0.5
    rows.append(["score %", 1.6, score(ours), score(theirs), ""])
    title = f"Random play: {episodes:,} episodes of ours, {len(lengths)} of crafter 1.8.3 here"
    table(title, ["", "published", "ours", "crafter here", "its standard error"], rows)


# -- scores ------------------------------------------------------------------------------------------------------------


def scores(quick: bool) -> None:
    env, episodes = sandbox.make("craft", agents=1, goal="none", max_ticks=10_000), 100 if quick else 1000
    rows, shares = [], {}
    for policy in ("uniform", "random", "rules", "oracle"):
        start = time.perf_counter()
        state, stats = env.play(range(episodes), policy, threads=None)
        spent = time.perf_counter() - start
        share = shares[policy] = 100 * (state.achieved[:, 0] > 0).mean(axis=0)
        iron = float(share[Achievement.MAKE_IRON_PICKAXE])
        reward, steps = float(stats.reward.mean()), float(state.tick.mean())
        rows.append([policy, "ours", score(share), reward, iron, steps, steps * episodes / spent])
    rows += [[name, "published", *figures, "", "", ""] for name, figures in PUBLISHED.items()]
    columns = ["agent", "source", "score %", "reward", "iron pickaxe %", "steps", "steps/s, all threads"]
    table(f"Crafter score, {episodes:,} episodes each (the published ones: over 1M steps of training)", columns, rows)
    rows = [[name, *(float(share[k]) for share in shares.values())] for k, name in enumerate(NAMES)]
    table("Success by achievement, %", ["achievement", *shares], rows)
    iron = [float(shares["rules"][Achievement.MAKE_IRON_PICKAXE])]
    show("Targets", [Figure("rules reach an iron pickaxe", "% of episodes", iron, target=at_least(50))])


PEERS = ("crafter",)
SPEEDS = {"crafter": beside_crafter}
PARTS = {"random": random_profile, "scores": scores}
