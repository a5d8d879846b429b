"""Options that several commands share, with their help texts."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import err
from sandbox.core.errors import SHORT, UsageError

if TYPE_CHECKING:
    from sandbox.scenario import Scenario
    from sandbox.scenario.capabilities import Grant

FPS = 12  # frames a second

File = Annotated[Path, typer.Argument(help="a scenario file (TOML)")]
Swept = Annotated[Path, typer.Argument(help="a scenario file (TOML); all conditions of its sweep are tried")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a key of the scenario")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="KIND[=WHAT],...", help="grant access to functions, files, network or models"),
]
AllowAgain = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="functions=MODULE", help="call functions whose answers are not in the record"),
]
Workers = Annotated[int | None, typer.Option(min=1, help="default: the cores of this machine")]
On = Annotated[
    str | None, typer.Option(metavar="CLUSTER", help="dask://host:port, ray://host:port, or ray (on this machine)")
]
Results = Annotated[Path | None, typer.Option("--out", help="folder of the results; default: runs/...")]
Video = Annotated[Path | None, typer.Option("--video", help="also write the episode as a .gif or .mp4")]
Fps = Annotated[float, typer.Option(min=0.5, max=50, help="frames a second of the video")]
Content = Annotated[bool, typer.Option("--trace-content", help="include the messages of models and agents")]


def granted(allow: list[str] | None, changes: Mapping[str, object]) -> "Grant":
    """The grants of the command line: those of ``--allow``, and those implied by the values of ``--set``."""
    from sandbox.scenario.capabilities import Grant
    from sandbox.scenario.load import naming

    return Grant.of(allow or [], "--allow") + naming(changes)


def opened(path: Path, set_: list[str] | None, allow: list[str] | None) -> "Scenario":
    """The scenario of a file, with the changes and grants of the command line."""
    from sandbox.scenario import load

    changes = overrides(set_)
    chosen = load(path, changes, allow=granted(allow, changes))
    for line in chosen.dropped:
        err.print(line)
    return chosen


def opened_sweep(path: Path, set_: list[str] | None, allow: list[str] | None) -> "Scenario":
    """The same for a command that tries all conditions; raises UsageError if ``--set`` changes a swept key."""
    from sandbox.scenario.sweep import check_free

    chosen = opened(path, set_, allow)
    check_free(chosen.sweep, overrides(set_))
    return chosen


def overrides(given: list[str] | None) -> dict[str, object]:
    """The values of ``--set`` by dotted key."""
    return dict(_pair(text) for text in given or [])


def settings(changes: Mapping[str, object]) -> str:
    """The ``--set`` options for these overrides; the inverse of ``overrides``."""
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return "".join(f" --set {shlex.quote(f'{key}={value}')}" for key, value in told.items())


def _pair(text: str) -> tuple[str, object]:
    from sandbox.scenario.load import parse_value

    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"--set {text[:SHORT]}: expected KEY=VALUE, such as world.layout=small")
    return key, parse_value(value)
