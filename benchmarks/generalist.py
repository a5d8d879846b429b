"""One agent for many worlds, told in words: does it obey, and is it the words? Beside controls that hear less.

All arms are tested on the same tasks (``analysis.instructed.tasks``), on seeds that no training saw. Trainings that are
missing in ``runs/learn`` are made first, which needs the extras ``learn`` and ``embed``; they share demonstrations.
"""

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import permutation_test

from benchmarks.pages import number, share, show
from benchmarks.report import console
from sandbox.agents import wordllama
from sandbox.analysis.instructed.demonstrations import Place
from sandbox.analysis.instructed.plans import instructed
from sandbox.analysis.instructed.tasks import Chance, Listening, Shown, Tasks, obeyed, tasks
from sandbox.engine.registry import find
from sandbox.nets.generalist import SENTENCE, Generalist
from sandbox.nets.weights import read, shipped
from sandbox.statistics import Estimate, clustered_rate, mean_difference

PEERS = ()
PAGE, RUNS = "learning.md", Path("runs/learn")
FRESH, SEEDS, STARTS = 980_000, 400, 20  # seeds that are tried, and starts of each place
HELD_OUT = -1  # the paraphrase
ARMS = ("generalist", "specialists", "no language", "shuffled language", "random actions", "demonstrator")
DRAWS = 9_999  # permutations


@dataclass(frozen=True, eq=False)
class Test:
    """The tasks of one place, with the vectors of all paraphrases (G, P, S)."""

    place: Place
    tasks: Tasks
    sentences: np.ndarray
    name: str
    first: int  # number of its first start among all

    def told(self, agent: Generalist, text: int, said: np.ndarray | None = None) -> np.ndarray:
        """(n,) whether the agent obeyed, when it was told the paraphrase; ``said`` (n,): of other instructions."""
        vectors = self.sentences[self.tasks.goal if said is None else said, text]
        return obeyed(self.place, self.tasks, Listening(agent, self.place, vectors, self.dice()))

    def dice(self) -> np.random.Generator:
        return np.random.default_rng(FRESH)


@cache
def tests(held_out: bool, quick: bool) -> tuple[Test, ...]:
    """The tests of all places of all worlds that it has learned, or of those that were held out."""
    found: list[Test] = []
    for world, senses in net().senses.items():
        known = instructed(find(world))
        vectors = np.stack([wordllama.embed(each.texts) for each in known.instructions])
        for options in known.held_out if held_out else known.places:
            place = Place.of(world, options, senses)
            own = tasks(place, range(FRESH, FRESH + SEEDS), 3 if quick else STARTS)
            first = sum(int(each.tasks.start.max(initial=-1)) + 1 for each in found)
            found.append(Test(place, own, vectors, f"{world}, {options.get('layout', options.get('size'))}", first))
    return tuple(found)


@cache
def net(arm: str = "generalist") -> Generalist:
    """The shipped net, or that of another arm."""
    return Generalist(read(shipped("generalist") if arm == "generalist" else _trained(arm)))


def _trained(arm: str) -> Path:
    """The weights of an arm: as many steps as the shipped net, from the same demonstrations."""
    folder = RUNS / f"generalist-{arm.replace(' ', '-')}"
    if not (path := folder / "weights.safetensors").exists():
        how = {"no language": ["--language", "none"], "shuffled language": ["--language", "shuffled"]}
        told = [str(part) for part in ("--steps", net().card["steps"], "--chunks", net().card["chunks"])]
        shared = ["--demonstrations", str(RUNS / "demonstrations"), "--seconds", "1000000", "--out", str(folder)]
        command = [sys.executable, "-m", "sandbox", "learn", "generalist", *how.get(arm, [arm]), *told, *shared]
        subprocess.run(command, check=True)
    return path


def arm(name: str, test: Test, text: int = 0) -> np.ndarray:
    """(n,) what an arm obeys in a test."""
    if name == "random actions":
        return obeyed(test.place, test.tasks, Chance(test.dice()))
    if name == "demonstrator":
        return obeyed(test.place, test.tasks, Shown(test.tasks))
    if name == "specialists":
        return test.told(net(test.place.env.world.name), text)
    agent = net(name)
    if name == "no language":
        silence = np.zeros((len(test.tasks), SENTENCE))
        return obeyed(test.place, test.tasks, Listening(agent, test.place, silence, test.dice()))
    return test.told(agent, text)


def _rate(own: tuple[Test, ...], good: list[np.ndarray]) -> Estimate:
    """The share of tasks that are obeyed, clustered by start."""
    starts, right = _by_start(own, good)
    return clustered_rate(right, starts)


def _by_start(own: tuple[Test, ...], good: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The tasks of each start, and how many of them are obeyed."""
    start = np.concatenate([test.first + test.tasks.start for test in own])
    return np.bincount(start).astype(float), np.bincount(start, np.concatenate(good))


def words(quick: bool) -> None:
    """All arms, and how the generalist differs from each, paired by start, with a permutation test."""
    own, rows = tests(False, quick), []
    ours = [arm("generalist", test) for test in own]
    for name in ARMS:
        good = ours if name == "generalist" else [arm(name, test) for test in own]
        rows.append([f"{name}", *_against(own, ours, good)])
    unheard = [arm("generalist", test, HELD_OUT) for test in own]
    rows.append(["generalist, held-out paraphrase", *_against(own, ours, unheard)])
    other = [_other(test) for test in own]
    rows.append(["generalist, told another instruction", *_against(own, ours, other)])
    show(PAGE, "obeyed", ["arm", "tasks", "obeyed", "less than the generalist", "p"], rows, quick)


def _other(test: Test) -> np.ndarray:
    """Told another instruction of the same start: how often it does the first one all the same."""
    goals, said = test.tasks.goal, np.empty_like(test.tasks.goal)
    for start in np.unique(test.tasks.start):
        rows = np.flatnonzero(test.tasks.start == start)
        said[rows] = np.roll(goals[rows], -1)
    return test.told(net(), 0, said)


def _against(own: tuple[Test, ...], ours: list[np.ndarray], good: list[np.ndarray]) -> list[str]:
    rate, tasks_ = share(_rate(own, good)), str(sum(map(len, good)))
    if good is ours:
        return [tasks_, rate, "", ""]
    starts, best = _by_start(own, ours)
    difference = (best - _by_start(own, good)[1]) / starts
    gap = mean_difference(difference)
    found = permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=DRAWS, rng=0)
    low, high = number(100 * gap.low, 0), number(100 * gap.high, 0)
    return [tasks_, rate, f"{number(100 * gap.value, 0)} ({low} .. {high})", f"{found.pvalue:.4f}"]


def places(quick: bool) -> None:
    """Each place alone, those that were held out at the end."""
    rows = []
    for held_out in (False, True):
        for test in tests(held_out, quick):
            if len(test.tasks):
                one = (Test(test.place, test.tasks, test.sentences, test.name, 0),)
                names = ("generalist", "specialists", "random actions")
                rates = [share(_rate(one, [arm(name, test)])) for name in names]
                rows.append([test.name + ", held out" * held_out, str(len(test.tasks)), *rates])
        own = tests(held_out, quick)
        rates = [share(_rate(own, [arm(name, test) for test in own])) for name in names]
        total = "**all held-out places**" if held_out else "**all places of the training**"
        rows.append([total, str(sum(len(test.tasks) for test in own)), *rates])
    show(PAGE, "told", ["world, place", "tasks", "generalist", "specialist", "random actions"], rows, quick)
    console.print(f"{FRESH} + up to {SEEDS} seeds, {STARTS} starts of each place")


PARTS = {"words": words, "places": places}
