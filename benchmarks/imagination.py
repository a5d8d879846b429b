"""Imagination: how fast it is, how wrong it is, and what it is worth, in every world of ``scenarios/imagination``."""

from functools import partial
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.pace import Pace
from benchmarks.report import console, met, table
from sandbox.analysis.compare import Comparison, compare
from sandbox.analysis.prediction_error import foresight as measure
from sandbox.analysis.results import results, swept_keys
from sandbox.core.world_model import WorldModel
from sandbox.report.figures import COLOURS, STYLE, save
from sandbox.report.figures import foresight as draw_foresight
from sandbox.report.tables import foresight_table
from sandbox.running.batch import batch
from sandbox.scenario import load

ROOT = Path(__file__).parents[1]
SCENARIOS = {path.stem: path for path in sorted((ROOT / "scenarios" / "imagination").glob("*.toml"))}
IMAGES, RUNS = ROOT / "docs" / "images", Path("runs")
TARGET = 0.5  # of the bare kernel's ticks a second
FRESH = 900_000  # the first seed, as in the scenarios; horizon and caution were chosen on others
ARMS = (
    "search", "depth 3", "caution 0.0", "calm", "shuffled", "wrong", "horizon 0", "oracle", "semantic", "base semantic"
)  # fmt: skip
NAMES = {"depth 3": "UCT, depth 3", "caution 0.0": "no caution", "base semantic": "search on semantic"}
KIND, CAUTION = "agents.0.world_model.kind", "agents.0.world_model.caution"


def pace(quick: bool) -> None:
    """Imagined ticks a second beside the bare kernel's: the same world, policy and team, one thread, in turns."""
    rows = []
    for name, path in SCENARIOS.items():
        scenario = load(path, {"sweep": {}})
        env, model = scenario.env(), scenario.agents[0].world_model
        size = 1 if quick else 4
        bare = Pace("bare", partial(_bare, env, model.base, 100 * size))
        ahead = Pace("imagined", partial(_ahead, env, model, 1_000_000 * size))
        for each in (bare, ahead):
            each.work()  # compiles
        for _ in range(3 if quick else 5):
            bare.run()
            ahead.run()
        share = ahead.cpu_rate / bare.cpu_rate
        rows.append([name, env.agents, bare.cpu_rate, ahead.cpu_rate, share, met(share, TARGET)])
    columns = ["world", "agents", "bare ticks/s", "imagined ticks/s", "share", "target"]
    table("Ticks a second of CPU time: whole episodes of the base policy, and futures of a search by it", columns, rows)


def _bare(env, base: str, episodes: int) -> int:
    return int(env.play(range(FRESH, FRESH + episodes), base)[0].tick.sum())


def _ahead(env, model: WorldModel, ticks: int) -> int:
    """Episodes of search until so many ticks are imagined."""
    imagined, seed = 0, FRESH
    while imagined < ticks:
        imagined += int(env.play([seed], model)[1].imagined.sum())
        seed += 1
    return imagined


def foresight(quick: bool) -> None:
    """Prediction error by horizon, as ``sandbox foresight`` measures it, and its figure."""
    found = {}
    for name, path in SCENARIOS.items():
        found[name] = measure(load(path, {"seed": FRESH, "sweep": {}}), 5 if quick else 40)
        console.print(foresight_table(found[name], name))
    if not quick:
        _save(draw_foresight(found), "foresight.png")


def pays(quick: bool) -> None:
    """Every sweep of ``scenarios/imagination``, played or taken from ``runs``: paired differences from rules.

    And what chance and caution are worth: one future, and search with its caution, each beside search without caution.
    """
    found, rows, controls = {}, [], []
    for name, path in SCENARIOS.items():
        folder = RUNS / f"imagination-{name}{'-quick' if quick else ''}"
        batch(load(path), folder, 10 if quick else None)
        found[name] = compare([folder])
        _means(name, results(folder))
        rows += [[name, row.condition, _arm(row.run), *_told(row)] for row in found[name]]
        for row in compare([folder], f"{KIND}=exact, {CAUTION}=0.0"):
            if _arm(row.run) == "calm" or row.run.startswith("caution"):
                severities = [part for part in row.condition.split("; ") if part.startswith("perturb.")]
                controls.append([name, *(severities or ["clean"]), row.run, *_told(row)])
    columns = ["world", "condition", "beside rules", "success, points", "steps, both succeed"]
    table("Does imagination pay? Paired on seeds, intervals of 95 %", columns, rows)
    columns[2] = "beside search without caution"
    table("What chance and caution are worth", columns, controls)
    if not quick:
        _save(_forest(found), "imagination.png")


def _told(row: Comparison) -> tuple[str, str]:
    """The differences in success and in steps, in words."""
    points = [100 * value for value in row.success.difference]
    told = "{:+.1f}  {:+.1f} .. {:+.1f}"
    return told.format(*points), told.format(*row.steps) if row.steps else "-"


def _means(name: str, rows: pd.DataFrame) -> None:
    """What each arm reaches and imagines, condition by condition."""
    keys, measures = swept_keys(rows), ["success", "ticks", "imagined_ticks"]
    means = rows.assign(success=100.0 * rows["success"]).groupby(keys, sort=False)[measures].mean().reset_index()
    columns = [*(key.rpartition(".")[2] for key in keys), "success, %", *measures[1:]]
    table(f"{name}: means of {rows['seed'].nunique()} seeds", columns, means.to_numpy().tolist())


def _arm(run: str) -> str:
    """A team in a word: what makes it differ from rules, and from search as it is."""
    parts = [part.strip() for part in run.split(",")]
    return parts[-1].removeprefix("reasoner ").removeprefix("kind ")


def _forest(found: dict) -> Figure:
    """A panel for each world: differences in success, or in steps where everybody succeeds; a colour a condition."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        axes = figure.subplots(1, len(found), sharey=True)
        for (name, rows), axis in zip(found.items(), axes, strict=True):
            searches = [row.success for row in rows if _arm(row.run) == "search"]
            always = not any(success.only_first + success.only_second for success in searches)
            for k, condition in enumerate(dict.fromkeys(row.condition for row in rows)):
                for row in rows:
                    value = row.steps if always else row.success.difference
                    if row.condition == condition and value is not None:
                        y, scale = ARMS.index(_arm(row.run)) + 0.24 * (k - 0.5), 1 if always else 100
                        spread = [[scale * (value.value - value.low)], [scale * (value.high - value.value)]]
                        axis.errorbar(scale * value.value, y, xerr=spread, fmt="os"[k], color=COLOURS[k], markersize=4)
                axis.plot([], [], "os"[k], color=COLOURS[k], label=condition.replace("perturb.", "").replace("_", " "))
            axis.axvline(0, color="#5b6470", linewidth=0.8)
            axis.set_yticks(range(len(ARMS)), [NAMES.get(arm, arm) for arm in ARMS])
            axis.set(title=name, xlabel="steps" if always else "success, points", ylim=(len(ARMS) - 0.5, -0.5))
            axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.28), frameon=False)
    return figure


def _save(figure: Figure, name: str) -> None:
    save(figure, IMAGES / name)
    console.print(f"drawn: docs/images/{name}")


PEERS = ("scipy", "matplotlib")
PARTS = {"pace": pace, "foresight": foresight, "pays": pays}
