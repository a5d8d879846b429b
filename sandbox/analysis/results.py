"""The outcomes of a batch as a table for pandas."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from sandbox.core.errors import RecordError, UsageError
from sandbox.core.finish import Outcome
from sandbox.record import RunStarted, open_run
from sandbox.record.table import Rows, holds_a_run, read_table, runs_in


def results(folder: str | Path) -> pd.DataFrame:
    """One row for each trial so far: the number of its condition, the swept values, and the measures of its outcome.

    For a paired analysis, join rows of equal ``seed``. Rows with an ``error`` are infrastructure errors and count
    neither for nor against an agent. ``autonomy`` is the share of decisions that were the agents' own. Columns with a
    dot in their name are keys of the sweep (a list or table as JSON). ``attrs`` has the ``scenario`` as it ran, the
    time when it was ``created``, and, for the latest call, the number of trials ``planned``, ``max_errors`` and
    ``versions``. A single run is a batch of its trials, with the ``root`` of its record. A folder of single runs of one
    scenario, such as ``sandbox seat`` writes, is a batch of theirs, in the order of their seeds. Raises RecordError if
    the folder holds none of these, UsageError if its runs are of several scenarios.
    """
    if runs := runs_in(folder):
        found = _together(runs)
    else:
        found = _single(Path(folder)) if holds_a_run(folder) else read_table(folder)
    texts = dict.fromkeys(("error", "failure"), "string")
    kinds = {"success": bool, **dict.fromkeys(("steps_to_completion", "autonomy"), float), **texts}  # even if empty
    frame = pd.DataFrame(found.rows, columns=found.columns)
    for name in [name for name in Outcome._field_defaults if name not in frame]:
        frame[name] = Outcome._field_defaults[name]  # a batch of an earlier version lacks it
    frame = frame.astype(kinds)
    keys = list(dict.fromkeys(key for overrides in found.overrides.values() for key in overrides))
    for place, key in enumerate(keys, 1):
        usual = _stated(found.scenario, key)
        values = {number: plain_value(overrides.get(key, usual)) for number, overrides in found.overrides.items()}
        frame.insert(place, key, frame["condition"].map(values))
    frame.attrs |= {"scenario": found.scenario, "created": found.created, **found.facts}
    return frame


def _single(folder: Path) -> Rows:
    """The trials of a recorded run in the form of a batch."""
    with open_run(folder) as run:
        first, meta, outcomes = next(run.events(), None), run.meta, run.outcomes
    if not isinstance(first, RunStarted):
        raise RecordError(f"{folder}: the record does not begin with a scenario; nothing can be reported")
    rows = [(0, trial, *Outcome(**outcome)) for trial, outcome in outcomes.items()]
    facts = {"planned": first.trials, "versions": first.versions, "root": meta.get("root")}
    return Rows(["condition", "trial", *Outcome._fields], rows, first.scenario, {0: {}}, meta["created"], facts)


def _together(folders: list[Path]) -> Rows:
    """The trials of several runs in the form of one batch."""
    first, *others = each = [_single(folder) for folder in folders]
    for folder, other in zip(folders[1:], others, strict=True):
        if other.scenario != first.scenario:
            raise UsageError(f"{folder}: it is of another scenario than {folders[0]}; expected runs of one scenario")
    at = first.columns.index("seed")
    rows = sorted((row for one in each for row in one.rows), key=lambda row: row[at])
    facts = {"planned": sum(one.facts["planned"] for one in each), "versions": first.facts["versions"]}
    numbered = [(0, trial, *row[2:]) for trial, row in enumerate(rows)]
    return first._replace(rows=numbered, created=min(one.created for one in each), facts=facts)


def swept_keys(rows: pd.DataFrame) -> list[str]:
    """The columns that are keys of the sweep."""
    return [key for key in rows.columns if "." in key]


def plain_value(value: Any) -> Any:
    """A value by which rows can be grouped."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _stated(scenario: dict, key: str) -> Any:
    """The scenario's own value of a swept key; without one, 0 for a severity and None for other keys."""
    place: Any = scenario
    for part in key.split("."):
        place = place[int(part)] if isinstance(place, list) else place.get(part)
        if place is None:
            return 0.0 if key.startswith("perturb.") else None
    return place
