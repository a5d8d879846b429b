"""The command ``sandbox skills``: let agents learn skills as programs, with ablations and transfer."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import check_place, err, out, stoppable
from sandbox.cli._options import Allow, Results, Set, Workers, opened
from sandbox.core.errors import UsageError

if TYPE_CHECKING:  # it needs an extra
    from sandbox.studies.skills import Progress


def skills(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML) with one agent")],
    seeds: Annotated[int, typer.Option(min=1, help="learners of each arm")] = 20,
    iterations: Annotated[int, typer.Option(min=1, help="programs that each learner may write")] = 160,
    workers: Workers = None,
    set_: Set = None,
    folder: Results = None,
    allow: Allow = None,
) -> None:
    """Let agents learn skills as programs, with three ablations and transfer to new seeds.

    The same command continues a study that was stopped.
    """
    import pandas as pd

    from sandbox.core.world import MAP
    from sandbox.report.skills import draw_curves, skills_table

    try:
        from sandbox.studies.skills import study
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for programs: pip install 'sandbox[code]'") from None
    chosen = opened(scenario, set_, allow)
    env = chosen.env()
    if chosen.agents[0].policy != MAP or env.agents != 1 or env.world.ladder is None:
        raise UsageError(f"{scenario}: expected a world with a ladder and one agent with the reasoner '{MAP}'")
    folder = folder or Path("runs") / f"{scenario.stem}-skills"
    check_place(folder, folder=True)
    with stoppable(folder):
        rows = study(chosen, seeds, iterations, folder, workers, partial(warm_up, chosen), _tell)
    table = skills_table(rows, chosen.title or scenario.stem)
    out.print(table)
    draw_curves(pd.read_csv(folder / "curves.csv"), folder / "curves.png")
    out.print(f"skills {folder}  (learners.csv, curves.csv, curves.png, library.toml)")


def _tell(now: "Progress") -> None:
    told = f"{now.done} of {now.total} learners"
    if now.left:
        told += f", about {now.left:,.0f} s left"
    if (one := now.latest) is not None:
        told += f"; {one.arm}, seed {one.seed}: {one.curve[-1]} achievements, {len(one.library)} skills"
    err.print(told)
