"""Batches: beside the bare kernel loop, beside ``mesa.batch_run`` of an equal Mesa model, and as they grow."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mesa

import sandbox
from benchmarks.report import Figure, times
from benchmarks.rounds import Pace, in_turns
from sandbox.engine.pool import cores
from sandbox.running.episodes import LANES

CASES = {
    "warehouse": {"layout": "tiny", "agents": 4},
    "kitchen": {"agents": 2},
    "wildfire": {"height": 32, "width": 32, "agents": 4},
    "craft": {"size": 32, "agents": 2, "max_ticks": 300},
    "web": {"layout": "all", "agents": 1},
}
TARGETS = {"web": 0.6}  # of the bare loop; the others .85
GROWTH = """
import re, sys, tempfile, time, sandbox
scenario, trials = eval(sys.argv[1]), int(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    sandbox.batch(scenario, folder + "/warm", trials=2000)
    started = time.perf_counter()
    sandbox.batch(scenario, folder + "/b", trials=trials)
    seconds = time.perf_counter() - started
    told = open("/proc/self/status").read()  # of this program alone; getrusage would count its parent's too
    print(seconds, int(re.search(r"VmHWM:\\s+(\\d+)", told)[1]) / 1024)
"""


def _scenario(world: str) -> dict:
    options = {key: value for key, value in CASES[world].items() if key != "agents"}
    return {"world": {"name": world, **options}, "agents": [{"count": CASES[world]["agents"], "reasoner": "rules"}]}


def _bare(env: sandbox.Environment, trials: int) -> int:
    """The compiled loop over the same lanes on as many threads, its results thrown away."""

    def play(first: int) -> None:
        env.play(range(first, min(first + LANES, trials)), "rules")

    with ThreadPoolExecutor(cores()) as executor:
        list(executor.map(play, range(0, trials, LANES)))
    return trials


def _batch(world: str, trials: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        sandbox.batch(_scenario(world), folder, trials=trials)
    return trials


def throughput(quick: bool) -> list[Figure]:
    """Trials a second of a batch, its database included, beside the bare loop's."""
    figures, rounds = [], 3 if quick else 5
    for world, options in CASES.items():
        env = sandbox.make(world, **options)
        _bare(env, 64)
        trials = {"warehouse": 20_000, "kitchen": 20_000, "web": 2_000_000}.get(world, 5_000) // (4 if quick else 1)
        bare = Pace(f"bare loop, {world}", lambda env=env, trials=trials: _bare(env, trials))
        whole = Pace(f"batch, {world}", lambda world=world, trials=trials: _batch(world, trials))
        in_turns(rounds, bare, whole)
        alone = bare.figure("trials")
        figures += [alone, whole.figure("trials", beside=alone, target=times(TARGETS.get(world, 0.85)))]
    return figures


def growth(quick: bool) -> list[Figure]:
    """Microseconds a trial and peak memory of a small and a large batch, each in a process of its own."""
    figures = []
    for world, sizes in {"web": (10_000, 100_000 if quick else 1_000_000), "warehouse": (1_000, 100_000)}.items():
        small, large = ([] for _ in sizes)
        for _ in range(1 if quick else 3):
            for trials, found in zip(sizes, (small, large), strict=True):
                command = [sys.executable, "-c", GROWTH, repr(_scenario(world)), str(trials)]
                spent, peak = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
                found.append((1e6 * float(spent) / trials, float(peak)))
        for k, unit in enumerate(("us/trial", "MB at most")):
            few = Figure(f"{sizes[0]:,} trials of the {world}", unit, [each[k] for each in small])
            many = [each[k] for each in large]
            figures += [few, Figure(f"{sizes[1]:,} trials of the {world}", unit, many, beside=few)]
    return figures


class Walkers(mesa.Model):
    """Robots of a hall that step at random and count: the least that a Mesa model of a batch does."""

    def __init__(self, agents: int = 4, ticks: int = 120, rng: int | None = None):
        super().__init__(rng=rng)
        self.place = self.rng.integers(0, (10, 11), (agents, 2))
        self.left, self.moved = ticks, 0
        for row in range(agents):
            Walker(self, row)
        self.datacollector = mesa.DataCollector(model_reporters={"moved": "moved"})
        self.datacollector.collect(self)

    def step(self) -> None:
        self.agents.shuffle_do("step")
        self.left -= 1
        self.running = self.left > 0
        self.datacollector.collect(self)


class Walker(mesa.Agent):
    """Takes a step where that stays inside."""

    def __init__(self, model: Walkers, row: int):
        super().__init__(model)
        self.row = row

    def step(self) -> None:
        place = self.model.place[self.row] + ((-1, 0), (1, 0), (0, -1), (0, 1))[self.model.random.randrange(4)]
        if (place >= 0).all() and (place < (10, 11)).all():
            self.model.place[self.row] = place
            self.model.moved += 1


def _mesa(trials: int) -> int:
    mesa.batch_run(
        Walkers,
        {"agents": 4, "ticks": 120},
        iterations=trials,
        max_steps=200,
        number_processes=1,
        display_progress=False,
    )
    return trials


def beside_mesa(quick: bool) -> list[Figure]:
    """Our warehouse with four robots that act at random for 120 ticks, beside a plainer Mesa model of that size."""
    scenario = {"world": {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": 120}}
    scenario["agents"] = [{"count": 4, "reasoner": "random"}]

    def ours() -> int:
        with tempfile.TemporaryDirectory() as folder:
            sandbox.batch(scenario, Path(folder) / "b", trials=20_000, workers=1)
        return 20_000

    ours()
    one, peer = Pace("sandbox.batch, 1 thread", ours), Pace("mesa.batch_run, 1 process", lambda: _mesa(40))
    in_turns(3 if quick else 5, one, peer)
    walking = peer.figure("trials", cpu=True)
    return [walking, one.figure("trials", cpu=True, beside=walking)]


PEERS = ("mesa",)
SPEEDS = {"throughput": throughput, "growth": growth, "mesa": beside_mesa}
