"""Policies on devices: success against joules a decision, over sizes, runtimes and shares that a larger policy decides.

Policies that are missing in ``runs/learn`` are trained first, which needs the extra ``learn``.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import sandbox
from benchmarks.pages import DOCS, number, share, show
from benchmarks.policies import learned
from benchmarks.report import console
from sandbox.agents.edge.net import Net
from sandbox.agents.edge.source import ASKED
from sandbox.agents.odds import chances
from sandbox.analysis.noisy_play import noisy_play
from sandbox.nets.weights import read
from sandbox.record import AgentAnswered, Event
from sandbox.statistics import Estimate, clustered_rate, success_rate

PEERS = ("onnxruntime",)
PAGE, RUNS, FRESH, TRIALS = "learning.md", Path("runs/learn"), 975_000, 100
WORLD = {"name": "kitchen", "layout": "cramped_room"}
SIZES = 8, 16, 32, 64, 256
SMALL, LARGE = 16, 256
RUNTIMES = {"numpy": "float32", "integer": "int16", "onnx-int8": "int8"}
BELOW = 0.4, 0.6, 0.8, 1.0  # confidence below which the larger policy is asked


class Point(NamedTuple):
    """A deployment, measured."""

    name: str
    numbers: str  # of which arithmetic
    kilobytes: float
    success: Estimate
    ticks: float
    asked: float  # share of the decisions of the larger policy
    joules: float  # of a decision


def weights(wide: int) -> Path:
    options = ["--set", f'world.layout="{WORLD["layout"]}"', "--set", "agents.0.count=2", "--teacher", "rules"]
    return learned(RUNS / f"policy-edge-{wide}", WORLD["name"], [*options, "--wide", str(wide), "--seconds", "60"])


def point(name: str, wide: int, trials: int, **edge: object) -> Point:
    """The success of a deployment on seeds that nothing was trained or tuned on."""
    scenario = {"world": WORLD, "agents": [{"count": 2, "reasoner": f"policy:{weights(wide)}", "edge": edge}]}
    asked, outcomes = 0, []
    for seed in range(FRESH, FRESH + trials):
        events: list[Event] = []
        outcomes.append(sandbox.run(scenario, seed, on_event=events.append))
        asked += sum(isinstance(event, AgentAnswered) and event.printed == ASKED for event in events)
    decided = sum(one.own_decisions for one in outcomes)
    runtime = str(edge["runtime"])
    return Point(
        name, RUNTIMES[runtime], Net(read(weights(wide)), runtime).bytes / 1024,
        success_rate(sum(one.success for one in outcomes), trials), float(np.mean([one.ticks for one in outcomes])),
        asked / decided, sum(one.joules for one in outcomes) / decided,
    )  # fmt: skip


def points(trials: int) -> Iterator[Point]:
    for wide in SIZES:
        for runtime in RUNTIMES:
            yield point(f"{wide} wide", wide, trials, runtime=runtime)
    for below in BELOW:
        how = {"runtime": "onnx-int8", "larger": str(weights(LARGE)), "below": below}
        yield point(f"{SMALL} wide, asks {LARGE} below {below:g}", SMALL, trials, **how)


def front(quick: bool) -> None:
    """Success against joules a decision, as a table and a picture."""
    found = list(points(10 if quick else TRIALS))
    best = pareto(found)
    rows = [
        [f"**{one.name}**" if one in best else one.name, one.numbers, number(one.kilobytes), share(one.success),
         number(one.ticks), f"{100 * one.asked:.0f} %" if one.asked else "", f"{1e6 * one.joules:.3g}"]
        for one in found
    ]  # fmt: skip
    columns = ["policy", "arithmetic", "KB", "success", "ticks", "asked", "microjoules a decision"]
    show(PAGE, "edge", columns, rows, quick)
    if not quick:
        picture(found, best)


def pareto(found: Sequence[Point]) -> list[Point]:
    """Those for which no other one succeeds as often with less energy; equal ones count once."""
    kept: list[Point] = []
    for one in sorted(found, key=lambda each: (each.joules, -each.success.value)):
        if not kept or one.success.value > kept[-1].success.value:
            kept.append(one)
    return kept


def picture(found: Sequence[Point], best: Sequence[Point]) -> None:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    marks = dict(zip(RUNTIMES.values(), "os^", strict=True))
    for numbers, mark in marks.items():
        for asks in (False, True):
            own = [one for one in found if one.numbers == numbers and bool(one.asked) == asks]
            if own:
                value, low, high = np.array([one.success for one in own]).T
                spread = np.array([value - low, high - value])
                label = f"{numbers}, asks a larger one" if asks else numbers
                axes.errorbar([1e6 * one.joules for one in own], value, spread,
                              fmt="*" if asks else mark, capsize=2, label=label)  # fmt: skip
    axes.plot([1e6 * one.joules for one in best], [one.success.value for one in best], color="0.4", lw=1, zorder=0)
    for one in best:
        axes.annotate(one.name, (1e6 * one.joules, one.success.value), xytext=(4, 6), textcoords="offset points",
                      fontsize=7)  # fmt: skip
    axes.set(xscale="log", xlabel="microjoules a decision", ylabel="success", ylim=(0, 1.12))
    axes.legend(loc="center left", fontsize=8)
    figure.savefig(DOCS / "pictures" / "edge.png", dpi=110)
    console.print("written: docs/pictures/edge.png")


def agreement(quick: bool) -> None:
    """How often other arithmetic decides as 32-bit floats do, in states of rules with random actions."""
    rows = []
    for wide in SIZES:
        found = read(weights(wide))
        for runtime in ("integer", "onnx-int8"):
            likeliest, drawn = agreed(Net(found, "numpy"), Net(found, runtime), 4 if quick else 40)
            rows.append([f"{wide} wide", RUNTIMES[runtime], _percent(likeliest), _percent(drawn)])
    show(PAGE, "agreement", ["policy", "arithmetic", "likeliest action", "drawn action"], rows, quick)


def agreed(first: Net, second: Net, episodes: int) -> tuple[Estimate, Estimate]:
    """Shares of the decisions in which two nets agree, by the likeliest action, and by the same draw."""
    env, counts = sandbox.make(**{"world": WORLD["name"], "layout": WORLD["layout"], "agents": 2}), []
    for episode in range(episodes):
        rng, seen, same = np.random.default_rng(FRESH + episode), env.observation(1), np.zeros(3)
        for before, _, _ in islice(noisy_play(env, [FRESH + episode], "rules", np.array([0.2]), rng), 100):
            env.observe(before, seen)
            for agent in range(2):
                rows = first.seen(seen.window[0, agent], seen.vector[0, agent])
                odds = [chances(net.logits(rows), seen.mask[0, agent]) for net in (first, second)]
                at = rng.random()
                drawn = [int(np.searchsorted(each.cumsum(), at)) for each in odds]
                same += odds[0].argmax() == odds[1].argmax(), drawn[0] == drawn[1], 1
        counts.append(same)
    likeliest, drawn, whole = np.array(counts).T
    return clustered_rate(likeliest, whole), clustered_rate(drawn, whole)


def _percent(value: Estimate) -> str:
    return "{:.2f} % ({:.2f} .. {:.2f})".format(*(100 * part for part in value))


PARTS = {"front": front, "agreement": agreement}
