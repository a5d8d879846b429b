"""The command ``sandbox foresight``: measure the error of imagination."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_kind, err, out
from sandbox.cli._options import Allow, Set, opened
from sandbox.cli._progress import Episodes


def foresight(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML); agents[0].world_model is measured")],
    trials: Annotated[int, typer.Option(min=2, help="episodes, on as many seeds")] = 20,
    set_: Set = None,
    figure: Annotated[Path | None, typer.Option("--out", help="also draw it: .svg or .png")] = None,
    allow: Allow = None,
) -> None:
    """Measure the error of imagination by horizon: predictions of agents compared with what happens."""
    from sandbox.analysis import prediction_error as foresights
    from sandbox.report.figures import foresight as draw
    from sandbox.report.figures import save
    from sandbox.report.tables import foresight_table

    check_kind(figure, "figure", (".svg", ".png"))
    chosen = opened(scenario, set_, allow)
    title = chosen.title or scenario.stem
    with Episodes(err, title) as shown:
        rows = foresights.foresight(chosen, trials, shown)
    out.print(foresight_table(rows, title))
    if figure:
        save(draw({title: rows}), figure)
        out.print(f"figure {figure}")
