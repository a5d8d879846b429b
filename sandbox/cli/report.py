"""The command ``sandbox report``: write a page that compares runs."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of batches, certificates, single runs")],
    page: Annotated[Path, typer.Option("--out", help="the page to write")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML page that compares runs. It works while a batch still runs."""
    from sandbox.cli._page import report_of, write_page

    check_place(page)
    write_page(page, report_of(runs, page))
