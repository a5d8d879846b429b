"""Outcomes and worlds as tables for a terminal."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from sandbox.analysis.autonomy import decided, is_tested
from sandbox.analysis.measures import measures, tick_limit
from sandbox.core.finish import Outcome, label, notable
from sandbox.core.perturb import GENERIC
from sandbox.core.world import World
from sandbox.report.kinds import kind_of
from sandbox.report.lines import lines
from sandbox.statistics import CONFIDENCE, Estimate

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.running.listing import Entry

NOTES = 3  # kinds of errors that are listed below a table
_WIDTH = {"scenario": 10, "model": 8, "outcome": 10}  # of columns, at least


def outcome_table(outcome: Outcome, title: str) -> Table:
    """One row for each measure that ``notable`` keeps."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    shown = notable(outcome.as_dict()) | {"tasks_done": f"{outcome.tasks_done} of {outcome.tasks_total or 'no end'}"}
    decided = outcome.own_decisions + outcome.fallbacks + outcome.taken_over
    if decided and outcome.autonomy is not None:
        whose = {"autonomy": f"{outcome.autonomy:.1%} of {decided:,} decisions"}
        shown = {name: shown[name] for name in ("world", "seed", "success")} | whose | shown | whose
    for name, value in shown.items():
        if name in ("tasks_total", "ticks" if outcome.success else "steps_to_completion"):
            continue
        good = outcome.success if name in ("success", "finish") else name not in ("error", "failure")
        style = "red" if not good else "green" if name in ("success", "finish") else ""
        table.add_row(label(name), _text(value), style=style)
    return table


def _text(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def batch_table(rows: "pd.DataFrame", title: str) -> Table:
    """One row for each condition: success with its exact interval, and the restricted mean of steps."""
    keys = [key for key in rows.columns if "." in key]
    table = Table(
        title=title, title_justify="left", caption=f"exact {CONFIDENCE:.0%} intervals; steps: restricted mean"
    )
    for key in keys:
        table.add_column(key, overflow="fold")
    imagines, tested = rows["imagined_ticks"].any(), is_tested(rows)
    more = (["autonomy"] if tested else []) + (["imagined"] if imagines else [])
    for name in ("trials", "success, interval", "steps", *more, "errors"):
        table.add_column(name, justify="right", overflow="fold")
    for _, group in rows.groupby("condition"):
        overrides = {key: group[key].iloc[0] for key in keys}
        found = measures(group, tick_limit(rows.attrs["scenario"], overrides, group))
        told = (_rate(found.success), f"{found.mean_steps:.4g}") if found.success else ("-", "-")
        more = ([share(found.decided.autonomy)] if tested else []) + (
            [f"{group['imagined_ticks'].mean():,.0f}"] if imagines else []
        )
        table.add_row(*map(str, overrides.values()), f"{found.trials:,}", *told, *more, str(found.errors))
    return table


def runs_table(entries: "Sequence[Entry]", place: Path) -> Table:
    """One row for each run of a listing, with its folder below ``place``."""
    table = Table(title=f"runs below {place}", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    columns = {
        "when": [entry.at for entry in entries],
        "scenario": [entry.name or entry.title for entry in entries],
        "model": [entry.model for entry in entries], "acted": [entry.acted for entry in entries],
        "outcome": [entry.outcome for entry in entries], "length": [entry.length for entry in entries],
        "tags": [", ".join(entry.tags) for entry in entries],
        "folder": [os.path.relpath(entry.folder, place) for entry in entries],
    }  # fmt: skip
    shown = {name: told for name, told in columns.items() if any(told)}  # all may be of policies, and none have tags
    for name in shown:
        table.add_column(name, overflow="fold", no_wrap=name in ("when", "length"), min_width=_WIDTH.get(name))
    for entry, told in zip(entries, zip(*shown.values(), strict=True), strict=True):
        table.add_row(*told, style="red" if entry.problem or entry.state == "failed" else "")
    return table


def batch_notes(rows: "pd.DataFrame") -> list[str]:
    """Notes below a batch's table: who decided, how agents failed, infrastructure errors."""
    who, notes = decided(rows), []
    if who.total and who.own < who.total:
        notes.append(f"{who.fallbacks:,} of {who.total:,} decisions were a fallback's: success is not the agents' own")
    for name, words in (("failure", "an agent broke off"), ("error", "infrastructure error, not counted")):
        for why, count in rows[name].dropna().value_counts().head(NOTES).items():
            notes.append(f"{words}, {count:,} trials: {why}")
    return notes


def share(value: float | None) -> str:
    """A share in percent; a dash for None."""
    return "-" if value is None or math.isnan(value) else f"{value:.1%}"


def certificate_table(certificate: dict) -> Table:
    """A certificate: each stratum, then the whole, and whether the claim is earned."""
    claim = certificate["claim"]
    verdict = "EARNED" if certificate["earned"] else "NOT EARNED"
    title = f"{verdict}: success of the {claim['of']} in at least {claim['reliability']:.10g} of trials"
    table = Table(title=title, title_justify="left", caption=f"one-sided {claim['confidence']:.10g} bounds, exact")
    table.add_column("stratum", overflow="fold")
    for name in ("trials", "failures", "success at least"):
        table.add_column(name, justify="right", overflow="fold")
    who = certificate["decisions"]
    if who["total"]:
        table.caption += f"; autonomy {share(who['autonomy'])} of {who['total']:,} decisions"
    if certificate["errors"]:
        table.caption += f"; {certificate['errors']:,} infrastructure errors, not counted"
    strata = certificate["strata"] if len(certificate["strata"]) > 1 else []
    for stratum in [*strata, {**certificate, "overrides": None}]:
        words = "all"
        if stratum["overrides"] is not None:
            words = ", ".join(f"{key} = {value}" for key, value in stratum["overrides"].items()) or "as it stands"
        table.add_row(words, f"{stratum['trials']:,}", str(stratum["failures"]), f"{stratum['bound']:.7f}")
    return table


def robustness_table(curves: list) -> Table:
    """Success and steps at each severity of each perturbation, and the difference to the clean trials."""
    caption = (
        f"exact {CONFIDENCE:.0%} intervals; beside clean: paired on seeds; p: McNemar; *: also by Holm; steps: "
        "restricted mean, below it the difference where both succeed"
    )
    table = Table(title="Robustness", title_justify="left", caption=caption, box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("perturbation", overflow="fold", min_width=16)
    for name in ("severity", "n", "success", "beside clean", "steps"):
        table.add_column(name, justify="right", overflow="fold")
    for curve in curves:
        told = [_point(point) for point in curve.points]
        mean = f"mean over severities {curve.area.value:.1%}" if curve.area else ""
        name = lines(*_named(curve.perturbation, curve.condition), mean, *filter(None, [limit_words(curve)]))
        for k, cells in enumerate(told):
            table.add_row(name if k == 0 else "", *(lines(*cell) for cell in cells), end_section=k == len(told) - 1)
    return table


def limit_words(curve) -> str:
    """A note for a curve whose success does not show the effect of severity."""
    if curve.at_ceiling:
        return "success is at its ceiling: look at steps"
    return "success is at its floor: nothing is left to disturb" if curve.at_floor else ""


def _named(what: str, condition: str) -> list[str]:
    return [what, condition] if condition else [what]


def _point(point) -> tuple[list[str], ...]:
    """The lines of each cell of a row."""
    paired, beside, steps = point.beside_clean, ["clean"], [f"{point.steps:,.1f}"]
    if paired:
        beside = [*_signed(*(100 * value for value in paired.difference)).split(" ", 1)]
        beside.append(f"p {_p(paired.p_value, point.adjusted)}")
    if point.steps_beside:
        steps += _signed(*point.steps_beside).split(" ", 1)
    return [f"{point.severity:g}"], [f"{point.trials:,}"], _rate(point.success).split("  ", 1), beside, steps


def _p(value: float, adjusted: float) -> str:
    """The p-value, which agrees with its interval, with a mark if it is significant after adjustment in its table."""
    return f"{value:.1g}{' *' if adjusted < 1 - CONFIDENCE else ''}"


def _rate(rate: Estimate) -> str:
    return f"{100 * rate.value:.2f} %  {100 * rate.low:.2f} .. {100 * rate.high:.2f}"


def comparison_table(rows: list, title: str) -> Table:
    """Runs compared with the first one: paired differences, each with its interval and the gain from pairing."""
    caption = (
        f"paired on seeds; {CONFIDENCE:.0%} intervals; p: McNemar; *: also by Holm, for all rows; r: correlation of "
        "the pairs; saves: of the variance, by pairing"
    )
    table = Table(title=title, title_justify="left", caption=caption)
    table.add_column("run, condition", overflow="fold", min_width=16)
    tested = any(row.decided for row in rows)
    for name in ("pairs", "success, points", "p", "steps, both succeed", *(["autonomy"] if tested else [])):
        table.add_column(name, justify="right", overflow="fold")
    for row in rows:
        points = lines(
            *_signed(*(100 * value for value in row.success.difference)).split(" ", 1), *_paired(row.pairing)
        )
        steps = lines(*_signed(*row.steps).split(" ", 1), *_paired(row.steps_pairing)) if row.steps else "-"
        name = lines(*_named(row.run, row.condition))
        who = [lines(share(row.autonomy[1]), f"first {share(row.autonomy[0])}")] if tested else []
        told = f"{row.success.pairs:,}", points, _p(row.success.p_value, row.adjusted), steps
        table.add_row(name, *told, *who, end_section=True)
    return table


def _paired(found) -> list[str]:
    """The gain from pairing, if it can be measured."""
    return [f"r {found.correlation:.2f}, saves {found.saved:.0%}"] if found else []


def foresight_table(rows: list, title: str) -> Table:
    """Prediction error by horizon, in view and out of view."""
    caption = (
        f"of the facts that changed, the share foreseen wrongly; {CONFIDENCE:.0%} intervals over episodes; "
        "still: the error of who believes that nothing changes; alarms: changes that did not come, for each that did"
    )
    table = Table(title=title, title_justify="left", caption=caption)
    table.add_column("seen at first", no_wrap=True)
    for name in ("ticks", "changed", "error", "still", "alarms"):
        table.add_column(name, justify="right", overflow="fold")
    for row in rows:
        shares = (_share(row.error), f"{row.still.value:.3f}", f"{row.alarms:.2f}") if row.error else ("-", "-", "-")
        table.add_row(row.view, str(row.horizon), f"{row.changed:,}", *shares)
    return table


def _share(rate: Estimate) -> str:
    return f"{rate.value:.3f}  {rate.low:.3f} .. {rate.high:.3f}"


def _signed(value: float, low: float, high: float) -> str:
    return f"{value:+.1f} {low:+.1f}..{high:+.1f}"


def worlds_table(worlds: list[World]) -> Table:
    """A table of all worlds."""
    table = Table("world", "what happens there", "layouts", title="Worlds", title_justify="left", show_lines=True)
    for world in worlds:
        table.add_row(world.name, world.summary, _few(world.layouts))
    return table


def table_of(rows: "pd.DataFrame", title: str) -> Table:
    """Rows of texts and numbers, as they are."""
    table = Table(*rows.columns, title=title, title_justify="left")
    for row in rows.itertuples(index=False):
        table.add_row(*map(str, row))
    return table


def _few(names: tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def world_tables(world: World) -> list[Table]:
    """Tables of a world's verbs, options, perturbations, and tasks that teams can share."""
    verbs = Table("verb", "what it does", title=f"{world.name}: {world.summary}", title_justify="left")
    for tool in world.tools(None):
        verbs.add_row(tool["name"], tool["description"])
    options = Table("option", "default", "kind", "what it is", title="[world] in a scenario", title_justify="left")
    for name, option in world.options.model_json_schema()["properties"].items():
        if name not in ("agents", "perturb"):
            default = option.get("default")
            words = default if isinstance(default, str) else "" if default is None else json.dumps(default)
            options.add_row(name, words, kind_of(option), option.get("description", ""))
    perturbations = Table("perturbation", "severity 0..1", title="[perturb] in a scenario", title_justify="left")
    for perturbation in (*world.perturbations, *GENERIC):
        perturbations.add_row(perturbation.name, perturbation.summary)
    tasks = Table("kind of task", "what it asks for", title="[[team.tasks]] in a scenario", title_justify="left")
    for kind in world.teamwork.kinds if world.teamwork else ():
        tasks.add_row(kind.name, kind.texts[0].format(what="X"))
    return [verbs, options, perturbations, *([tasks] if world.teamwork else [])]
