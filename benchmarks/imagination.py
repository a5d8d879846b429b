"""Imagination: how fast it is, how wrong it is, and what it is worth, in every world of ``scenarios/imagination``."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib
import pandas as pd
from matplotlib.figure import Figure as Drawing

from benchmarks.pages import difference, number, show
from benchmarks.report import Figure, console, times
from benchmarks.rounds import Pace, in_turns
from benchmarks.teams import beside, chosen
from sandbox.analysis.prediction_error import foresight as measure
from sandbox.analysis.results import results, swept_keys
from sandbox.analysis.robustness import PREFIX
from sandbox.core.world_model import WorldModel
from sandbox.report.figures import COLOURS, STYLE, save
from sandbox.report.figures import foresight as draw_foresight
from sandbox.running.batch import batch
from sandbox.scenario import load
from sandbox.statistics import Estimate

ROOT = Path(__file__).parents[1]
SCENARIOS = {path.stem: path for path in sorted((ROOT / "scenarios" / "imagination").glob("*.toml"))}
IMAGES, RUNS = ROOT / "docs" / "images", Path("runs")
TARGET = 0.5  # of the bare kernel's ticks a second
FRESH = 900_000  # the first seed, as in the scenarios; horizon and caution were chosen on others
PAGE, FAILS = "imagination.md", "fails"
REASONER, MODEL = "agents.0.reasoner", "agents.0.world_model"
SEARCH = {REASONER: "search"}
SEMANTIC, BOLD, CALM = "`semantic`", "without caution", "one future (`calm`)"
TEAMS = {  # columns of the page, and what each team sets
    "search": SEARCH, "UCT, depth 3": {**SEARCH, f"{MODEL}.depth": 3},
    "`shuffled`": {**SEARCH, f"{MODEL}.kind": "shuffled"}, "`wrong`": {**SEARCH, f"{MODEL}.kind": "wrong"},
    "oracle": {REASONER: "oracle"}, SEMANTIC: {REASONER: "semantic"},
    "search on `semantic`": {**SEARCH, f"{MODEL}.base": "semantic"},
    BOLD: {**SEARCH, f"{MODEL}.caution": 0.0},
    CALM: {**SEARCH, f"{MODEL}.caution": 0.0, f"{MODEL}.kind": "calm"},
}  # fmt: skip
WORTH = ("search", "UCT, depth 3", "`shuffled`", "`wrong`", "oracle")  # columns of a table
SCRIPTS = {"search": "search on the macro", SEMANTIC: SEMANTIC, "search on `semantic`": "search on `semantic`"}
AHEAD = {f"{n} tick{'s' * (n > 1)}": n for n in (1, 2, 5, 8, 13, 21, 34)}  # columns of another


class World(NamedTuple):
    """How the page calls its scenario, and whether it counts steps, since all succeed, or success."""

    title: str
    steps: bool


WORLDS = {  # the quickest first
    "web": World("web", False), "craft": World("craft, stone tools", False), "kitchen": World("kitchen", True),
    "wildfire": World("wildfire", False), "warehouse": World("warehouse", True),
}  # fmt: skip


def pace(quick: bool) -> list[Figure]:
    """Imagined ticks a second beside the bare kernel's: the same world, policy and team, one thread, in turns."""
    figures = []
    for name, path in SCENARIOS.items():
        scenario = load(path, {"sweep": {}})
        env, model = scenario.env(), scenario.agents[0].world_model
        size = 1 if quick else 4
        team = f"{name}, {env.agents} agent{'s' * (env.agents > 1)}"
        bare = Pace(f"bare, {team}", partial(_bare, env, model.base, 100 * size))
        ahead = Pace(f"imagined, {team}", partial(_ahead, env, model, 1_000_000 * size))
        for each in (bare, ahead):
            each.work()  # compiles
        in_turns(3 if quick else 5, bare, ahead)
        alone = bare.figure("ticks", cpu=True)
        figures += [alone, ahead.figure("ticks", cpu=True, beside=alone, target=times(TARGET))]
    return figures


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
    """Prediction error by horizon, as ``sandbox foresight`` measures it: the table of the page, and its figure."""
    found, rows = {}, []
    for name in WORLDS:
        found[name] = measure(load(SCENARIOS[name], {"seed": FRESH, "sweep": {}}), 5 if quick else 40)
        for view in dict.fromkeys(each.view for each in found[name]):
            told = {each.horizon: _share(each.error) for each in found[name] if each.view == view}
            if any(told.values()):
                rows.append([name, view, *(told.get(horizon, "") for horizon in AHEAD.values())])
    show(PAGE, "foresight", ["world", "seen at first", *AHEAD], rows, quick)
    if not quick:
        _save(draw_foresight(found), "foresight.png")


def _share(error: Estimate | None) -> str:
    """A decimal without the 0 before its point, with its interval; empty where nothing changed."""
    value, low, high = (number(each, 3).removeprefix("0").replace("1.000", "1") or "0" for each in error or (0, 0, 0))
    return f"{value} ({low} .. {high})" if error else ""


def pays(quick: bool) -> None:
    """Every sweep of ``scenarios/imagination``, played or taken from ``runs``: three tables of the page, and a figure.

    Paired differences from rules; the same of a script; and what chance and caution are worth: one future, and search
    with its caution, each beside search without caution. What a world has given is written before the next one begins.
    """
    found = {}
    for name, (title, steps) in WORLDS.items():
        folder, worth, scripts, parts = RUNS / f"imagination-{name}{'-quick' if quick else ''}", [], [], []
        batch(load(SCENARIOS[name]), folder, 10 if quick else None)
        for condition, rows in _conditions(results(folder)).items():
            teams, row = _teams(rows), f"{title}, {condition}"
            rules = teams["rules"]
            told = {team: _beside(own, rules, steps) for team, own in teams.items() if team != "rules"}
            share = f"{100 * rules['success'].mean():.1f} %".replace("100.0", "100")
            usual = f"{rules['ticks'].mean():.1f} ticks" if steps else share
            imagined = float(f"{teams['search']['imagined_ticks'].mean():.3g}")
            worth.append([row, str(len(rules)), usual, *(told[team] for team in WORTH), number(imagined, 0)])
            if SEMANTIC in told:
                scripts.append([row, usual, *(told[team] for team in SCRIPTS)])
            apart = (_beside(teams[team], teams[BOLD], steps) for team in (CALM, "search"))
            parts.append([row, told[BOLD], told[CALM], *apart])
            found.setdefault(name, {})[condition] = {
                team: _apart(own, rules, steps) for team, own in teams.items() if team != "rules"
            }
        put = partial(show, PAGE, quick=quick, kept=True)
        put("worth", ["scenario", "n", "rules", *WORTH, "imagined ticks"], worth)
        if scripts:
            put("scripts", ["scenario", "macro (`rules`)", *SCRIPTS.values()], scripts)
        put("parts", ["scenario", BOLD, CALM, "what one future changes", "what caution changes"], parts)
    if not quick:
        _save(_forest(found), "imagination.png")


def _conditions(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows by the severity of what disturbs them, in words."""
    (key,) = (key for key in swept_keys(rows) if key.startswith(PREFIX))
    words = key.removeprefix(PREFIX).replace("_", " ").replace("popups", "pop-ups")
    return {f"{words} {severity:g}".replace(" 0.", " .") if severity else "clean": own
            for severity, own in rows.groupby(key)}  # fmt: skip


def _teams(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of rules, and of each team of ``TEAMS`` that the sweep has."""
    swept = [team for team, changed in TEAMS.items() if set(changed) <= set(swept_keys(rows))]
    found = {team: chosen(rows, TEAMS[team]) for team in swept}
    return {"rules": chosen(rows, {}), **{team: own for team, own in found.items() if len(own)}}


def _apart(rows: pd.DataFrame, base: pd.DataFrame, steps: bool) -> Estimate | None:
    """The paired difference in steps, or in points of success; None of what never succeeds."""
    if not rows["success"].any():
        return None
    success, ticks = beside(rows, base)
    return ticks if steps else Estimate(*(100 * value for value in success.difference))


def _beside(rows: pd.DataFrame, base: pd.DataFrame, steps: bool) -> str:
    """The same in words, with the number of pairs where not all succeed in steps."""
    apart = _apart(rows, base, steps)
    if apart is None:
        good = int(rows["success"].sum())
        return f"{FAILS} in {len(rows) - good} of {len(rows)}" if good else FAILS
    both = rows.set_index("trial")["success"] & base.set_index("trial")["success"]
    few = f", {both.sum()} pairs" if steps and not both.all() else ""
    return difference(apart, -1 if steps else 1) + few


def _forest(found: dict[str, dict[str, dict[str, Estimate | None]]]) -> Drawing:
    """A panel for each world: differences in steps, or in success; a colour a condition."""
    with matplotlib.rc_context(STYLE):
        figure = Drawing(figsize=(11, 4.2), layout="constrained")
        axes, shown = figure.subplots(1, len(found), sharey=True), list(TEAMS)
        for (name, conditions), axis in zip(found.items(), axes, strict=True):
            for k, (condition, teams) in enumerate(conditions.items()):
                for team, apart in teams.items():
                    if apart is not None:
                        y = shown.index(team) + 0.24 * (k - 0.5)
                        spread = [[apart.value - apart.low], [apart.high - apart.value]]
                        axis.errorbar(apart.value, y, xerr=spread, fmt="os"[k], color=COLOURS[k], markersize=4)
                axis.plot([], [], "os"[k], color=COLOURS[k], label=condition)
            axis.axvline(0, color="#5b6470", linewidth=0.8)
            axis.set_yticks(range(len(shown)), [team.replace("`", "") for team in shown])
            unit = "steps" if WORLDS[name].steps else "success, points"
            axis.set(title=name, xlabel=unit, ylim=(len(shown) - 0.5, -0.5))
            axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.28), frameon=False)
    return figure


def _save(figure: Drawing, name: str) -> None:
    save(figure, IMAGES / name)
    console.print(f"drawn: docs/images/{name}")


PEERS = ("scipy", "matplotlib")
SPEEDS = {"pace": pace}
PARTS = {"foresight": foresight, "pays": pays}
