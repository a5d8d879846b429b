"""The results of a batch as tables and figures for its page, from the same studies as reports."""

import math
import shlex
import threading
from functools import lru_cache
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
from markupsafe import Markup

from sandbox.analysis.compare import Comparison, beside_first
from sandbox.analysis.results import results, swept_keys
from sandbox.cli._page import report_of
from sandbox.core.errors import UsageError
from sandbox.record.table import Glance
from sandbox.report.page import study_figures
from sandbox.running.listing import Stamp, stamp
from sandbox.statistics import success_rate
from sandbox.studies.summary import Episode, Study, condition_words, open_study, slowest, worst

KEPT = 3  # studies in memory: one of a million trials is large
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples are spread evenly over 0..1
PAIRED = 12  # conditions that are compared with the first
# Matplotlib's settings belong to the whole process, and sessions draw at the same time.
_drawing = threading.Lock()
FIGURE = Markup("<figure>{}<figcaption>{}</figcaption></figure>")


def study_of(folder: str) -> Study:
    """The current results of a batch or certificate; raises RecordError if there are none."""
    return _study(folder, stamp(folder))


@lru_cache(KEPT)
def _study(folder: str, _: Stamp) -> Study:
    return open_study(folder)


def so_far(known: Glance, most: int) -> pd.DataFrame:
    """A row for each of the first conditions while trials come in: success with its exact interval, in percent."""
    rows, words = [], condition_words(known.overrides)
    for number, (trials, successes, errors) in islice(known.counts.items(), most):
        counted = trials - errors
        rate = success_rate(successes, counted) if counted else (None, None, None)
        rows.append([words[number], counted, *map(_percent, rate), errors])
    numbers = dict.fromkeys(("success", "low", "high"), float)
    return pd.DataFrame(rows, columns=["condition", "trials", *numbers, "errors"]).astype(numbers)


def conditions(study: Study) -> pd.DataFrame:
    """A row for each condition: success with its exact interval in percent, steps, and the cost of a trial."""
    rows = []
    for each in study.conditions:
        found = each.measures
        half, most = ([*(rate.value for rate in found.latency), math.inf, math.inf])[:2]
        rows.append({
            "condition": each.words, "trials": found.trials,
            **dict(zip(("success", "low", "high"), map(_percent, found.success or (None,) * 3), strict=True)),
            **({"autonomy": _percent(found.decided.autonomy)} if study.tested else {}),
            "pass^8": _finite(found.passes[-1]), "steps": _finite(found.mean_steps),
            "p50": _finite(half), "p95": _finite(most), "errors": found.errors,
        })  # fmt: skip
    return pd.DataFrame(rows)


def points(study: Study) -> pd.DataFrame:
    """A row for each severity of each perturbation: success in percent, and its difference to the clean trials."""
    rows = []
    for curve in study.curves:
        for point in curve.points:
            beside = point.beside_clean.difference if point.beside_clean else (None, None, None)
            rows.append({
                "perturbation": curve.perturbation, "condition": curve.condition, "severity": point.severity,
                "trials": point.trials,
                **dict(zip(("success", "low", "high"), map(_percent, point.success), strict=True)),
                "beside clean": _percent(beside[0]), "from": _percent(beside[1]), "to": _percent(beside[2]),
                "p": point.beside_clean.p_value if point.beside_clean else None,
                "p, Holm": point.adjusted if point.beside_clean else None,
                "steps": _finite(point.steps),
            })  # fmt: skip
    return pd.DataFrame(rows)


def paired(study: Study) -> pd.DataFrame:
    """Each condition compared with the first, on the same seeds; empty with a single condition."""
    chosen = study.conditions[: PAIRED + 1]
    rows = study.rows.drop(columns=swept_keys(study.rows))
    arms = {f"{k} {each.words}": rows[rows["condition"] == k] for k, each in enumerate(chosen)}
    found = beside_first(arms) if len(arms) > 1 else []
    return _compared([row._replace(run=row.run.partition(" ")[2]) for row in found])


def beside(folder: str, other: str) -> pd.DataFrame:
    """Another batch compared with this one, condition by condition; raises UsageError if they share no seeds."""
    found = beside_first({folder: results(folder), other: results(other)})
    if not found:
        raise UsageError("these two share no seeds under equal conditions, so no trials can be paired")
    return _compared([row._replace(run=row.condition or "all trials") for row in found])


def _compared(found: list[Comparison]) -> pd.DataFrame:
    rows = []
    for row in found:
        steps = row.steps or (None, None, None)
        value, low, high = map(_percent, row.success.difference)
        rows.append({
            "condition": row.run, "pairs": row.success.pairs, "success": value, "low": low, "high": high,
            "p": row.success.p_value, "p, Holm": row.adjusted, "steps, mean": _finite(steps[0]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def episodes(study: Study, most: int) -> list[Episode]:
    """Selected trials: failures first, then the slowest successes."""
    failed = [each for each in worst(study, most) if not each.success]
    return failed + slowest(study, most - len(failed))


def trials(study: Study, condition: int, most: int) -> pd.DataFrame:
    """The trials of a condition that count, for a chart: at most ``most``, evenly taken; the index is their row."""
    rows = study.rows[(study.rows["condition"] == condition) & study.rows["error"].isna()]
    rows = rows.iloc[:: max(1, math.ceil(len(rows) / most))]
    found = rows[["seed", "ticks", "finish", "success"]].copy()
    found["seed"] = found["seed"].astype(str)  # 64 bits are more than a browser can count
    found["tasks"] = [_tasks(*pair) for pair in zip(rows["tasks_done"], rows["tasks_total"], strict=True)]
    found["address"] = [f"replay?{urlencode({'run': study.name, 'trial': row})}" for row in rows.index]
    found["place"] = (rows["trial"] * GOLDEN) % 1  # apart from its neighbours
    return found


def _tasks(done: int, total: int) -> str:
    return f"{done} of {total}" if total else f"{done}"


def figures(folder: str) -> str:
    """The figures of a report as HTML, with all text escaped; colours are the variables ``--c0`` .."""
    return _figures(folder, stamp(folder))


@lru_cache(KEPT)
def _figures(folder: str, now: Stamp) -> str:
    study = _study(folder, now)
    with _drawing:
        drawn = study_figures(study, shlex.join(["sandbox", "report", folder]))
    return Markup().join(FIGURE.format(each.drawing, each.caption) for each in drawn.values())


def report_page(folder: str) -> bytes:
    """The report of one batch, equal to that of ``sandbox report``."""
    with _drawing:
        return report_of([Path(folder)], Path("report.html")).encode()


def table(folder: str) -> bytes:
    """All rows as CSV."""
    return results(folder).to_csv(index=False).encode()


def _percent(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else 100 * value


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
