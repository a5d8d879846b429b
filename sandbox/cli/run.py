"""The command ``sandbox run``: play and record one trial."""

import functools
import itertools
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import check_place
from sandbox.cli._episode import watch
from sandbox.cli._options import FPS, Allow, Content, File, Fps, Set, Video, opened
from sandbox.cli._tracing import traced
from sandbox.cli._video import check_video
from sandbox.core.errors import SandboxError


def run(
    scenario: File,
    seed: Annotated[int | None, typer.Option(help="seed of the trial, 0..2**64-1; default: the scenario's")] = None,
    set_: Set = None,
    folder: Annotated[Path | None, typer.Option("--out", help="folder of the run; default: runs/...")] = None,
    video: Video = None,
    fps: Fps = FPS,
    trace: Annotated[str | None, typer.Option(metavar="URL", help="send traces to this OTLP endpoint")] = None,
    content: Content = False,
    allow: Allow = None,
) -> None:
    """Run one trial of a scenario, record it, and print its outcome."""
    from sandbox.record import Occupied
    from sandbox.running.resume import is_begun
    from sandbox.running.trial import run as run_trial
    from sandbox.scenario import load

    check_video(video)
    chosen = opened(scenario, set_, allow)
    if seed is not None:
        chosen = load(chosen, {"seed": seed})
    folder = folder or _new_folder(scenario.stem, chosen.seed)
    check_place(folder, folder=True)
    try:
        with traced(trace, content) as heard:
            warm_up(chosen, pictures=bool(video))
            play = functools.partial(run_trial, chosen, None, None, folder, on_event=heard)
            watch(folder, chosen, video, fps, play)
    except Occupied:
        if is_begun(folder, chosen, chosen.seed):
            raise SandboxError(f"{folder} holds this run, unfinished; 'sandbox resume {folder}' continues it") from None
        raise


def _new_folder(name: str, seed: int) -> Path:
    """The folder runs/NAME-seedS, with a number appended if that folder exists."""
    names = itertools.chain([f"{name}-seed{seed}"], (f"{name}-seed{seed}-{k}" for k in itertools.count(2)))
    return next(folder for folder in (Path("runs") / each for each in names) if not folder.exists())
