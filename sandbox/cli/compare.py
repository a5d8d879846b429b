"""The command ``sandbox compare``: compute paired differences between batches."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import out


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="folders of batches; the first is the base")],
    base: Annotated[
        str | None,
        typer.Option(metavar="KEY=VALUE,...", help="for one RUN: the condition to compare its others with"),
    ] = None,
) -> None:
    """Compare batches, or the conditions of one batch, by paired differences on shared seeds."""
    from sandbox.analysis.compare import compare as compared
    from sandbox.analysis.results import results
    from sandbox.report.tables import comparison_table

    title = f"Compared with {base}" if base else "Compared with the first run"
    out.print(comparison_table(compared(runs, base), title))
    for run in runs:
        if errors := int(results(run)["error"].notna().sum()):
            out.print(f"{run}: {errors:,} trials are infrastructure errors and are left out")
