"""The command ``sandbox serving``: when models were called, and how long agents would wait for one server."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_kind, err, out
from sandbox.cli._progress import Episodes
from sandbox.core.errors import UsageError

CLOCKS = "world: the time in the world (its own clock if it has one, else ticks); run: the computer's clock"
PICTURES = (".png", ".svg")


def serving(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run or batch with language models")],
    clock: Annotated[str, typer.Option(metavar="CLOCK", help=CLOCKS)] = "world",
    server: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="a server: llama2-70b, or a TOML file")
    ] = "llama2-70b",
    agents: Annotated[str, typer.Option(metavar="N,N,...", help="numbers of agents")] = "1,2,5,10,20,50,100,200,500",
    condition: Annotated[int | None, typer.Option(min=0, help="of a sweep: the number of one condition")] = None,
    part: Annotated[
        float, typer.Option("--middle", metavar="SHARE", help="count the middle share of each trial's calls: .5 a half")
    ] = 1.0,
    picture: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="also draw it: .png or .svg")] = None,
) -> None:
    """Show how bursty the calls of language models are, and the latency if N such agents share one server."""
    from sandbox.analysis.calls import Clock, bulk, burstiness, calls_in, middle, poisson
    from sandbox.analysis.serving import SEEDS, curve, server_of
    from sandbox.report import serving as shown
    from sandbox.report.figures import save

    if not 0 < part <= 1:
        raise UsageError(f"--middle {part:g}: expected a share above 0, at most 1")
    if clock not in list(Clock):
        raise UsageError(f"--clock {clock}: expected {' or '.join(Clock)}")
    check_kind(picture, "picture", PICTURES)
    chosen, counts = server_of(server), _counts(agents)
    with Episodes(err, folder.name) as told:
        trials = [middle(trial, part) for trial in calls_in(folder, Clock(clock), condition, told)]
    out.print(shown.summary(trials, clock))
    out.print(shown.burstiness_table(burstiness(trials), poisson(trials), bulk(trials)))
    points = curve(trials, chosen, counts)
    out.print(shown.latency_table(points, SEEDS))
    out.print(f"server  {chosen.source or server}")
    if picture:
        save(shown.picture(trials, points), picture)
        out.print(f"picture {picture}")


def _counts(text: str) -> list[int]:
    """Numbers of agents, in order."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 1 <= int(part) <= 10_000 for part in parts):
        raise UsageError(f"--agents {text}: expected whole numbers from 1 to 10,000, such as 1,10,100")
    return sorted({int(part) for part in parts})
