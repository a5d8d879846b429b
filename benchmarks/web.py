"""The web: steps a second, and who breaks when: success against severity for each factor and policy."""

from pathlib import Path

import matplotlib
import numpy as np

import sandbox
from benchmarks.report import Figure, at_least, at_most, console, show, table
from benchmarks.rounds import Pace, in_turns
from sandbox.core.finish import Finish
from sandbox.statistics import success_rate
from sandbox.worlds.web.state import Session

matplotlib.use("Agg")
from matplotlib import pyplot as plt

TARGET = 500_000  # agent-steps a second on one thread, observations included
PLOT = Path(__file__).parents[1] / "docs" / "images" / "web-robustness.png"
SEVERITIES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
TABLED = [1, 2, 3, 5]  # of these, in the table
STYLES = {  # Okabe and Ito's colours, told apart by marker and line too
    "oracle": ("#009e73", "s", "-"), "semantic": ("#0072b2", "o", "-"), "rules": ("#d55e00", "^", "--"),
    "idle": ("#5b6470", "x", ":"),
}  # fmt: skip
LABELS = {"rules": "rules: macro by id", "semantic": "semantic: by role and label", "oracle": "oracle", "idle": "idle"}


def speed(quick: bool) -> list[Figure]:
    """Random play, which never stands still: all templates, one thread, observations and resets included."""
    paces, episodes = [], 2000 if quick else 10_000
    for agents in (1, 2):
        env = sandbox.make("web", agents=agents)
        env.play([0], "random")

        def work(env=env, agents=agents) -> int:
            state, _ = env.play(range(episodes), "random", threads=1)
            return int(state.tick.sum()) * agents

        paces.append(Pace(f"random play, {agents} agent{'s' * (agents > 1)}", work))
    in_turns(3 if quick else 5, *paces)
    return [pace.figure("agent-steps", cpu=True, target=at_least(TARGET)) for pace in paces]


def outcomes(factor: str, severity: float, policy: str, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Success and harm of each seed; two agents, all templates, the same seeds throughout."""
    env = sandbox.make(
        "web", agents=2, perturb={factor: severity} if factor != "all" else dict.fromkeys(_factors(), severity)
    )
    state, _ = env.play(range(seeds), policy, threads=None)
    return state.done == Finish.COMPLETED, state.session[:, :, Session.HARM].sum(axis=1) > 0


def _factors() -> list[str]:
    return [p.name for p in sandbox.make("web").world.perturbations]


def robustness(quick: bool) -> None:
    """Success against severity, with exact (Clopper-Pearson) 95 % intervals, as a table and a plot."""
    seeds, rows, curves = 200 if quick else 1000, [], {}
    for factor in (*_factors(), "all"):
        for policy in STYLES:
            points, harmed = [], []
            for severity in SEVERITIES:
                good, harm = outcomes(factor, severity, policy, seeds)
                points.append(success_rate(int(good.sum()), seeds))
                harmed.append(harm.mean())
            curves[factor, policy] = np.array(points), np.array(harmed)
            if policy in ("rules", "semantic"):
                cells = [
                    f"{p:.2f} {low:.2f}-{high:.2f}".replace("0.", ".") for p, low, high in (points[k] for k in TABLED)
                ]
                rows.append([factor, policy, *cells, f"{harmed[-1]:.2f}"])
    columns = ["factor", "policy", *(f"severity {severity:g}" for severity in (SEVERITIES[k] for k in TABLED)), "harm"]
    table(
        f"Success, {seeds} paired seeds, exact 95 % intervals; share of episodes with harm at severity 1", columns, rows
    )
    least = min(curves[key][0][:, 0].min() for key in curves if key[1] == "oracle")
    most = max(curves[key][0][:, 0].max() for key in curves if key[1] == "idle")
    clean = min(curves[key][0][0, 0] for key in curves if key[1] != "idle")
    show("Targets", [
        Figure("severity 0, least of rules, semantic, oracle", "success", [float(clean)], target=at_least(1)),
        Figure("oracle, least of all severities", "success", [float(least)], target=at_least(1)),
        Figure("idle, most of all severities", "success", [float(most)], target=at_most(0)),
    ])  # fmt: skip
    if not quick:
        plot(curves, seeds)


def plot(curves: dict, seeds: int) -> None:
    """Small multiples, one for each factor."""
    factors = list(dict.fromkeys(factor for factor, _ in curves))
    figure, axes = plt.subplots(3, 3, figsize=(10, 8), sharex=True, sharey=True, layout="constrained")
    for axis, factor in zip(axes.flat, factors, strict=True):
        for policy, (colour, marker, line) in STYLES.items():
            points, harmed = curves[factor, policy]
            axis.fill_between(SEVERITIES, points[:, 1], points[:, 2], color=colour, alpha=0.18, linewidth=0)
            look = {"markersize": 9, "markerfacecolor": "none"} if policy == "oracle" else {"markersize": 4.5}
            look["clip_on"] = False
            axis.plot(SEVERITIES, points[:, 0], line, color=colour, marker=marker, label=LABELS[policy], **look)
            if policy == "semantic" and harmed.max() > 0:
                axis.plot(
                    SEVERITIES, harmed, ":", color="#cc79a7", marker="D", markersize=3.5, label="semantic: did harm"
                )
        axis.set_title(factor.replace("_", " ") if factor != "all" else "all at once", fontsize=11)
        axis.set_ylim(0, 1.04)
        axis.grid(alpha=0.25)
    for axis in axes[-1]:
        axis.set_xlabel("severity")
    figure.supylabel("share of episodes")
    found = {
        label: handle for axis in axes.flat for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle(f"Who breaks when: 22 web tasks, {seeds} paired seeds, exact 95 % intervals", fontsize=12)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=110)
    console.print(f"drawn: {PLOT.relative_to(PLOT.parents[2])}")


PEERS = ("scipy", "matplotlib")
SPEEDS = {"speed": speed}
PARTS = {"robustness": robustness}
