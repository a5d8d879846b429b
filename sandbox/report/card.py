"""The report card as a page and as a table for a terminal; rows are those of ``trials.card``."""

import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from sandbox.report import charts
from sandbox.report.drawing import Figures
from sandbox.report.lines import lines
from sandbox.report.page import cost, percent, rate, render, share
from sandbox.statistics import CONFIDENCE, Estimate

COLUMNS = ("clean", "perturbed", "autonomy", "pass^8", "steps, ratio", "robust", "ticks", "time", "invalid", "ended")
TERMINAL = tuple(name for name in COLUMNS if name != "autonomy")  # which stands below the name there, if at all
NONE = "–"


def card_table(rows: Sequence, words: str, trials: int) -> Table:
    """One row for each scenario of each agent, and one for all of them; below a value stands its interval."""
    caption = f"{words}; {trials} trials a condition; exact {CONFIDENCE:.0%} intervals"
    table = Table(title="Report card", title_justify="left", caption=caption, caption_justify="left", box=box.SIMPLE)
    table.add_column("agent, world", no_wrap=True)
    for name in TERMINAL[:-1]:
        table.add_column(lines(*name.split(" ")), justify="right", no_wrap=True)
    table.add_column(COLUMNS[-1], overflow="fold", min_width=16)
    agent = None
    for row in rows:
        if row.agent != agent:
            agent = row.agent
            table.add_row(agent, style="bold")
        of = dict(zip(COLUMNS, cells(row), strict=True))
        told = [lines(*of[name].split("  ", 1)) for name in TERMINAL]
        own = [f"  autonomy {of['autonomy']}"] if row.worlds and row.decided.total else []
        table.add_row(lines(f"  {_name(row)}", *own), *told, end_section=_last(row), style="bold" if _last(row) else "")
    return table


def cells(row) -> list[str]:
    """What COLUMNS say of a row; two blanks stand between a value and its interval."""
    if not row.worlds:
        return ["-"] * len(COLUMNS)
    per_trial = row.per_trial
    return [
        _rate(row.clean.success), _rate(row.perturbed), rate(row.decided.autonomy), share(row.clean.passes[7]),
        f"{row.steps.value:.2f}  {row.steps.low:.2f} .. {row.steps.high:.2f}" if row.steps else NONE,
        NONE if row.robustness is None else f"{row.robustness:.3f}",
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


def _last(row) -> bool:
    return row.scenario == "overall"


def _name(row) -> str:
    return f"all {row.worlds} known" if _last(row) else row.scenario


def card_page(rows: Sequence, words: str, trials: int, again: str, origin: str) -> str:
    """The card as a self-contained page."""
    agents = list(dict.fromkeys(row.agent for row in rows))
    scenarios = list(dict.fromkeys(row.scenario for row in rows))
    of = {(row.agent, row.scenario): row for row in rows}
    return render(
        "card.html", title="Report card: " + ", ".join(agents), agents=agents, scenarios=scenarios, of=of, rows=rows,
        none_number=math.nan, columns=COLUMNS, cells=cells, name=_name, last=_last, words=words, trials=trials,
        again=again, origin=origin, figure=_figure(rows, agents, scenarios, of, again),
        maps=[_map(agents, name, of) for name in scenarios[:-1]],
    )  # fmt: skip


def _figure(rows: Sequence, agents: Sequence[str], scenarios: Sequence[str], of: dict, again: str):
    arms = [(agent, {name: of[agent, name].clean for name in scenarios if of[agent, name].worlds}) for agent in agents]
    n = max((row.clean.trials for row in rows if row.worlds and not _last(row)), default=0)
    told = f"Clean success in each world, with exact {CONFIDENCE:.0%} intervals; n = {n:,} trials a world and agent."
    return Figures(again)(charts.success(scenarios, arms), told)


def _map(agents: Sequence[str], scenario: str, of: dict) -> dict[str, Any]:
    """Success of every agent under every perturbation of one scenario, by dose."""
    known = [of[agent, scenario].doses for agent in agents if of[agent, scenario].doses]
    found = known[0] if known else {}
    heads = {name.replace("_", " "): [dose for dose in doses if dose > min(doses)] for name, doses in found.items()}
    lines = [(agent, _line(of[agent, scenario], found)) for agent in agents]
    return {"scenario": scenario, "heads": heads, "lines": lines}


def _line(row, heads: dict) -> list[float]:
    """Clean success, then that of each perturbation and dose; NaN where there is none."""
    places = [(name, dose) for name, doses in heads.items() for dose in doses if dose > min(doses)]
    if not row.worlds:
        return [math.nan] * (1 + len(places))
    clean = row.clean.success.value if row.clean.success else math.nan
    return [clean, *((row.doses or {}).get(name, {}).get(dose, math.nan) for name, dose in places)]
