"""A report as one self-contained HTML page, which opens from disk and can be printed."""

import base64
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import jinja2

from sandbox.analysis.scaling import advice, coefficient
from sandbox.core.finish import label
from sandbox.report.inline import Still
from sandbox.report.process_figures import Process, process_figures
from sandbox.report.report_figures import Drawn, Figures, report_figures
from sandbox.report.tables import limit_words
from sandbox.statistics import Estimate


class Shown(NamedTuple):
    """One episode in pictures."""

    arm: int  # number of its study
    run: str
    conditions: int  # of that study
    episode: Any  # studies.summary.Episode
    stills: list[Still]
    command: str  # command that shows it


class Origin(NamedTuple):
    """The origin of one study."""

    seeds: str
    versions: str
    command: str
    file: str  # name of the scenario's file
    toml: str

    @property
    def uri(self) -> str:
        return "data:application/toml;base64," + base64.b64encode(self.toml.encode()).decode()


def report_page(
    studies: Sequence, compared: Sequence, shown: Sequence[Shown], skipped: int, origins: Sequence[Origin], again: str,
    samples: Sequence = (), script: tuple[str, str] = ("", ""), processes: Sequence[Process] = (),
) -> str:  # fmt: skip
    """The page of some studies (``studies.summary``), side by side.

    ``compared`` are their differences to the first (``analysis.compare``), ``skipped`` counts episodes omitted for lack
    of time, and ``again`` is the command that makes this page. ``samples`` are trials (``report.samples``), in a table
    with the ``script`` and its hash. ``processes`` are logs of some trials, in worlds with cases.
    """
    titles = list(dict.fromkeys(study.scenario.get("title") or study.name for study in studies))
    limits = sorted({each.measures.limit for study in studies for each in study.conditions})
    several = len(studies) > 1
    found, scalings, contributions = (
        [each for study in studies for each in _named(study, getattr(study, what), several)]
        for what in ("curves", "scalings", "contributions")
    )
    table = _table(studies)
    figures = report_figures(studies, table, *map(_briefly, (found, scalings, contributions)), again)
    return render(
        "report.html",
        title="; ".join(titles), summary=_summary(studies), studies=studies, several=several,
        table=table, compared=compared, curves=found, also=found[0].points[0].also if found else {},
        shown=shown, skipped=skipped, samples=samples, script=script, tokens=any(each.tokens for each in samples),
        varied=any(len(study.conditions) > 1 for study in studies), trials=sum(len(study.rows) for study in studies),
        failures=any(not each.episode.success for each in shown),
        figures=figures, processes=_drawn(processes, Figures(again, len(figures))),
        scalings=scalings, contributions=contributions, seconds=any(_tick(study) != 1 for study in studies),
        tested=any(study.tested for study in studies), broken=_kinds(studies, "failure"),
        limits=f" of {limits[0]:,}" if len(limits) == 1 else "", costs=_costs(studies), errors=_kinds(studies, "error"),
        seeds=[o.seeds for o in origins], versions=[o.versions for o in origins], again=again,
        commands=[o.command for o in origins],
        files=[{"name": o.file, "uri": o.uri, "text": o.toml} for o in origins],
    )  # fmt: skip


def process_page(processes: Sequence[Process], notes: Sequence[str], again: str) -> str:
    """The page of event logs; ``notes`` say what was left out of them."""
    title = "; ".join(each.name for each in processes)
    return render("process.html", title=title, processes=_drawn(processes, Figures(again)), notes=notes, again=again)


def _drawn(processes: Sequence[Process], draw: Figures) -> list[tuple[str, list[Drawn]]]:
    return [(each.name, process_figures(each, draw)) for each in processes]


def study_figures(study, again: str) -> dict[str, Drawn]:
    """The figures of one study by name; ``again`` is the command that makes them."""
    parts = study.curves, study.scalings, study.contributions
    return report_figures([study], _table([study]), *map(_briefly, parts), again)


def render(template: str, **values: Any) -> str:
    """A filled template of the package; all values but markup are escaped."""
    made = datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC")
    return _environment().get_template(template).render(made=made, version=_version(), **values)


@cache
def _environment() -> jinja2.Environment:
    loader = jinja2.PackageLoader("sandbox.report")
    found = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    found.filters |= {
        "percent": percent, "interval": interval, "number": number, "share": share, "cost": cost, "label": label,
        "brief": brief, "rate": rate, "unfinished": unfinished, "across": across,
        "limit": limit_words, "ticks": ticks, "span": span,
        "advice": advice, "coefficient": coefficient,
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


def rate(value: float | None) -> str:
    """A share in percent; a dash for None."""
    return "–" if value is None or math.isnan(value) else percent(value)


def number(value: float) -> str:
    """A number with one decimal; a dash for None or NaN."""
    return "–" if math.isnan(value) else f"{value:,.1f}"


def share(value: float) -> str:
    """A probability in three decimals."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def cost(value: float, name: str) -> str:
    """A mean cost as text; seconds below one are given in milliseconds."""
    if name == "seconds":
        return f"{1000 * value:.2f} ms" if value < 1 else f"{value:,.1f} s"
    if name in ("idle_share", "load_balance"):
        return share(value)
    return f"${value:,.4f}" if name == "money" else number(value)


def brief(condition: str) -> str:
    """A condition in the form of ``analysis.compare``, with only the last part of each key."""
    parts = (part.partition("=") for part in condition.split("; "))
    return ", ".join(
        f"{key.rpartition('.')[2].replace('_', ' ')} {value}" if sign else key for key, sign, value in parts
    )


def ticks(estimate: Estimate, seconds: float = 1.0) -> str:
    """A latency in ticks, or in units of so many ``seconds``."""
    return "beyond" if math.isinf(estimate.value) else f"{seconds * estimate.value:,.10g}"


def span(estimate: Estimate, form: str = "%.4g") -> str:
    """An interval as text; an end may be missing."""
    low, high = (form % value for value in estimate[1:])
    return f"{low} .. {'no end' if math.isinf(estimate.high) else high}" if not math.isinf(estimate.low) else "no end"


def unfinished(study) -> bool:
    """Whether trials are missing. A certificate that ended early, because its claim is lost, is finished."""
    return len(study.rows) < study.planned and study.kind != "certificate"


def across(study, what: str) -> str:
    """One measure over all conditions of a study, from the least to the most; conditions are never pooled."""
    told, of = ACROSS[what]
    values = [of(each.measures) for each in study.conditions if each.measures.trials]
    found = [value for value in values if value is not None and not math.isnan(value)]
    ends = list(dict.fromkeys(map(told, (min(found), max(found))))) if found else ["–"]
    return " .. ".join(ends)


ACROSS = {
    "pass^8": (share, lambda found: found.passes[-1]),
    "steps": (number, lambda found: found.mean_steps),
    "autonomy": (rate, lambda found: found.decided.autonomy),
}


def _summary(studies: Sequence) -> str:
    trials, conditions = sum(s.trials for s in studies), max(len(s.conditions) for s in studies)
    many = f"{len(studies)} runs, " if len(studies) > 1 else ""
    each = f", up to {conditions} conditions" if conditions > 1 else ""
    world = ", ".join(dict.fromkeys(study.scenario["world"]["name"] for study in studies))
    return f"World {world}; {many}{trials:,} trials that count{each}."


# -- tables ------------------------------------------------------------------------------------------------------------


def _table(studies: Sequence) -> list[dict]:
    """Every condition of every study; conditions with equal texts are adjacent."""
    order = list(dict.fromkeys(each.words for study in studies for each in study.conditions))
    rows = [
        {"condition": each.words, "arm": arm, "run": study.name, "measures": each.measures, "tick": _tick(study)}
        for arm, study in enumerate(studies)
        for each in study.conditions
    ]
    return sorted(rows, key=lambda row: order.index(row["condition"]))


def _costs(studies: Sequence) -> list[str]:
    return list(
        dict.fromkeys(name for study in studies for each in study.conditions for name in each.measures.per_trial)
    )


def _kinds(studies: Sequence, of: str) -> list[tuple[str, int, str]]:
    """Each kind of ``error`` or ``failure``, by run."""
    return [
        (study.name, int(count), str(why))
        for study in studies
        for why, count in study.rows[of].dropna().value_counts().items()
    ]


def _named(study, found: list, several: bool) -> list:
    """Results for each condition of a study, labelled with its name too if there are several studies."""
    if not several:
        return found
    named = [f"{study.name}; {each.condition}" if each.condition else study.name for each in found]
    return [each._replace(condition=name) for each, name in zip(found, named, strict=True)]


def _briefly(found: list) -> list:
    """Results with shortened conditions, for figures."""
    return [each._replace(condition=brief(each.condition)) for each in found]


def _tick(study) -> float:
    """Simulated seconds of a tick."""
    return study.scenario.get("tick_seconds", 1.0)
