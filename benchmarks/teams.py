"""Teams: every protocol beside each for itself, lost messages, team sizes; from the sweeps of ``scenarios/teams``.

There are two controls. Beside ``rules``, the agents without a team, a protocol gains by its rule of choice and by what
is said; beside ``independent``, which chooses by the same rule and neither speaks nor hears, by what is said alone.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.report import console, table
from sandbox.analysis.results import results
from sandbox.analysis.scaling import coefficient, scalings
from sandbox.report.figures import COLOURS, MARKERS, STYLE, save
from sandbox.running.batch import batch
from sandbox.scenario import load
from sandbox.statistics import mean_difference, paired_success

ROOT = Path(__file__).resolve().parents[1]
RUNS, SCENARIOS, IMAGES = ROOT / "runs", ROOT / "scenarios" / "teams", ROOT / "docs" / "images"
TURNS = ("hand_off", "sequential")  # one works at a time: off the scale of the figure


def played(name: str, quick: bool, alone: bool = False):
    """The rows of a sweep, played or taken from ``runs``; ``alone``: of the same agents without a team, not swept."""
    folder = RUNS / f"teams-{name}{'-rules' if alone else ''}{'-quick' if quick else ''}"
    overrides = {"team": None, "sweep": {}} if alone else {}
    batch(load(SCENARIOS / f"{name}.toml", overrides), folder, 10 if quick else None)
    return results(folder)


def beside(rows, base):
    """Paired differences of ``rows`` from ``base``: success in points, ticks where both succeed."""
    pair = rows.set_index("trial").join(base.set_index("trial"), rsuffix="_base", how="inner")
    both = pair[pair["success"].astype(bool) & pair["success_base"].astype(bool)]
    success = paired_success(pair["success_base"].to_numpy(bool), pair["success"].to_numpy(bool))
    return success, mean_difference((both["ticks"] - both["ticks_base"]).to_numpy(float)) if len(both) > 1 else None


def protocols(quick: bool) -> None:
    """Every protocol beside both controls, clean and with half of the messages lost."""
    found = {name: _by_protocol(name, quick) for name in ("warehouse", "wildfire")}
    lines = [[name, *row[:2], *row[4:]] for name, rows in found.items() for row in rows]
    columns = ["world", "protocol", "loss", "success %", "points beside independent", "ticks", "ticks beside",
               "points beside rules", "ticks beside rules", "messages", "turns", "stalls"]  # fmt: skip
    table("Protocols, paired on seeds, intervals of 95 %", columns, lines)
    if not quick:
        save(_forest(found), IMAGES / "teams-protocols.png")


def _by_protocol(name: str, quick: bool) -> list[list]:
    rows, alone, found = played(name, quick), played(name, quick, alone=True), []
    console.print(f"{name}: rules, n = {len(alone)}: {alone['success'].mean():.1%}, {alone['ticks'].mean():.1f} ticks")
    for loss, some in rows.groupby("perturb.message_loss"):
        base = some[some["team.protocol"] == "independent"]
        for protocol, own in some.groupby("team.protocol", sort=False):
            (success, ticks), by_rules = beside(own, base), beside(own, alone)
            points = [100 * value for value in success.difference]
            means = own[["messages", "turns", "stalls"]].mean()
            measured = 100 * own["success"].mean(), _points(success), own["ticks"].mean(), _ticks(ticks)
            found.append([protocol, loss, points, ticks, *measured, _points(by_rules[0]), _ticks(by_rules[1]), *means])
    return found


def _points(success) -> str:
    return "{:+.1f}  {:+.1f} .. {:+.1f}".format(*(100 * value for value in success.difference))


def _ticks(ticks) -> str:
    return "{:+.0f}  {:+.0f} .. {:+.0f}".format(*ticks) if ticks else "-"


def _forest(found: dict) -> Figure:
    """A panel for each world: ticks saved where all succeed, else points of success; a colour for each loss."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 3.6), layout="constrained")
        for (name, rows), axis in zip(found.items(), figure.subplots(1, len(found)), strict=True):
            steps, names = name == "warehouse", []
            for protocol, loss, points, ticks, *_ in rows:
                if protocol in TURNS or protocol == "independent":
                    continue
                names += [protocol] if protocol not in names else []
                value, low, high = ticks if steps else points
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
    keys = [key for key in rows.columns if key.startswith(("team.", "perturb."))]
    conditions = list(rows.groupby("condition", sort=True))
    alone = rows[rows["team.protocol"] == "independent"]
    lines, curve = [], []
    for _, own in conditions:
        told = {key.rpartition(".")[2]: own[key].iloc[0] for key in keys}
        _, ticks = beside(own, alone)
        if own["team.protocol"].iloc[0] == "independent":
            continue
        lost = own["lost_messages"].sum() / max(1, own["messages"].sum())
        changed = _changed(told)
        lines.append([changed, own["ticks"].mean(), _ticks(ticks), own["messages"].mean(), lost])
        if changed == "as it is" or changed.startswith("message_loss"):
            curve.append((told["message_loss"], ticks))
    lines += _drawings(alone, quick)
    columns = ["the market, with", "ticks", "beside independent", "messages", "of them lost"]
    table("What messages are worth: the market in the warehouse", columns, lines)
    if not quick:
        save(_curve(sorted(curve)), IMAGES / "teams-loss.png")


def _drawings(alone, quick: bool) -> list[list]:
    """Random networks, every drawing on the same seeds; the intervals are of both, as their variances add up."""
    lines = []
    for kind, own in played("drawings", quick).groupby("team.network.kind", sort=False):
        pair = own.set_index("trial").join(alone.set_index("trial")["ticks"].rename("alone"), how="inner").reset_index()
        apart = (
            (pair["ticks"] - pair["alone"])
            .to_frame("apart")
            .assign(drawing=pair["team.network.drawing"], trial=pair["trial"])
        )
        by = [mean_difference(apart["apart"].groupby(apart[key]).mean().to_numpy()) for key in ("drawing", "trial")]
        value, spread = by[0].value, [np.hypot(*(each[end] - each.value for each in by)) for end in (1, 2)]
        lost = own["lost_messages"].sum() / max(1, own["messages"].sum())
        told = f"{kind}, {apart['drawing'].nunique()} drawings on {apart['trial'].nunique()} seeds"
        saved = _ticks((value, value - spread[0], value + spread[1]))
        lines.append([told, own["ticks"].mean(), saved, own["messages"].mean(), lost])
    return lines


def _changed(told: dict) -> str:
    """In which keys a condition differs from the scenario, in words."""
    usual = {"message_loss": "0.0", "message_delay": "0.0", "network": "", "protocol": "market"}
    changed = [f"{key} {told[key]}" for key, value in usual.items() if str(told[key]) not in (value, "nan")]
    return ", ".join(changed) or "as it is"


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
    found, lines, laws = {}, [], []  # of each size how far the USL misses it, of each curve what may be its best size
    for name in ("sizes", "yard"):
        found[name] = scalings(played(name, quick))
        for scaling in found[name]:
            protocol = scaling.condition.rpartition("=")[2]
            usl, seeds = scaling.usl, scaling.seeds
            lines += [[name, protocol, seeds, size.agents, _told(size.throughput), f"{missed:+.1%}"]
                      for size, missed in zip(scaling.sizes, usl.residuals, strict=True)]  # fmt: skip
            best, *others = scaling.near
            laws.append([name, protocol, f"{best}; or {others}", coefficient(usl.alpha), coefficient(usl.beta),
                         _told(usl.best), f"{np.abs(usl.residuals).max():.0%}"])  # fmt: skip
    table("Throughput: tasks done, a tick", ["place", "protocol", "n", "agents", "throughput", "beyond the law"], lines)
    columns = ["place", "protocol", "best size measured", "USL alpha", "beta", "N*", "misses by up to"]
    table("The USL, with bootstrap intervals of trials and model of 95 %", columns, laws)
    if not quick:
        save(_growth(found), IMAGES / "teams-sizes.png")


def _told(estimate) -> str:
    return "{:.3g}  {:.3g} .. {:.3g}".format(*estimate)


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
