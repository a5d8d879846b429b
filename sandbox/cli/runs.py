"""The command ``sandbox runs``: list the runs, batches and certificates of a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli._console import out
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.running.listing import Entry


def runs(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD...", help="list only runs with all these words")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="default: runs, or SANDBOX_RUNS")
    ] = None,
    sort: Annotated[str, typer.Option(help="when, scenario, model, acted, outcome or length")] = "when",
    reverse: Annotated[bool, typer.Option("--reverse", help="the other way round")] = False,
    most: Annotated[int, typer.Option(min=1, help="rows at most")] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="print JSON, a list of all that is known of each run")
    ] = False,
) -> None:
    """List runs, batches and certificates: when, scenario, model, who acted, outcome, length, tags."""
    import json

    from sandbox.report.tables import runs_table
    from sandbox.running.listing import RUNS, chosen, listing

    place = folder or RUNS
    if folder and not folder.is_dir():
        raise UsageError(f"--in {folder}: no such folder")
    found = chosen(listing(place), " ".join(words or ()), sort, reverse)
    if as_json:
        print(json.dumps([_known(entry) for entry in found[:most]], indent=2))
        return
    if not found:
        out.print(f"no runs below {place}" + (" with these words" if words else ""))
        return
    out.print(runs_table(found[:most], place))
    if len(found) > most:
        out.print(f"{most:,} of {len(found):,} runs; --most shows more, words after the command choose among them")


def _known(entry: "Entry") -> dict[str, Any]:
    return {**entry._asdict(), "called": entry.words(), "outcome": entry.outcome, "length": entry.length}
