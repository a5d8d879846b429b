"""The outcomes of a batch as a table for pandas."""

from pathlib import Path

import pandas as pd

from sandbox.record.table import read_table


def results(folder: str | Path) -> pd.DataFrame:
    """One row for each trial so far: the condition's number, what it overrides, and the outcome's measures.

    Paired analysis: rows of one ``seed`` belong together. Rows with an ``error`` are infrastructure failures and count
    neither for nor against an agent. Raises RecordError where there is no batch.
    """
    columns, rows, conditions = read_table(folder)
    frame = pd.DataFrame(rows, columns=columns).astype({"success": bool})
    keys = list(dict.fromkeys(key for overrides in conditions.values() for key in overrides))
    for place, key in enumerate(keys, 1):
        values = {number: overrides.get(key) for number, overrides in conditions.items()}
        frame.insert(place, key, frame["condition"].map(values))
    return frame
