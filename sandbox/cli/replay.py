"""The command ``sandbox replay``: play a recorded trial of a run or a batch again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import err, out
from sandbox.cli._options import FPS, AllowAgain, Fps, Run, Video, granted
from sandbox.cli._progress import Live
from sandbox.cli._video import check_video, film
from sandbox.core.errors import UsageError
from sandbox.core.finish import Outcome

if TYPE_CHECKING:
    from sandbox.scenario.capabilities import Grant


def replay(
    folder: Run,
    trial: Annotated[int, typer.Option(help="number of the trial; for a batch, its row in the results")] = 0,
    record_: Annotated[Path | None, typer.Option("--out", help="for a batch: also write the whole record here")] = None,
    video: Video = None,
    fps: Fps = FPS,
    allow: AllowAgain = None,
) -> None:
    """Play a recorded trial again and check its states. Models are not called: the record has their answers."""
    from sandbox.record.table import holds_a_run

    check_video(video)
    grant = granted(allow, {})
    if not holds_a_run(folder):
        _from_batch(folder, trial, record_, video, fps, grant)
    elif record_:
        raise UsageError(f"--out {record_}: {folder} is itself the whole record of a run")
    else:
        _from_run(folder, trial, video, fps, grant)


def _from_run(folder: Path, trial: int, video: Path | None, fps: float, allow: "Grant") -> None:
    from sandbox.record import open_run
    from sandbox.report.tables import outcome_table
    from sandbox.running import replay as replays
    from sandbox.running.trial import outcome_of

    with open_run(folder) as record:
        if video:
            out.print(f"video  {film(replays.replay(record, trial, allow), video, fps)}")
        states = replays.replay(record, trial, allow)
        model = next(states)
        with Live(err) as live:
            live(model)
            for model in states:
                live(model)
        recorded = record.outcomes.get(trial)
        outcome = Outcome(**recorded) if recorded else outcome_of(model, 0.0)
        out.print(outcome_table(outcome, f"trial {trial}, replayed" + ("" if recorded else " (unfinished)")))
        out.print(f"{model.ticks} ticks replayed, every state equal to the recorded one")


def _from_batch(folder: Path, row: int, record: Path | None, video: Path | None, fps: float, allow: "Grant") -> None:
    """Play the trial in a row of a batch again, from its seed and its recorded answers."""
    from sandbox.report.tables import outcome_table
    from sandbox.running import reexecute
    from sandbox.running.reexecute import trial_of

    tried = trial_of(folder, row, allow)
    warm_up(tried.scenario, pictures=bool(video))
    if video:
        out.print(f"video  {film(tried.play(), video, fps)}")
    with Live(err) as live:
        outcome = reexecute.rerun(tried, record, live)
    out.print(outcome_table(outcome, f"row {row} of {folder.name}, played again"))
    if record:
        out.print(f"run    {record}")
    out.print(f"{outcome.ticks} ticks replayed, the final state equal to the recorded one")
