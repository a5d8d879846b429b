"""A report as one self-contained HTML page: nothing is fetched, it opens from disk and prints."""

import base64
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import jinja2
import numpy as np
from markupsafe import Markup

from sandbox.report import charts
from sandbox.report.inline import svg
from sandbox.report.pictures import Still
from sandbox.statistics import CONFIDENCE, Estimate

MOST_SERIES = 7  # lines of a figure: more than there are colours cannot be told apart
MOST_ROWS = 36  # conditions of a figure; tables hold all
WORDS = {"refused_actions": "prevented actions"}


class Drawn(NamedTuple):
    """A figure in its place on a page."""

    number: int
    drawing: Markup
    caption: str


class Shown(NamedTuple):
    """One episode in pictures."""

    arm: int  # number of its study
    run: str
    conditions: int  # of that study
    episode: Any  # trials.study.Episode
    stills: list[Still]
    command: str  # that shows it


class Origin(NamedTuple):
    """Where one study comes from."""

    seeds: str
    versions: str
    command: str
    file: str  # name of the scenario's file
    toml: str

    @property
    def uri(self) -> str:
        return "data:application/toml;base64," + base64.b64encode(self.toml.encode()).decode()


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


def report_page(
    studies: Sequence, compared: Sequence, shown: Sequence[Shown], skipped: int, origins: Sequence[Origin], again: str
) -> str:
    """The page of some studies (``trials.study``), side by side.

    ``compared`` are their differences to the first (``trials.compare``), ``skipped`` counts episodes that there was no
    time to show, and ``again`` is the command that makes this page.
    """
    titles = list(dict.fromkeys(study.scenario.get("title") or study.name for study in studies))
    limits = sorted({each.measures.limit for study in studies for each in study.conditions})
    found = [point for study in studies for point in _curves(study, len(studies) > 1)]
    return render(
        "report.html",
        title="; ".join(titles), summary=_summary(studies), studies=studies, several=len(studies) > 1,
        table=_table(studies), compared=compared, curves=found, lines=_lines(found), shown=shown, skipped=skipped,
        failures=any(not each.episode.success for each in shown), figures=_figures(studies, found, again),
        limits=f" of {limits[0]:,}" if len(limits) == 1 else "", costs=_costs(studies), errors=_errors(studies),
        seeds=[o.seeds for o in origins], versions=[o.versions for o in origins], again=again,
        commands=[o.command for o in origins],
        files=[{"name": o.file, "uri": o.uri, "text": o.toml} for o in origins],
    )  # fmt: skip


def render(template: str, **values: Any) -> str:
    """A template of ours, filled; whatever is not markup is escaped."""
    made = datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC")
    return _environment().get_template(template).render(made=made, version=_version(), **values)


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.PackageLoader("sandbox.report")
    found = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    found.filters |= {
        "percent": percent, "interval": interval, "number": number, "share": share, "cost": cost, "words": words,
        "brief": brief, "unfinished": unfinished, "passes": mean_passes,
    }  # fmt: skip
    return found


def _version() -> str:
    from importlib.metadata import version

    return version("sandbox")


# -- words and numbers -------------------------------------------------------------------------------------------------


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def interval(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.1f} .. {100 * estimate.high:.1f} %"


def number(value: float) -> str:
    """With one decimal; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:,.1f}"


def share(value: float) -> str:
    """A probability in three decimals."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def cost(value: float, name: str) -> str:
    """Seconds below one are milliseconds."""
    if name == "seconds":
        return f"{1000 * value:.2f} ms" if value < 1 else f"{value:,.1f} s"
    return f"${value:,.4f}" if name == "money" else number(value)


def brief(condition: str) -> str:
    """A condition as ``trials.compare`` has it, with the ends of its keys only."""
    parts = (part.partition("=") for part in condition.split("; "))
    return ", ".join(f"{words(key.rpartition('.')[2])} {value}" if sign else key for key, sign, value in parts)


def words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def unfinished(study) -> bool:
    """Whether trials are still to come; a certificate whose claim is lost ends early and is finished."""
    return len(study.rows) < study.planned and not study.certificate


def mean_passes(study) -> list[float]:
    """pass^1 .. pass^8 of a study: the mean over its conditions that have trials enough."""
    found = np.array([each.measures.passes for each in study.conditions if each.measures.trials])
    if not len(found):
        return [math.nan] * len(study.whole.passes)
    return [float(np.mean(column)) for column in found.T]


def _summary(studies: Sequence) -> str:
    trials, conditions = sum(s.whole.trials for s in studies), max(len(s.conditions) for s in studies)
    many = f"{len(studies)} runs, " if len(studies) > 1 else ""
    each = f", up to {conditions} conditions" if conditions > 1 else ""
    world = ", ".join(dict.fromkeys(study.scenario["world"]["name"] for study in studies))
    return f"World {world}; {many}{trials:,} trials that count{each}."


# -- tables ------------------------------------------------------------------------------------------------------------


def _table(studies: Sequence) -> list[dict]:
    """Every condition of every study, those of equal words beside each other."""
    order = list(dict.fromkeys(each.words for study in studies for each in study.conditions))
    rows = [
        {"condition": each.words, "arm": arm, "run": study.name, "measures": each.measures}
        for arm, study in enumerate(studies)
        for each in study.conditions
    ]
    return sorted(rows, key=lambda row: order.index(row["condition"]))


def _costs(studies: Sequence) -> list[str]:
    return list(dict.fromkeys(name for study in studies for name in study.whole.per_trial))


def _errors(studies: Sequence) -> list[tuple[str, int, str]]:
    """Each kind of infrastructure error, by run."""
    return [
        (study.name, int(count), str(error))
        for study in studies
        for error, count in study.rows["error"].dropna().value_counts().items()
    ]


def _curves(study, several: bool) -> list:
    if not several:
        return study.curves
    named = [f"{study.name}; {curve.condition}" if curve.condition else study.name for curve in study.curves]
    return [curve._replace(condition=name) for curve, name in zip(study.curves, named, strict=True)]


# -- figures -----------------------------------------------------------------------------------------------------------


def _figures(studies: Sequence, curves: Sequence, again: str) -> dict[str, Drawn]:
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
    bars, ended = _bars(studies), "How trials ended, as shares of those that count"
    found["finishes"] = draw(charts.finishes(bars), f"{ended}. {trials}; no interval.")
    if curves:
        found["robustness"] = draw(
            [charts.doses(own) for own in _by_perturbation(curves)],
            f"Success against the dose of each perturbation, all else as in the clean trials on the same seeds; exact "
            f"{level} intervals. n = {_spread([p.trials for c in curves for p in c.points])} trials a point.",
        )
    return found


def _lines(curves: Sequence) -> list[str]:
    """What each colour of the robustness curves stands for."""
    return list(dict.fromkeys(curve.condition for curve in curves))


def _by_perturbation(curves: Sequence) -> list[list[tuple[int, Any]]]:
    """The curves of each perturbation, each with the number of its colour."""
    names, order = dict.fromkeys(curve.perturbation for curve in curves), _lines(curves)
    return [[(order.index(c.condition), c) for c in curves if c.perturbation == name] for name in names]


def _series(studies: Sequence) -> tuple[list[tuple[str, Any]], str]:
    """One series a run; of a single run one a condition, unless these are too many; and what a line stands for."""
    (first, *others), most = studies, MOST_SERIES
    if not others and len(first.conditions) <= most:
        return [(each.words, each.measures) for each in first.conditions], "a line for each condition"
    pooled = [(study.name, study.whole._replace(passes=tuple(mean_passes(study)))) for study in studies]
    return pooled, "all conditions together" + (", a line for each run" if others else "")


def _bars(studies: Sequence) -> list[tuple[str, Any]]:
    rows = [(row["condition"], row) for row in _table(studies)]
    if len(rows) > MOST_ROWS:
        return [(study.name, study.whole) for study in studies]
    several = len(studies) > 1
    return [(f"{name}; {row['run']}" if several else name, row["measures"]) for name, row in rows]


def _each(studies: Sequence) -> str:
    return _spread([each.measures.trials for study in studies for each in study.conditions])


def _spread(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
