"""The report card as a page and as a table for a terminal; rows are those of ``studies.card``."""

import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from sandbox.report import report_figures
from sandbox.report.lines import lines
from sandbox.report.page import cost, percent, rate, render, share
from sandbox.report.report_figures import Figures
from sandbox.statistics import CONFIDENCE, Estimate

COLUMNS = ("clean", "perturbed", "autonomy", "pass^8", "steps, ratio", "robust", "ticks", "time", "invalid", "ended")
TERMINAL = (  # columns in a terminal, with an interval below its value, and autonomy, if any, below the name
    ("clean",), ("perturbed",), ("steps, ratio",), ("robust",), ("pass^8", "invalid"), ("ticks", "time"), ("ended",),
)  # fmt: skip
NONE = "–"


def card_table(rows: Sequence, words: str, trials: int) -> Table:
    """A table of the agents, world by world; the interval is below the value."""
    caption = f"{words}; {trials} trials a condition; {CONFIDENCE:.0%} intervals"
    table = Table(
        title="Report card", title_justify="left", caption=caption, caption_justify="left", box=box.SIMPLE,
        padding=0, show_edge=False,
    )  # fmt: skip
    table.add_column("world, agent", overflow="fold", min_width=9)
    for names in TERMINAL[:-1]:
        heads = names if len(names) > 1 else names[0].replace(",", "").split(" ")
        table.add_column(lines(*heads), justify="right", no_wrap=True)
    table.add_column(COLUMNS[-1], overflow="fold", min_width=9)
    for scenario in dict.fromkeys(row.scenario for row in rows):
        own = [row for row in rows if row.scenario == scenario]
        table.add_row(scenario, style="bold")
        for row in own:
            of = dict(zip(COLUMNS, cells(row), strict=True))
            shown = [names if row.known else names[:1] for names in TERMINAL]
            told = [
                [part.replace(" .. ", "..") for name in names for part in of[name].split("  ", 1)] for names in shown
            ]
            more = [f" autonomy {of['autonomy']}"] if row.known and row.decided.total else []
            table.add_row(lines(f" {row.agent}", *more), *(lines(*parts) for parts in told), end_section=row is own[-1])
    return table


def standing(each) -> str:
    """Text about where an agent was tried, and its worst and best world. Worlds are never pooled."""
    told = f"{each.agent}: tried in {each.tried} of {each.of} worlds"
    if not each.worst:
        return told
    ends = (f"{row.scenario} ({percent(row.clean.success.value)})" for row in (each.worst, each.best))
    if each.worst is each.best:
        return f"{told}: {next(ends)}"
    return "{}; clean success: worst in {}, best in {}".format(told, *ends)


def cells(row) -> list[str]:
    """The values of COLUMNS in a row, with two blanks between a value and its interval."""
    if not row.known:
        return ["-"] * len(COLUMNS)
    per_trial = row.per_trial
    return [
        _rate(row.clean.success), _rate(row.perturbed), rate(row.decided.autonomy), share(row.clean.passes[7]),
        f"{row.steps.value:.2f}  {row.steps.low:.2f} .. {row.steps.high:.2f}" if row.steps else NONE,
        "{:.2f}  {:.2f} .. {:.2f}".format(*row.robustness) if row.robustness else NONE,
        *(cost(per_trial[name], name) if name in per_trial else NONE for name in ("ticks", "seconds")),
        f"{per_trial['invalid_actions']:.2f}" if "invalid_actions" in per_trial else NONE,
        _ended(row),
    ]  # fmt: skip


def _rate(rate: Estimate | None) -> str:
    return f"{percent(rate.value)}  {100 * rate.low:.0f} .. {100 * rate.high:.0f}" if rate else NONE


def _ended(row) -> str:
    total = sum(row.finishes.values())
    told = [f"{name} {count / total:.0%}" for name, count in row.finishes.items()]
    return ", ".join([*told, *([f"({row.errors} errors not counted)"] if row.errors else [])])


def card_page(rows: Sequence, standings: Sequence, words: str, trials: int, again: str, origin: str) -> str:
    """The card as a self-contained page."""
    agents = list(dict.fromkeys(row.agent for row in rows))
    scenarios = list(dict.fromkeys(row.scenario for row in rows))
    of = {(row.agent, row.scenario): row for row in rows}
    return render(
        "card.html", title="Report card: " + ", ".join(agents), agents=agents, scenarios=scenarios, of=of, rows=rows,
        none_number=math.nan, columns=COLUMNS, cells=cells,
        standings=[standing(each) for each in standings], words=words, trials=trials,
        again=again, origin=origin, figure=_figure(rows, agents, scenarios, of, again),
        maps=[_map(agents, name, of) for name in scenarios],
    )  # fmt: skip


def _figure(rows: Sequence, agents: Sequence[str], scenarios: Sequence[str], of: dict, again: str):
    arms = [(agent, {name: of[agent, name].clean for name in scenarios if of[agent, name].known}) for agent in agents]
    n = max((row.clean.trials for row in rows if row.known), default=0)
    told = f"Clean success in each world, with exact {CONFIDENCE:.0%} intervals; n = {n:,} trials a world and agent."
    return Figures(again)(report_figures.success(scenarios, arms), told)


def _map(agents: Sequence[str], scenario: str, of: dict) -> dict[str, Any]:
    """Success of every agent under every perturbation of one scenario, by severity."""
    known = [of[agent, scenario].severities for agent in agents if of[agent, scenario].severities]
    found = known[0] if known else {}
    heads = {
        name.replace("_", " "): [severity for severity in severities if severity > min(severities)]
        for name, severities in found.items()
    }
    lines = [(agent, _line(of[agent, scenario], found)) for agent in agents]
    return {"scenario": scenario, "heads": heads, "lines": lines}


def _line(row, heads: dict) -> list[float]:
    """Clean success, then that of each perturbation and severity; NaN if missing."""
    places = [
        (name, severity) for name, severities in heads.items() for severity in severities if severity > min(severities)
    ]
    if not row.known:
        return [math.nan] * (1 + len(places))
    clean = row.clean.success.value if row.clean.success else math.nan
    return [clean, *((row.severities or {}).get(name, {}).get(severity, math.nan) for name, severity in places)]
