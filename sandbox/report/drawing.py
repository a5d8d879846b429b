"""The figures of a report's page, numbered, each with its caption."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from sandbox.report import charts
from sandbox.report.inline import svg
from sandbox.statistics import CONFIDENCE

MOST_SERIES = 7  # lines of a figure: more than there are colours cannot be told apart
MOST_ROWS = 36  # conditions of a figure; tables hold all


class Drawn(NamedTuple):
    """A figure in its place on a page."""

    number: int
    drawing: Markup
    caption: str


class Figures:
    """Draws and numbers the figures of a page; each says how it is made again."""

    def __init__(self, command: str):
        self._command, self._count = command, 0

    def __call__(self, figure, told: str) -> Drawn:
        """One figure, or small multiples."""
        self._count += 1
        several = figure if isinstance(figure, list) else [figure]
        parts = [svg(each, f"f{self._count}{chr(97 + k)}", told) for k, each in enumerate(several)]
        drawing = Markup('<div class="multiples">{}</div>').format(Markup().join(parts)) if parts[1:] else parts[0]
        return Drawn(self._count, drawing, Markup("{} Again: <code>{}</code>").format(told, self._command))


def report_figures(
    studies: Sequence, table: Sequence[dict], curves: Sequence, scalings: Sequence, contributions: Sequence, again: str
) -> dict[str, Drawn]:
    """The figures of some studies by name; ``table`` has a row for each condition of each."""
    draw, series, what = Figures(again), *_series(studies)
    trials = f"n = {sum(study.whole.trials for study in studies):,} trials"
    order = list(dict.fromkeys(each.words for study in studies for each in study.conditions))
    arms = [(study.name, {each.words: each.measures for each in study.conditions}) for study in studies]
    rows, more = order[:MOST_ROWS], len(order) - MOST_ROWS
    beyond = f" The first {MOST_ROWS} conditions; the table holds {more} more." if more > 0 else ""
    level = f"{CONFIDENCE:.0%}"
    found = {
        "success": draw(
            charts.success(rows, arms),
            f"Success in each condition, with exact (Clopper-Pearson) {level} intervals. {trials}, {_each(studies)} a "
            f"condition.{beyond}",
        ),
        "passes": draw(charts.passes(series), f"The chance that k trials all succeed, {what}. {trials}; no interval."),
        "completion": draw(
            charts.completion(series),
            f"Share of trials that are done by each tick, {what}. {trials}; pointwise {level} intervals (Greenwood, "
            "log-log). Trials stopped from outside are censored; failed ones are not done up to the tick limit.",
        ),
    }
    bars, ended = _bars(studies, table), "How trials ended, as shares of those that count"
    found["finishes"] = draw(charts.finishes(bars), f"{ended}. {trials}; no interval.")
    if curves:
        found["robustness"] = draw(
            [charts.doses(own) for own in _by_perturbation(curves)],
            f"Success against the dose of each perturbation, all else as in the clean trials on the same seeds; exact "
            f"{level} intervals. n = {_spread([p.trials for c in curves for p in c.points])} trials a point.",
        )
    return found | _of_teams(draw, scalings, contributions)


def _of_teams(draw: Figures, scalings: Sequence, contributions: Sequence) -> dict[str, Drawn]:
    """Team size, and who contributed what."""
    found, level = {}, f"{CONFIDENCE:.0%}"
    if scalings:
        found["scaling"] = draw(
            [charts.scaling(each) for each in scalings],
            f"Throughput against team size: means of n = {_spread([each.seeds for each in scalings])} trials a size on "
            f"the same seeds, {level} intervals; both laws as fitted; dotted: in proportion to the smallest.",
        )
    if contributions:
        found["contribution"] = draw(
            charts.contribution(contributions),
            f"Throughput that is lost while an agent is there but does nothing, as a share of the whole team's. "
            f"n = {_spread([each.success.pairs for each in contributions])} pairs each, {level} intervals.",
        )
    return found


def lines_of(curves: Sequence) -> list[str]:
    """What each colour of the robustness curves stands for."""
    return list(dict.fromkeys(curve.condition for curve in curves))


def _by_perturbation(curves: Sequence) -> list[list[tuple[int, Any]]]:
    """The curves of each perturbation, each with the number of its colour."""
    names, order = dict.fromkeys(curve.perturbation for curve in curves), lines_of(curves)
    return [[(order.index(c.condition), c) for c in curves if c.perturbation == name] for name in names]


def _series(studies: Sequence) -> tuple[list[tuple[str, Any]], str]:
    """One series a run; of a single run one a condition, unless these are too many; and what a line stands for."""
    (first, *others), most = studies, MOST_SERIES
    if not others and len(first.conditions) <= most:
        return [(each.words, each.measures) for each in first.conditions], "a line for each condition"
    pooled = [(study.name, study.whole._replace(passes=tuple(mean_passes(study)))) for study in studies]
    return pooled, "all conditions together" + (", a line for each run" if others else "")


def _bars(studies: Sequence, table: Sequence[dict]) -> list[tuple[str, Any]]:
    rows = [(row["condition"], row) for row in table]
    if len(rows) > MOST_ROWS:
        return [(study.name, study.whole) for study in studies]
    several = len(studies) > 1
    return [(f"{name}; {row['run']}" if several else name, row["measures"]) for name, row in rows]


def mean_passes(study) -> list[float]:
    """pass^1 .. pass^8 of a study: the mean over its conditions that have trials enough."""
    found = np.array([each.measures.passes for each in study.conditions if each.measures.trials])
    if not len(found):
        return [math.nan] * len(study.whole.passes)
    return [float(np.mean(column)) for column in found.T]


def _each(studies: Sequence) -> str:
    return _spread([each.measures.trials for study in studies for each in study.conditions])


def _spread(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
