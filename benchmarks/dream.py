"""Dreamed worlds: what the codes explain and mean, with controls; codes forced; goals reached in the true kernel.

Controls that are missing in ``runs/learn`` are trained first, which needs the extra ``learn``; the dream itself is the
one that the package ships.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.pages import show
from benchmarks.report import console
from sandbox.analysis.dreams.goals import attempts, scored
from sandbox.analysis.dreams.measures import forced, joined_pairs, keys, labelled, measure, trials
from sandbox.nets.dream import Dream
from sandbox.nets.weights import read, shipped
from sandbox.statistics import Estimate

PEERS, WORLD = (), "craft"
PAGE, RUNS, SECONDS = "learning.md", Path("runs/learn"), 60
FRESH, LABELLED_SEED = 930_000, 810_000
CONTROLS = {  # options of ``sandbox learn dream``
    "another seed": ["--seed", "0"],
    "a third seed": ["--seed", "2"],
    "one code": ["--seed", "1", "--codes", "1"],
    "shuffled pairs": ["--seed", "1", "--shuffled"],
}


def dreams() -> dict[str, Dream]:
    """The shipped dream and its controls."""
    found = {"shipped": Dream(read(shipped(f"dream-{WORLD}")))}
    for control, options in CONTROLS.items():
        folder = RUNS / f"dream-{control.replace(' ', '-')}"
        if not (path := folder / "weights.safetensors").exists():
            command = [sys.executable, "-m", "sandbox", "learn", "dream", WORLD, "--seconds", str(SECONDS)]
            subprocess.run([*command, *options, "--out", folder], check=True)
        found[control] = Dream(read(path))
    return found


def codes(quick: bool) -> None:
    """What the codes explain and mean, on episodes of another policy."""
    told = joined_pairs(trials(WORLD, range(FRESH, FRESH + (4 if quick else 40)), "oracle", 0.1))
    rows = []
    for name, dream in dreams().items():
        found = measure(dream, told)
        shares = found.inferred, found.random, found.delta, found.frames, found.random_frames
        rows.append([name, *map(share, [*shares, found.purity, found.moves])])
    columns = ["dream", "inferred code", "random code", "delta-accuracy", "whole frames", "with a random code"]
    show(PAGE, "codes", [*columns, "purity", "purity, moves"], rows, quick)
    console.print(f"{found.pairs:,} pairs, {found.changed:,} changed facts; most frequent effect {found.majority:.3f}")


def force(quick: bool) -> None:
    """Codes chosen in the states of two policies, beside the kernel."""
    dream, rows = Dream(read(shipped(f"dream-{WORLD}"))), {}
    chosen = keys(dream, labelled(WORLD, LABELLED_SEED))
    for policy, noise in (("oracle", 0.1), ("random", 0.0)):
        told = trials(WORLD, range(FRESH, FRESH + (4 if quick else 40)), policy, noise)[1]
        for found in forced(dream, told, chosen):
            code = chosen[told.env.verbs.index(found.verb)]
            row = rows.setdefault(found.verb, [found.verb.replace("_", " "), str(code + 1)])
            row += [str(found.states), share(found.changed), share(found.frames)]
    columns = ["action", "code"]
    columns += [f"{each}: {what}" for each in ("oracle", "random") for what in ("states", "changed", "whole frames")]
    show(PAGE, "forced", columns, list(rows.values()), quick)


def goals(quick: bool) -> None:
    """An agent that knows the codes by 100 labelled pairs: goals reached in the dream, and really."""
    rows, dream = [], Dream(read(shipped(f"dream-{WORLD}")))
    for name, seeds in {"oracle": 0, "rules": 1_000}.items():
        found = []
        for told in trials(WORLD, range(FRESH + seeds, FRESH + seeds + (4 if quick else 40)), name, 0.1):
            own = attempts(dream, told, keys(dream, labelled(WORLD, LABELLED_SEED)), np.random.default_rng(FRESH))
            found += [each._replace(episode=each.episode + len(rows_of(found))) for each in own]
        for kind, wanted in KINDS.items():
            agent = scored([each for each in found if wanted(each)])
            rows.append([f"{name}: {kind}", str(agent.goals), *map(share, agent[1:])])
    show(PAGE, "goals", ["states of: goal", "n", "in the dream", "in the true kernel", "random actions"], rows, quick)


KINDS: dict[str, Callable] = {
    "all": lambda each: True,
    "stand before it": lambda each: not each.goal.take,
    "take a tree": lambda each: each.goal.take,
}


def rows_of(found: list) -> range:
    """The numbers of the episodes so far."""
    return range(max((each.episode for each in found), default=-1) + 1)


def share(error: Estimate) -> str:
    value, low, high = (f"{each:.3f}".removeprefix("0") for each in error)
    return f"{value} ({low} .. {high})"


PARTS = {"codes": codes, "forced": force, "goals": goals}
