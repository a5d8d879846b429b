"""The command ``sandbox fit``: a scenario from an event log."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place, out, usable_worlds
from sandbox.core.event_log import Fit


def fit(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="an event log: OCEL 2.0 (JSON or SQLite), XES or CSV")],
    file: Annotated[Path, typer.Option("--out", help="the scenario")] = Path("fitted.toml"),
    cases: Annotated[
        str | None, typer.Option(metavar="KIND", help="OCEL: the kind of objects that are cases; default: the busiest")
    ] = None,
) -> None:
    """Estimate arrivals, service times and routing from an event log, and write them as a scenario that runs."""
    from sandbox.eventlogs.read import read

    check_place(file)
    found = read(log, cases)
    estimate = next(own for world in usable_worlds() if (own := world.fit))
    fitted = estimate(found.events, log.stem)
    told(fitted._replace(notes=[*fitted.notes, *found.notes]), file)


def told(made: Fit, file: Path) -> None:
    """Write a scenario, and print what it was made of."""
    from sandbox.record.whole import write_text
    from sandbox.report.tables import table_of
    from sandbox.scenario import load
    from sandbox.scenario.load import as_toml

    write_text(file, as_toml(load(made.scenario).as_dict()))
    for title, rows in made.tables.items():
        out.print(table_of(rows, title))
    for note in made.notes:
        out.print(note)
    out.print(f"scenario  {file}")
