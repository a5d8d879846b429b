"""Teams: every protocol beside each for itself, lost messages, team sizes; from the sweeps of ``scenarios/teams``."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.report import table
from sandbox.report.figures import COLOURS, MARKERS, STYLE, save
from sandbox.scenario import load
from sandbox.statistics import mean_difference, paired_success
from sandbox.trials.batch import batch
from sandbox.trials.results import results
from sandbox.trials.scaling import scalings

ROOT = Path(__file__).resolve().parents[1]
RUNS, SCENARIOS, IMAGES = ROOT / "runs" / "teams", ROOT / "scenarios" / "teams", ROOT / "docs" / "images"
TURNS = ("hand_off", "sequential")  # one works at a time: off the scale of the figure


def played(name: str, quick: bool):
    """The rows of a sweep, played or taken from ``runs/teams``."""
    folder = RUNS / (f"{name}-quick" if quick else name)
    batch(load(SCENARIOS / f"{name}.toml"), folder, 10 if quick else None)
    return results(folder)


def beside(rows, base):
    """Paired differences of ``rows`` from ``base``: success in points, ticks where both succeed."""
    pair = rows.set_index("trial").join(base.set_index("trial"), rsuffix="_base", how="inner")
    both = pair[pair["success"].astype(bool) & pair["success_base"].astype(bool)]
    success = paired_success(pair["success_base"].to_numpy(bool), pair["success"].to_numpy(bool))
    return success, mean_difference((both["ticks"] - both["ticks_base"]).to_numpy(float)) if len(both) > 1 else None


def protocols(quick: bool) -> None:
    """Every protocol beside each for itself, clean and with half of the messages lost."""
    found = {name: _by_protocol(name, quick) for name in ("warehouse", "wildfire")}
    lines = [[name, *row[:2], *row[4:]] for name, rows in found.items() for row in rows]
    columns = ["world", "protocol", "loss", "success %", "points beside independent", "ticks", "ticks beside",
               "messages", "turns", "stalls", "idle", "balance"]  # fmt: skip
    table("Protocols, paired on seeds, bootstrap intervals of 95 %", columns, lines)
    if not quick:
        save(_forest(found), IMAGES / "teams-protocols.png")


def _by_protocol(name: str, quick: bool) -> list[list]:
    rows, found = played(name, quick), []
    for loss, some in rows.groupby("perturb.message_loss"):
        base = some[some["team.protocol"] == "independent"]
        for protocol, own in some.groupby("team.protocol", sort=False):
            success, ticks = beside(own, base)
            points = [100 * value for value in success.difference]
            told = "{:+.0f}  {:+.0f} .. {:+.0f}".format(*ticks) if ticks else "-"
            means = own[["messages", "turns", "stalls", "idle_share", "load_balance"]].mean()
            gained = "{:+.1f}  {:+.1f} .. {:+.1f}".format(*points)
            measured = 100 * own["success"].mean(), gained, own["ticks"].mean(), told, *means
            found.append([protocol, loss, points, ticks, *measured])
    return found


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
        saved = "{:+.0f}  {:+.0f} .. {:+.0f}".format(*ticks)
        lines.append([changed, own["ticks"].mean(), saved, own["messages"].mean(), lost])
        if changed == "as it is" or changed.startswith("message_loss"):
            curve.append((told["message_loss"], ticks))
    columns = ["the market, with", "ticks", "beside independent", "messages", "of them lost"]
    table("What messages are worth: the market in the warehouse", columns, lines)
    if not quick:
        save(_curve(sorted(curve)), IMAGES / "teams-loss.png")


def _changed(told: dict) -> str:
    """In which keys a condition differs from the scenario, in words."""
    usual = {"message_loss": "0.0", "message_delay": "0.0", "network": "", "protocol": "market"}
    changed = [f"{key} {told[key]}" for key, value in usual.items() if str(told[key]) not in (value, "nan")]
    return ", ".join(changed) or "as it is"


def _curve(points: list) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.2), layout="constrained")
        axis = figure.subplots()
        doses, ticks = zip(*points, strict=True)
        saved = np.array([[-each.value, -each.high, -each.low] for each in ticks])
        axis.fill_between(doses, saved[:, 1], saved[:, 2], color=COLOURS[0], alpha=0.18, linewidth=0)
        axis.plot(doses, saved[:, 0], color=COLOURS[0], marker=MARKERS[0], markersize=4.5)
        axis.axhline(0, color="#5b6470", linewidth=0.8)
        axis.set(xlabel="share of messages that are lost", ylabel="ticks that the market saves")
    return figure


def sizes(quick: bool) -> None:
    """Throughput by team size and protocol, with both laws: a crowded hall and an open yard."""
    found, lines, laws = {}, [], []
    for name in ("sizes", "yard"):
        found[name] = scalings(played(name, quick))
        for scaling in found[name]:
            protocol = scaling.condition.rpartition("=")[2]
            lines += [[name, protocol, size.agents, *map(_told, size[1:])] for size in scaling.sizes]
            amdahl, usl = scaling.amdahl, scaling.usl
            laws.append([name, protocol, _told(amdahl.alpha), *map(_told, (usl.alpha, usl.beta, usl.best)),
                         usl.explained])  # fmt: skip
    table("Throughput: tasks done, a tick; beside one agent", ["place", "protocol", "agents", "throughput", "speed-up",
          "efficiency"], lines)  # fmt: skip
    columns = ["place", "protocol", "Amdahl's alpha", "USL alpha", "beta", "N*", "explained"]
    table("Laws, with bootstrap intervals of 95 %", columns, laws)
    if not quick:
        save(_growth(found), IMAGES / "teams-sizes.png")


def _told(estimate) -> str:
    return "{:.3g}  {:.3g} .. {:.3g}".format(*estimate)


def _growth(found: dict) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.5, 3.4), layout="constrained")
        for (name, curves), axis in zip(found.items(), figure.subplots(1, len(found)), strict=True):
            for k, scaling in enumerate(curves):
                values, low, high = np.array([size.throughput for size in scaling.sizes]).T
                agents, look = scaling.agents, {"color": COLOURS[k], "markersize": 4.5}
                label = scaling.condition.rpartition("=")[2]
                spread = [values - low, high - values]
                axis.errorbar(agents, values, yerr=spread, fmt=MARKERS[k], label=label, **look)
                along = np.geomspace(agents[0], agents[-1], 200)
                axis.plot(along, scaling.usl.throughput(along), color=COLOURS[k], linewidth=1.2)
            axis.set(title={"sizes": "small hall of shelves", "yard": "open yard"}[name], xscale="log",
                     xlabel="agents", ylabel="tasks done, a tick")  # fmt: skip
            axis.set_xticks(agents, labels=[str(n) for n in agents])
            axis.set_xticks([], minor=True)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


PEERS = ("networkx", "scipy")
PARTS = {"protocols": protocols, "loss": loss, "sizes": sizes}
