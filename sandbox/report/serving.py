"""The calls of models and their waits as tables for a terminal, and as one picture."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from rich import box
from rich.table import Table

from sandbox.analysis.calls import Calls, Streams
from sandbox.analysis.serving import SHARES, Point
from sandbox.report.figures import COLOURS, MARKERS, STYLE
from sandbox.statistics import CONFIDENCE, Estimate

UNITS = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))
DRAWN = 150  # calls of a stream that are drawn
NAMES = [f"p{100 * share:g}" for share in SHARES]


def unit_of(seconds: float) -> tuple[float, str]:
    """A suitable unit of time: its seconds and its name."""
    return next(((size, unit) for size, unit in UNITS if abs(seconds) >= size), UNITS[-1])


def duration(seconds: float) -> str:
    """Seconds in a suitable unit, with three digits."""
    size, unit = unit_of(seconds)
    return f"{seconds / size:.3g} {unit}"


def durations(estimate: Estimate) -> str:
    """``1.84 (1.82 .. 1.91) s``."""
    size, unit = unit_of(estimate.value)
    value, low, high = (f"{each / size:.3g}" for each in estimate)
    return f"{value} ({low} .. {high}) {unit}"


def summary(trials: Sequence[Calls], clock: str) -> str:
    """What was read, in a line."""
    calls, agents = sum(len(trial.began) for trial in trials), max(trial.agents for trial in trials)
    prompt, output = (float(np.mean(np.concatenate(each))) for each in zip(*(t[4:6] for t in trials), strict=True))
    told = "" if all(trial.counted for trial in trials) else ", estimated from the texts"
    return (
        f"{calls:,} calls, {len(trials):,} trial{'s' * (len(trials) > 1)}, up to {agents:,} agents, on the {clock}'s "
        f"clock; {prompt:,.0f} tokens read and {output:,.0f} written a call{told}"
    )


def burstiness_table(own: Streams, poisson: Streams, bulk: Streams) -> Table:
    """The statistics of three streams side by side."""
    table = Table(
        title="Burstiness: 1 is a Poisson stream, 0 an even one", title_justify="left", box=box.SIMPLE_HEAD,
        caption=f"{CONFIDENCE:.0%} intervals over trials; of made-up streams, the range of {CONFIDENCE:.0%}",
        caption_justify="left",
    )  # fmt: skip
    for name in ("", "these calls", "Poisson, same rate", "bulk job, same rate"):
        table.add_column(name, justify="right" if name else "left")
    rows = zip(own.windows, own.dispersion, poisson.dispersion, bulk.dispersion, strict=True)
    for window, *found in rows:
        table.add_row(f"index of dispersion, windows of {duration(window)}", *map(interval, found))
    found = (own.variation, poisson.variation, bulk.variation)
    table.add_row("squared coefficient of variation of gaps", *map(interval, found))
    return table


def latency_table(points: Sequence[Point], seeds: int) -> Table:
    """A row for each number of agents."""
    table = Table(
        title="One server: from the call to the last token", title_justify="left", box=box.SIMPLE_HEAD,
        caption=f"means of {seeds} seeds with {CONFIDENCE:.0%} intervals; by chance: as many calls, at any moment",
        caption_justify="left",
    )  # fmt: skip
    for name in ("agents", "busy", *NAMES, f"{NAMES[1]} by chance"):
        table.add_column(name, justify="right")
    for point in points:
        table.add_row(
            f"{point.agents:,}", f"{point.busy:.0%}", *map(durations, point.latency),
            durations(point.chance[1]),
        )  # fmt: skip
    return table


def interval(estimate: Estimate) -> str:
    """``1.20 (1.10 .. 1.31)``; without its interval if it is unknown."""
    if np.isnan(estimate.low):
        return f"{estimate.value:.2f} (unknown)"
    return f"{estimate.value:.2f} ({estimate.low:.2f} .. {estimate.high:.2f})"


def picture(trials: Sequence[Calls], points: Sequence[Point], seed: int = 0) -> Figure:
    """Calls of the first trial beside two streams of the same rate, and latencies against the number of agents."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 5.6), layout="constrained")
        above, below = figure.subplots(2, height_ratios=(1, 2.2))
        _streams(above, trials[0], np.random.default_rng(seed))
        _latencies(below, points)
    return figure


def _streams(axis, trial: Calls, rng: np.random.Generator) -> None:
    own = trial.began[:DRAWN]
    begin, end = float(own[0]), float(own[-1]) or 1.0
    even = np.linspace(begin, end, len(own))
    by_chance = np.sort(rng.uniform(begin, end, len(own)))
    size, unit = unit_of(end - begin)
    streams = [(each - begin) / size for each in (own, by_chance, even)]
    axis.eventplot(streams, lineoffsets=[2, 1, 0], linelengths=0.7, linewidths=0.9, colors=COLOURS[:3])
    axis.set_yticks([2, 1, 0], ["these calls", "Poisson", "bulk job"])
    axis.set(xlabel=f"time ({unit})", ylim=(-0.6, 2.6))
    axis.grid(visible=False)
    axis.set_title(f"{len(own)} calls of one trial, and streams of the same rate", fontsize=11, loc="left")


def _latencies(axis, points: Sequence[Point]) -> None:
    agents = [point.agents for point in points]
    for k, name in enumerate(NAMES):
        value, low, high = np.array([point.latency[k] for point in points]).T
        axis.fill_between(agents, np.maximum(low, 1e-9), high, color=COLOURS[k], alpha=0.18, linewidth=0)
        axis.plot(agents, value, color=COLOURS[k], marker=MARKERS[k], markersize=4.5, linewidth=1.6, label=name)
    chance = [point.chance[1].value for point in points]
    axis.plot(agents, chance, color=COLOURS[1], linestyle=":", linewidth=1.6, label=f"{NAMES[1]} by chance")
    most, least = max(point.latency[-1].value for point in points), min(point.latency[0].value for point in points)
    scale = "log" if most > 10 * least else "linear"
    axis.set(xscale="log", yscale=scale, xlabel="agents on one server", ylabel="from the call to the last token")
    axis.set_xticks(agents, [f"{each:,}" for each in agents])
    axis.minorticks_off()
    if scale == "log":
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axis.set_ylim(0, 1.08 * most)  # a wait that hardly grows looks like one
    axis.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: duration(seconds)))
    axis.legend(frameon=False)
