"""The outcomes of a batch as a table for pandas."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from sandbox.core.errors import RecordError
from sandbox.record.store import one_line
from sandbox.record.table import read_table, read_trial
from sandbox.scenario import Scenario, load


class Tried(NamedTuple):
    """One trial of a batch or a certificate, and what it takes to play it again."""

    scenario: Scenario  # of its condition
    seed: int
    digest: str  # of the last state, hexadecimal: what it must come to again
    outcome: dict[str, Any]  # by measure


def results(folder: str | Path) -> pd.DataFrame:
    """One row for each trial so far: the condition's number, what is swept, and the outcome's measures.

    Paired analysis: rows of one ``seed`` belong together. Rows with an ``error`` are infrastructure failures and count
    neither for nor against an agent. Columns with a dot in their name are keys of the sweep (a list or table as JSON);
    ``attrs`` has the ``scenario`` as it ran, when it was ``created``, and of the latest call how many trials it
    ``planned``, and its ``versions``. Raises RecordError where there is no batch.
    """
    found = read_table(folder)
    kinds = {"success": bool, "steps_to_completion": float, "error": "string"}  # also where all of them are missing
    frame = pd.DataFrame(found.rows, columns=found.columns).astype(kinds)
    keys = list(dict.fromkeys(key for overrides in found.overrides.values() for key in overrides))
    for place, key in enumerate(keys, 1):
        usual = _stated(found.scenario, key)
        values = {number: _plain(overrides.get(key, usual)) for number, overrides in found.overrides.items()}
        frame.insert(place, key, frame["condition"].map(values))
    frame.attrs |= {"scenario": found.scenario, "created": found.created, **found.facts}
    return frame


def trial_of(folder: str | Path, row: int) -> Tried:
    """The trial in a row of ``results``, counted from 0; RecordError where there is no such batch or row."""
    scenario, overrides, columns = read_trial(folder, row)
    try:
        base = Scenario.model_validate({**scenario, "sweep": {}})
    except ValidationError as error:
        raise RecordError(f"{folder}: its scenario is none ({one_line(str(error))})") from None
    outcome = {name: value for name, value in columns.items() if name not in ("condition", "trial")}
    return Tried(load(base, overrides), outcome["seed"], outcome["digest"], outcome)


def swept_keys(rows: pd.DataFrame) -> list[str]:
    """The columns that are keys of the sweep."""
    return [key for key in rows.columns if "." in key]


def _plain(value: Any) -> Any:
    """A value that rows can be grouped by."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _stated(scenario: dict, key: str) -> Any:
    """What the scenario itself says of a swept key: a dose is 0 where it says nothing, another value None."""
    place: Any = scenario
    for part in key.split("."):
        place = place[int(part)] if isinstance(place, list) else place.get(part)
        if place is None:
            return 0.0 if key.startswith("perturb.") else None
    return place
