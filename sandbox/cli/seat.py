"""The command ``sandbox seat``: let an agent from outside take a seat in a team, by MCP."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place, err
from sandbox.cli._options import Allow, File, Set, opened
from sandbox.core.errors import UsageError


def seat(
    scenario: File,
    agent: Annotated[list[int] | None, typer.Option(help="number of an agent in a seat; default: 0")] = None,
    http: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="serve HTTP there instead of stdio")] = None,
    patience: Annotated[float, typer.Option(min=0.01, help="seconds that a tick waits for a client")] = 60.0,
    folder: Annotated[Path, typer.Option("--out", help="folder of the runs, one for each episode")] = Path("runs/seat"),
    set_: Set = None,
    allow: Allow = None,
) -> None:
    """Serve seats of a scenario to MCP clients: they observe and act, and their runs are recorded."""
    try:
        from sandbox.seat.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for seats: pip install 'sandbox[mcp]'") from None
    from sandbox.cli._compiling import warm_up
    from sandbox.seat.seats import Seating

    host, port = _address(http)
    seating = Seating(opened(scenario, set_, allow), agent or [0], patience, folder)
    check_place(folder, folder=True)
    warm_up(seating.scenario)
    where = f"http://{host}:{port}/mcp" if http else "stdio"
    err.print(f"seats {', '.join(map(str, seating.rows))} of {scenario} wait on {where}; runs go to {folder}")
    serve(seating, "http" if http else "stdio", host, port)


def _address(text: str | None) -> tuple[str, int]:
    host, _, port = (text or "127.0.0.1:8000").rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"--http {text}: expected HOST:PORT, such as 127.0.0.1:8000")
    return host, int(port)
