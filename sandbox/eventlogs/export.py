"""The event log of a run or batch: its trials are executed again, one after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pandas as pd

from sandbox.analysis.results import results
from sandbox.core.errors import UsageError
from sandbox.core.event_log import Part
from sandbox.eventlogs import ocel, xes
from sandbox.record.whole import replacing
from sandbox.running.reexecute import again

FORMATS: dict[str, Callable[[Iterable[Part], Path], None]] = {
    "ocel-json": ocel.write_json, "ocel-sqlite": ocel.write_sqlite, "xes": xes.write_xes,
}  # fmt: skip


def write_log(
    form: str, folder: str | Path, file: str | Path, trials: Sequence[int],
    on_trial: Callable[[int, int], None] = lambda done, of: None,
) -> None:  # fmt: skip
    """Write the log of these trials, by their numbers in the ``results`` of the folder, in a format of FORMATS.

    ``on_trial`` gets the numbers of finished trials and of all. The file is written completely or not at all. Raises
    UsageError if the world has no such log, RecordError if a trial does not run as recorded.
    """
    with replacing(file) as part:
        FORMATS[form](_parts(Path(folder), trials, on_trial), part)


def _parts(folder: Path, trials: Sequence[int], on_trial: Callable[[int, int], None]) -> Iterator[Part]:
    rows = results(folder)
    for done, number in enumerate(trials, 1):
        if pd.isna(rows.loc[number, "error"]):  # else it was never played to its end
            models = again(folder, number, int(rows.loc[number, "trial"]))
            first = next(models)
            if first.env.world.event_log is None:
                raise UsageError(f"{folder}: the world '{first.env.world.name}' has no cases and activities to log")
            yield first.env.world.event_log(chain([first], models), number)
        on_trial(done, len(trials))
