"""What the commands share: where they print, and what comes before a run."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sandbox.core.errors import UsageError
from sandbox.scenario import Scenario
from sandbox.scenario.load import parse_value

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a key")]


def overrides(given: list[str] | None) -> dict[str, object]:
    """What ``--set`` says, by dotted key."""
    return dict(_pair(text) for text in given or [])


def settings(changes: Mapping[str, object]) -> str:
    """The options ``--set`` that say the same as these overrides; the inverse of ``overrides``."""
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return "".join(f" --set {shlex.quote(f'{key}={value}')}" for key, value in told.items())


def _pair(text: str) -> tuple[str, object]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"--set {text}: expected KEY=VALUE, such as world.layout=small")
    return key, parse_value(value)


def warm_up(*scenarios: Scenario, batch: bool = False) -> None:
    """Compile what is not compiled yet, once for each world and set of policies, and say so before the wait."""
    for scenario in {(each.world.name, each.policies): each for each in scenarios}.values():
        stage, whole = scenario.stage(), batch and scenario.compiled
        if not stage.is_warm(scenario.policies, whole):
            err.print(f"compiling the kernels of '{scenario.world.name}', once for these sources (up to 30 s) ...")
            stage.warm_up([group.policy for group in scenario.roster()], whole)


@contextmanager
def stoppable(folder: Path) -> Iterator[None]:
    """Ctrl-C ends with a line that says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"stopped; finished trials are kept in {folder}; the same command goes on from there")
        raise typer.Exit(1) from None
