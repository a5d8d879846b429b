"""The command ``sandbox report``: write a page that compares runs."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="folders of batches, certificates, single runs; or files of event logs"),
    ],
    page: Annotated[Path, typer.Option("--out", help="the page to write")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML page that compares runs. It works while a batch still runs.

    Of event logs (OCEL 2.0, XES, CSV) it shows the process: its map, a dotted chart, who works when, and what waits.
    """
    from sandbox.cli._page import log_page, report_of, write_page

    check_place(page)
    write_page(page, log_page(runs, page) if all(run.is_file() for run in runs) else report_of(runs, page))
