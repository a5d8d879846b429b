"""Imagination: how fast it is, how wrong it is, and what it is worth, in every world of ``scenarios/imagination``."""

from functools import partial
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from benchmarks.pace import Pace
from benchmarks.report import console, met, table
from sandbox.core.world_model import WorldModel
from sandbox.report.figures import COLOURS, STYLE, save
from sandbox.report.figures import foresight as draw_foresight
from sandbox.report.tables import foresight_table
from sandbox.scenario import load
from sandbox.trials.batch import batch
from sandbox.trials.compare import compare
from sandbox.trials.foresight import foresight as measure
from sandbox.trials.results import results

ROOT = Path(__file__).parents[1]
SCENARIOS = {path.stem: path for path in sorted((ROOT / "scenarios" / "imagination").glob("*.toml"))}
IMAGES, RUNS = ROOT / "docs" / "images", Path("runs")
TARGET = 0.5  # of the bare kernel's ticks a second
FRESH = 100_000  # the first seed; horizon and caution were chosen on others
ARMS = ("search", "oracle", "shuffled", "wrong", "calm", "horizon 0", "depth 3")


def pace(quick: bool) -> None:
    """Imagined ticks a second beside the bare kernel's: the same world, policy and team, one thread, in turns."""
    rows = []
    for name, path in SCENARIOS.items():
        scenario = load(path, {"sweep": {}})
        stage, model = scenario.stage(), scenario.agents[0].world_model
        size = 1 if quick else 4
        bare = Pace("bare", partial(_bare, stage, model.base, 100 * size))
        ahead = Pace("imagined", partial(_ahead, stage, model, 1_000_000 * size))
        for each in (bare, ahead):
            each.work()  # compiles
        for _ in range(3 if quick else 5):
            bare.run()
            ahead.run()
        share = ahead.cpu_rate / bare.cpu_rate
        rows.append([name, stage.agents, bare.cpu_rate, ahead.cpu_rate, share, met(share, TARGET)])
    columns = ["world", "agents", "bare ticks/s", "imagined ticks/s", "share", "target"]
    table("Ticks a second of CPU time: whole episodes of the base policy, and futures of a search by it", columns, rows)


def _bare(stage, base: str, episodes: int) -> int:
    return int(stage.play(range(FRESH, FRESH + episodes), base)[0].tick.sum())


def _ahead(stage, model: WorldModel, ticks: int) -> int:
    """Episodes of search until so many ticks are imagined."""
    imagined, seed = 0, FRESH
    while imagined < ticks:
        imagined += int(stage.play([seed], model)[1].imagined.sum())
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
    """Every sweep of ``scenarios/imagination``, played or taken from ``runs``: paired differences from rules."""
    found, rows = {}, []
    for name, path in SCENARIOS.items():
        folder = RUNS / f"imagination-{name}{'-quick' if quick else ''}"
        batch(load(path), folder, 10 if quick else None)
        found[name] = compare([folder])
        mean = results(folder).groupby(["agents.0.reasoner", "agents.0.world_model.kind"])["imagined_ticks"].mean()
        console.print(f"{name}: {mean['search', 'exact']:,.0f} imagined ticks an episode")
        for row in found[name]:
            points = [100 * value for value in row.success.difference]
            steps = "{:+.1f}  {:+.1f} .. {:+.1f}".format(*row.steps) if row.steps else "-"
            rows.append([name, row.condition, _arm(row.run), "{:+.1f}  {:+.1f} .. {:+.1f}".format(*points), steps])
    columns = ["world", "condition", "beside rules", "success, points", "steps, both succeed"]
    table("Does imagination pay? Paired on seeds, bootstrap intervals of 95 %", columns, rows)
    if not quick:
        _save(_forest(found), "imagination.png")


def _arm(run: str) -> str:
    """A team in a word: what makes it differ from rules, and from search as it is."""
    parts = [part.strip() for part in run.split(",")]
    return parts[-1].removeprefix("reasoner ").removeprefix("kind ")


def _forest(found: dict) -> Figure:
    """A panel for each world: differences in success, or in steps where everybody succeeds; a colour a condition."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 3.4), layout="constrained")
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
            axis.set_yticks(range(len(ARMS)), [arm.replace("depth 3", "UCT, depth 3") for arm in ARMS])
            axis.set(title=name, xlabel="steps" if always else "success, points", ylim=(len(ARMS) - 0.5, -0.5))
            axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.28), frameon=False)
    return figure


def _save(figure: Figure, name: str) -> None:
    save(figure, IMAGES / name)
    console.print(f"drawn: docs/images/{name}")


PEERS = ("scipy", "matplotlib")
PARTS = {"pace": pace, "foresight": foresight, "pays": pays}
