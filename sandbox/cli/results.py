"""The command ``sandbox results``: print the tables of a batch, and export its rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import check_kind, out

if TYPE_CHECKING:
    import pandas as pd

EXPORTS = {".csv": "to_csv", ".parquet": "to_parquet"}  # methods of a DataFrame


def results(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a batch, finished or not")],
    file: Annotated[Path | None, typer.Option("--out", help="also write its rows: .csv or .parquet")] = None,
) -> None:
    """Print the tables of a batch again without running anything, and export its rows."""
    from sandbox.record.whole import replacing

    check_kind(file, "table", EXPORTS)
    rows = print_tables(folder)
    if file:
        with replacing(file) as part:
            getattr(rows, EXPORTS[file.suffix])(part, index=False)
        out.print(f"table  {file}  ({len(rows):,} rows)")


def print_tables(folder: Path) -> "pd.DataFrame":
    """Print the tables of a batch; returns its rows."""
    from sandbox.analysis.results import results
    from sandbox.analysis.robustness import curves
    from sandbox.report.tables import batch_notes, batch_table, robustness_table

    rows = results(folder)
    out.print(batch_table(rows, rows.attrs["scenario"].get("title") or folder.name))
    for note in batch_notes(rows):
        out.print(note)
    if drawn := curves(rows):
        out.print(robustness_table(drawn))
    return rows
