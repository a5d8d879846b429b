"""The figures of a report's page, numbered, each with its caption."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from sandbox.report import charts
from sandbox.report.figures import distinct
from sandbox.report.inline import svg
from sandbox.statistics import CONFIDENCE

MOST_SERIES = 12  # lines of a figure
MOST_ROWS = 36  # conditions, or bars, of a figure; tables hold all


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
    draw, series = Figures(again), _series(studies, table)
    trials = f"n = {sum(study.trials for study in studies):,} trials"
    order = list(dict.fromkeys(each.words for study in studies for each in study.conditions))
    arms = [(study.name, {each.words: each.measures for each in study.conditions}) for study in studies]
    rows, more = order[:MOST_ROWS], len(order) - MOST_ROWS
    beyond = f" The first {MOST_ROWS} conditions; the table holds {more} more." if more > 0 else ""
    drawn, kept = series[:MOST_SERIES], len(series) - MOST_SERIES
    what = "a line for each condition" + (" of each run" if len(studies) > 1 else "")
    what += f", the first {MOST_SERIES}; the table holds {kept} more" if kept > 0 else ""
    level = f"{CONFIDENCE:.0%}"
    found = {
        "success": draw(
            charts.success(rows, arms),
            f"Success in each condition, with exact (Clopper-Pearson) {level} intervals. {trials}, {_each(studies)} a "
            f"condition.{beyond}",
        ),
        "passes": draw(charts.passes(drawn), f"The chance that k trials all succeed, {what}. {trials}; no interval."),
        "completion": draw(
            charts.completion(drawn),
            f"Share of trials that are done by each tick, {what}. {trials}; pointwise {level} intervals (Greenwood, "
            "log-log). Trials stopped from outside are censored; failed ones are not done up to the tick limit.",
        ),
    }
    ended = "How trials ended, as shares of those that count"
    left = f" The first {MOST_ROWS} bars of {len(series)}." if len(series) > MOST_ROWS else ""
    found["finishes"] = draw(charts.finishes(series[:MOST_ROWS]), f"{ended}. {trials}; no interval.{left}")
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
            list(map(charts.scaling, scalings, distinct([each.condition for each in scalings]))),
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


def _series(studies: Sequence, table: Sequence[dict]) -> list[tuple[str, Any]]:
    """The measures of each condition of each run by name; conditions are never pooled."""
    several = len(studies) > 1
    return [(f"{row['condition']}; {row['run']}" if several else row["condition"], row["measures"]) for row in table]


def _each(studies: Sequence) -> str:
    return _spread([each.measures.trials for study in studies for each in study.conditions])


def _spread(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
