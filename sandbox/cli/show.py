"""The command ``sandbox show``: the transcript of a trial."""

from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import err, out
from sandbox.cli._options import Run
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.running.transcript import Transcript


def show(
    folder: Run,
    trial: Annotated[int, typer.Option(min=0, help="number of the trial; for a batch, its row in the results")] = 0,
    agent: Annotated[list[int] | None, typer.Option(min=0, help="number of an agent; may be repeated")] = None,
    tick: Annotated[str | None, typer.Option(metavar="A:B", help="ticks A to B, or one tick")] = None,
    find: Annotated[str, typer.Option(metavar="WORDS", help="only turns with all these words")] = "",
    most: Annotated[int, typer.Option(min=1, help="turns at most")] = 40,
    decisive: Annotated[
        bool, typer.Option("--decisive", help="also find the tick after which even the world's oracle fails")
    ] = False,
    long: Annotated[bool, typer.Option("--long", help="whole texts of prompts, replies and observations")] = False,
) -> None:
    """Show what agents saw, were sent, answered and did, what came of it, and where it went wrong first."""
    from sandbox.report.transcript import transcript_lines, turn_lines
    from sandbox.running.transcript import transcript

    found = transcript(folder, trial, agent or None, _ticks(tick), decisive=decisive)
    turns = [turn for turn in found.turns if turn.has(find)]
    out.print(*transcript_lines(found), sep="\n")
    for turn in turns[:most]:
        out.print("", *turn_lines(turn, found.reasoners[turn.agent], long), sep="\n")
    if len(turns) > most:
        err.print(f"{most:,} of {len(turns):,} turns; --tick, --agent and --find choose among them, --most shows more")
    elif not turns:
        err.print(_none(found, find))


def _none(found: "Transcript", find: str) -> str:
    return "no turn has all these words" if find and found.turns else f"no such ticks; expected 1..{found.ticks}"


def _ticks(given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    first, colon, last = given.partition(":")
    try:
        start = int(first) if first or not colon else 1
        end = (int(last) if last else 2**31) if colon else start
    except ValueError:
        raise UsageError(f"--tick {given[:40]}: expected a tick or A:B, such as 10:20") from None
    return start, end
