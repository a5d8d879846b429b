"""The command ``sandbox export``: a run as a file of another tool."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place, err, out
from sandbox.cli._options import Run
from sandbox.cli._progress import Episodes
from sandbox.core.errors import UsageError

MOST = 100  # trials in a file that is read as a whole, unless they are chosen
Write = Callable[[Path, Path, Sequence[int], Callable[[int, int], None]], None]  # run, file, trials, on progress


class Format(StrEnum):
    """The files that can be written."""

    EVAL = "eval"
    OCEL_JSON = "ocel-json"
    OCEL_SQLITE = "ocel-sqlite"
    XES = "xes"


TOLD = (
    "eval: a log of Inspect AI (extra inspect); ocel-json, ocel-sqlite: an object-centric event log, OCEL 2.0; "
    "xes: an event log; the latter three of worlds with cases"
)


def export(
    folder: Run,
    format: Annotated[Format, typer.Argument(metavar="FORMAT", help=TOLD)],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="the file to write")],
    trial: Annotated[
        list[int] | None,
        typer.Option(min=0, help=f"number of a trial; may be repeated; default: all; eval: the first {MOST}"),
    ] = None,
) -> None:
    """Write a run as a file of another tool."""
    from sandbox.analysis.results import results

    write = _writer(format)
    check_place(file)
    known = results(folder).index.tolist()
    chosen = trial or (known[:MOST] if format == Format.EVAL else known)
    for number in chosen:
        if number not in known:
            raise UsageError(f"--trial {number}: expected 0..{len(known) - 1}")
    with Episodes(err, folder.name) as shown:
        write(folder, file, chosen, shown)
    out.print(f"{format}   {file}  ({len(chosen):,} of {len(known):,} trials, {file.stat().st_size / 1000:,.0f} kB)")
    if not trial and len(chosen) < len(known):
        err.print("--trial chooses others")


def _writer(format: Format) -> Write:
    if format != Format.EVAL:
        from sandbox.eventlogs.export import write_log

        return partial(write_log, format.value)
    try:
        from sandbox.telemetry.eval_log import write_eval
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for {format} files: pip install 'sandbox[inspect]'") from None
    return write_eval
