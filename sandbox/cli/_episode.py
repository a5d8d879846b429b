"""Play and record an episode, for ``run`` and ``resume``: its progress display and its outcome."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sandbox.cli._console import err, out
from sandbox.cli._keyboard import Terminal, people_at
from sandbox.cli._progress import Live
from sandbox.cli._video import film
from sandbox.core.errors import SandboxError
from sandbox.core.finish import Outcome

if TYPE_CHECKING:
    from sandbox.scenario import Scenario

Play = Callable[[Live, Terminal | None], Outcome]


def watch(folder: Path, scenario: "Scenario", video: Path | None, fps: float, play: Play) -> None:
    """Play a run to its end or to Ctrl-C, and print its outcome."""
    from sandbox.record import open_run
    from sandbox.report.tables import outcome_table
    from sandbox.running.replay import replay

    outcome, interrupted = _played(folder, scenario, play)
    out.print(outcome_table(outcome, scenario.title or folder.name))
    with open_run(folder) as record:
        out.print(f"run    {folder}", f"root   {record.meta.get('root', 'none')}", sep="\n")
        if video:
            out.print(f"video  {film(replay(record, allow=scenario.origin.grant), video, fps)}")
    if outcome.error:
        raise SandboxError(f"the run failed at tick {outcome.ticks}: {outcome.error}")
    if interrupted:
        raise typer.Exit(1)


def _played(folder: Path, scenario: "Scenario", play: Play) -> tuple[Outcome, bool]:
    """The outcome, and whether Ctrl-C ended it; the ticks until then are recorded and reported."""
    from sandbox.record import open_run

    try:
        with Live(err) as live:
            return play(live, people_at(live, scenario)), False
    except KeyboardInterrupt:
        with open_run(folder) as record:
            outcomes = record.outcomes
        if not outcomes:  # a resumed run, stopped before its recorded ticks were repeated: no tick was added
            raise
        err.print(f"stopped; the record is kept in {folder}; 'sandbox resume {folder}' continues it")
        return Outcome(**outcomes[0]), True
