"""The command ``sandbox batch``: run every condition of a scenario on many seeds."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._compiling import warm_up_batch
from sandbox.cli._console import check_place, err, out, stoppable
from sandbox.cli._options import Allow, On, Results, Set, Swept, Workers, opened_sweep
from sandbox.cli._progress import Counting
from sandbox.cli.results import print_tables


def batch(
    scenario: Swept,
    trials: Annotated[int | None, typer.Option(min=1, help="seeds of each condition; default: the scenario's")] = None,
    perturb: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FROM:TO:STEP", help="robustness curve: vary one severity at a time"),
    ] = None,
    workers: Workers = None,
    on: On = None,
    set_: Set = None,
    folder: Results = None,
    allow: Allow = None,
) -> None:
    """Try every condition of a scenario on many seeds. The same command continues a batch that was stopped."""
    from sandbox.analysis.measures import check_errors
    from sandbox.analysis.robustness import curves, dose_sweep
    from sandbox.report.figures import robustness, save
    from sandbox.running import batch as batches
    from sandbox.scenario import load

    chosen = opened_sweep(scenario, set_, allow)
    chosen = load(chosen, dose_sweep(chosen, perturb))
    folder = folder or Path("runs") / f"{scenario.stem}-batch"
    check_place(folder, folder=True)
    with stoppable(folder), Counting(err, chosen.title or scenario.stem) as counting:
        batches.batch(chosen, folder, trials, workers, on, on_plan=warm_up_batch, on_progress=counting)
    rows = print_tables(folder)
    if drawn := curves(rows):
        save(robustness(drawn), folder / "robustness.svg")
        out.print(f"figure {folder / 'robustness.svg'}")
    out.print(f"batch  {folder}  (sandbox.results({str(folder)!r}) opens it in pandas)")
    out.print(f"root   {rows.attrs['root']}")
    check_errors(rows, str(folder))
