"""Teams: every protocol beside each for itself, lost messages, team sizes; from the sweeps of ``scenarios/teams``.

There are two controls. Beside ``rules``, the agents without a team, a protocol gains by its rule of choice and by what
is said; beside ``independent``, which chooses by the same rule and neither speaks nor hears, by what is said alone.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.pages import difference, number, show
from benchmarks.report import console
from sandbox.analysis.results import plain_value, results, swept_keys
from sandbox.analysis.scaling import coefficient, scalings
from sandbox.report.figures import COLOURS, MARKERS, STYLE, save
from sandbox.running.batch import batch
from sandbox.scenario import load
from sandbox.statistics import Estimate, Paired, mean_difference, paired_success

ROOT = Path(__file__).resolve().parents[1]
PAGE = "teams.md"
RUNS, SCENARIOS, IMAGES = ROOT / "runs", ROOT / "scenarios" / "teams", ROOT / "docs" / "images"
LOST, DELAY, NETWORK = "perturb.message_loss", "perturb.message_delay", "team.network"
CHANNELS = {  # rows of a table of the page, and what each changes
    "every message, a tick later": {},
    **{f"{severity:.0%} lost".replace("%", " %"): {LOST: severity} for severity in (0.1, 0.2, 0.3, 0.5, 0.8)},
    "all lost": {LOST: 1.0}, **{f"{ticks} ticks later": {DELAY: ticks / 10} for ticks in (2, 5, 10)},
    "one message an edge and tick (45 % dropped)": {NETWORK: {"bandwidth": 1}}, "ring": {NETWORK: "ring"},
    "tree": {NETWORK: "tree"}, "star": {NETWORK: "star"}, "within 16 cells": {NETWORK: {"kind": "range", "reach": 16}},
    "within 8 cells": {NETWORK: {"kind": "range", "reach": 8}},
}  # fmt: skip
RANDOM = {  # further rows
    "small world, 4 neighbours": {"kind": "small_world", "neighbours": 4}, "scale-free": {"kind": "scale_free"},
}  # fmt: skip
DRAWINGS = 20
PLACES = {"sizes": "hall of shelves", "yard": "open yard"}
SIZES = (1, 4, 8, 16, 20, 24, 32, 48, 64)  # columns of another
TURNS = ("hand_off", "sequential")  # one works at a time: off the scale of the figure


def played(name: str, quick: bool, alone: bool = False) -> pd.DataFrame:
    """The rows of a sweep, played or taken from ``runs``; ``alone``: of the same agents without a team, not swept."""
    folder = RUNS / f"teams-{name}{'-rules' if alone else ''}{'-quick' if quick else ''}"
    overrides = {"team": None, "sweep": {}} if alone else {}
    batch(load(SCENARIOS / f"{name}.toml", overrides), folder, 10 if quick else None)
    return results(folder)


def beside(rows: pd.DataFrame, base: pd.DataFrame) -> tuple[Paired, Estimate | None]:
    """Paired differences of ``rows`` from ``base``: of success, and of ticks where both succeed."""
    pair = rows.set_index("trial").join(base.set_index("trial"), rsuffix="_base", how="inner")
    both = pair[pair["success"].astype(bool) & pair["success_base"].astype(bool)]
    success = paired_success(pair["success_base"].to_numpy(bool), pair["success"].to_numpy(bool))
    return success, mean_difference((both["ticks"] - both["ticks_base"]).to_numpy(float)) if len(both) > 1 else None


class Protocol(NamedTuple):
    """What a protocol reaches in a world at some loss of messages, beside both controls."""

    success: float
    ticks: float
    counts: list[float]  # messages, turns, stalls
    by_rules: tuple[Paired, Estimate | None]
    by_silent: tuple[Paired, Estimate | None]


def protocols(quick: bool) -> None:
    """Every protocol beside both controls, clean and with half of the messages lost."""
    found = {name: _by_protocol(name, quick) for name in ("warehouse", "wildfire")}
    rows = []
    for name in dict.fromkeys(protocol for protocol, _ in found["warehouse"]):
        (clean, lossy), (fire, lossy_fire) = ([own[name, loss] for loss in (0.0, 0.5)] for own in found.values())
        silent = name == "independent"
        heard = [clean.by_silent, lossy.by_silent, fire.by_silent, lossy_fire.by_silent]
        saved, lost, points, fewer = ["" if silent else _told(each, k < 2) for k, each in enumerate(heard)]
        counts = ", ".join(number(each, 0) for each in clean.counts)
        rows.append([
            name.replace("_", " "), number(clean.ticks, 0), _told(clean.by_rules, True), saved, lost, counts,
            f"{100 * fire.success:.1f} %", _told(fire.by_rules, False), points, fewer,
        ])  # fmt: skip
    columns = [
        "protocol", "warehouse: ticks", "beside rules alone", "beside independent", "half of the messages lost",
        "messages, turns, stalls", "wildfire: saved", "beside rules alone, points", "beside independent, points",
        "half lost",
    ]  # fmt: skip
    show(PAGE, "protocols", columns, rows, quick)
    if not quick:
        save(_forest(found), IMAGES / "teams-protocols.png")


def _by_protocol(name: str, quick: bool) -> dict[tuple[str, float], Protocol]:
    """By protocol and loss."""
    rows, alone, found = played(name, quick), played(name, quick, alone=True), {}
    console.print(f"{name}: rules, n = {len(alone)}: {alone['success'].mean():.1%}, {alone['ticks'].mean():.1f} ticks")
    for loss, some in rows.groupby("perturb.message_loss"):
        silent = some[some["team.protocol"] == "independent"]
        for protocol, own in some.groupby("team.protocol", sort=False):
            counts = own[["messages", "turns", "stalls"]].mean().tolist()
            sides = beside(own, alone), beside(own, silent)
            found[protocol, float(loss)] = Protocol(own["success"].mean(), own["ticks"].mean(), counts, *sides)
    return found


def _told(sides: tuple[Paired, Estimate | None], steps: bool) -> str:
    """A difference in ticks, or in points of success."""
    success, ticks = sides
    return difference(ticks, -1, 0) if steps else difference(_points(success), 1, 0)


def _points(success: Paired) -> Estimate:
    return Estimate(*(100 * value for value in success.difference))


def _forest(found: dict) -> Figure:
    """A panel for each world: ticks saved where all succeed, else points of success; a colour for each loss."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 3.6), layout="constrained")
        for (name, rows), axis in zip(found.items(), figure.subplots(1, len(found)), strict=True):
            steps, names = name == "warehouse", []
            for (protocol, loss), own in rows.items():
                if protocol in TURNS or protocol == "independent":
                    continue
                names += [protocol] if protocol not in names else []
                success, ticks = own.by_silent
                value, low, high = ticks if steps else _points(success)
                k = int(loss > 0)
                y = names.index(protocol) + 0.24 * (k - 0.5)
                axis.errorbar(value, y, xerr=[[value - low], [high - value]], fmt=MARKERS[k], color=COLOURS[k],
                              markersize=4)  # fmt: skip
            for k, label in enumerate(("every message arrives", "half of them are lost")):
                axis.plot([], [], MARKERS[k], color=COLOURS[k], label=label)
            axis.axvline(0, color="#5b6470", linewidth=0.8)
            axis.set_yticks(range(len(names)), [each.replace("_", " ") for each in names])
            axis.invert_yaxis()
            axis.set(title=name, xlabel="ticks beside independent" if steps else "success beside independent, points")
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def loss(quick: bool) -> None:
    """What the market saves beside each for itself under loss and delay, and on other networks."""
    rows = played("loss", quick)
    alone = rows[rows["team.protocol"] == "independent"]
    console.print(f"independent: {alone['ticks'].mean():.1f} ticks, n = {len(alone)}")
    found = {name: _saved(chosen(rows, changed), beside(chosen(rows, changed), alone)[1])
             for name, changed in CHANNELS.items()}  # fmt: skip
    found |= _drawings(alone, quick)
    columns = ["the market, with", "ticks", "beside independent", "messages an episode"]
    show(PAGE, "messages", columns, [[name, *cells] for name, cells in found.items()], quick)
    if not quick:
        severities = sorted(rows[LOST].unique())
        curve = [(severity, beside(chosen(rows, {LOST: severity}), alone)[1]) for severity in severities]
        save(_curve(curve), IMAGES / "teams-loss.png")


def chosen(rows: pd.DataFrame, changed: Mapping[str, Any]) -> pd.DataFrame:
    """The rows in which these swept keys have these values, and all others those of the first condition."""
    usual = rows.loc[rows["condition"].idxmin()]
    wanted = {key: plain_value(changed.get(key, usual[key])) for key in swept_keys(rows)}
    alike = [(rows[key] == value) | (rows[key].isna() & pd.isna(value)) for key, value in wanted.items()]
    return rows[np.logical_and.reduce(alike)]


def _saved(rows: pd.DataFrame, apart: Estimate) -> list[str]:
    return [number(rows["ticks"].mean(), 0), difference(apart, -1, 0), number(round(rows["messages"].mean(), -2), 0)]


def _drawings(alone: pd.DataFrame, quick: bool) -> dict[str, list[str]]:
    """Random networks, every drawing on the same seeds; the intervals are of both, as their variances add up."""
    found, drawn = {}, played("drawings", quick)
    for name, network in RANDOM.items():
        own = drawn[drawn["team.network.kind"] == network["kind"]]
        pair = own.set_index("trial").join(alone.set_index("trial")["ticks"].rename("alone"), how="inner").reset_index()
        apart, by = pair["ticks"] - pair["alone"], (pair["team.network.drawing"], pair["trial"])
        (value, *ends), other = (mean_difference(apart.groupby(each).mean().to_numpy()) for each in by)
        spread = [np.hypot(end - value, more - other.value) for end, more in zip(ends, other[1:], strict=True)]
        found[name] = _saved(own, Estimate(value, value - spread[0], value + spread[1]))
    return found


def _curve(points: list) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.2), layout="constrained")
        axis = figure.subplots()
        severities, ticks = zip(*points, strict=True)
        saved = np.array([[-each.value, -each.high, -each.low] for each in ticks])
        axis.fill_between(severities, saved[:, 1], saved[:, 2], color=COLOURS[0], alpha=0.18, linewidth=0)
        axis.plot(severities, saved[:, 0], color=COLOURS[0], marker=MARKERS[0], markersize=4.5)
        axis.axhline(0, color="#5b6470", linewidth=0.8)
        axis.set(xlabel="share of messages that are lost", ylabel="ticks that the market saves")
    return figure


def sizes(quick: bool) -> None:
    """Throughput by team size and protocol, with both laws: a crowded hall and an open yard."""
    found, rows = {}, []
    for name, place in PLACES.items():
        found[name] = scalings(played(name, quick))
        for scaling in found[name]:
            usl, (best, *others) = scaling.usl, scaling.near
            means = {size.agents: _short(size.throughput.value) for size in scaling.sizes}
            most = max(SIZES, key=lambda n: float(means.get(n, 0)))
            tried = [f"**{means[n]}**" if n == most else means.get(n, "") for n in SIZES]
            near = f"{best} ({min(best, *others)} .. {max(best, *others)})" if others else str(best)
            missed = f"{100 * usl.residuals.min():+.0f} .. {100 * usl.residuals.max():+.0f} %"
            rows.append([
                f"{place}, {scaling.condition.rpartition('=')[2]}", *tried, near, _coefficient(usl.alpha),
                _coefficient(usl.beta), "{:.1f} ({:.1f} .. {:.1f})".format(*usl.best), missed,
            ])  # fmt: skip
    laws = ["best size measured", "USL: alpha", "beta", "N*", "the law misses by"]
    show(PAGE, "sizes", ["place, protocol", *map(str, SIZES), *laws], rows, quick)
    if not quick:
        save(_growth(found), IMAGES / "teams-sizes.png")


def _short(value: float) -> str:
    """Three figures, without the 0 before the point."""
    return f"{value:#.3g}".removeprefix("0")


def _coefficient(estimate: Estimate) -> str:
    """Two figures each, without the 0 before the point."""
    return re.sub(r"(?<!\d)0(\.\d*[1-9])", r"\1", coefficient(estimate, "{:.2g}"))


def _growth(found: dict) -> Figure:
    """Above what was measured and the law, below how far they are apart; a column for each place."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 5.2), layout="constrained")
        axes = figure.subplots(2, len(found), sharex="col", height_ratios=(2, 1))
        for (name, curves), axis, below in zip(found.items(), *axes, strict=True):
            for k, scaling in enumerate(curves):
                values, low, high = np.array([size.throughput for size in scaling.sizes]).T
                agents, look = scaling.agents, {"color": COLOURS[k], "markersize": 4.5}
                label = scaling.condition.rpartition("=")[2]
                spread = [values - low, high - values]
                axis.errorbar(agents, values, yerr=spread, fmt=MARKERS[k], label=label, **look)
                along = np.geomspace(agents[0], agents[-1], 200)
                axis.plot(along, scaling.usl.throughput(along), color=COLOURS[k], linewidth=1.2)
                below.plot(agents, 100 * scaling.usl.residuals, MARKERS[k], linestyle=":", linewidth=0.8, **look)
            axis.set(title={"sizes": "small hall of shelves", "yard": "open yard"}[name], xscale="log",
                     ylabel="tasks done, a tick")  # fmt: skip
            below.set(xlabel="agents", ylabel="beyond the law, %")
            below.axhline(0, color="#5b6470", linewidth=0.8)
            ticks = [n for n in (1, 2, 4, 8, 16, 24, 32, 48, 64) if n <= agents[-1]]
            below.set_xticks(ticks, labels=[str(n) for n in ticks])
            below.set_xticks([], minor=True)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


PEERS = ("networkx", "scipy")
PARTS = {"protocols": protocols, "loss": loss, "sizes": sizes}
