"""What the commands share: where they print, and what comes before a run.

A module of commands imports at its top what their options are made of. What a command does with them it imports when
it is called: ``--help`` and a misspelt option come at once.
"""

import errno
import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.core.errors import SHORT, UsageError
from sandbox.report.lines import as_line

if TYPE_CHECKING:
    from sandbox.scenario import Scenario
    from sandbox.scenario.capabilities import Grant

_WRONG = {
    errno.EISDIR: "it is a folder; expected a file", errno.EEXIST: "it is a file; expected a folder",
    errno.ENOTDIR: "a part of it is a file; expected a folder", errno.ENOSPC: "the disk is full",
}  # fmt: skip


class Screen(Console):
    """A terminal on which text is text: neither markup nor what controls the terminal does anything.

    Every string is one line, so that no name, path or error can put a line of its own below ours. Several lines are
    several arguments, with ``sep``, or ``lines``.
    """

    def __init__(self, **options: Any):
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Lines are as long as they are; a table and what stands below it fold at the width of the terminal."""
        if any(isinstance(each, Table) for each in objects):
            options["soft_wrap"] = False
        super().print(*objects, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(as_line(text), **options)


out = Screen(soft_wrap=True)
err = Screen(stderr=True, soft_wrap=True)


def in_words(error: OSError) -> str:
    """What went wrong with a file, in one line."""
    from sandbox.record.store import EXHAUSTED, SPENT

    if error.errno in EXHAUSTED:
        return SPENT
    what = _WRONG.get(error.errno) or error.strerror or str(error)
    return f"{'the output' if error.filename is None else error.filename}: {what}"


def check_place(path: Path, folder: bool = False) -> None:
    """Raise UsageError, before any work is done, where no file (or folder) can be written at a path."""
    from sandbox.record.whole import obstacle

    if folder and path.exists() and not path.is_dir():
        raise UsageError(f"{path}: {_WRONG[errno.EEXIST]}")
    if not folder and (told := obstacle(path)):
        raise UsageError(f"{path}: {told}")
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: nothing can be written there ({in_words(error)})") from None
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UsageError(f"{path}: nothing can be written there")


_HOSTED = ("pydantic-ai", "llm")
_PACKAGES = {
    "openai": _HOSTED,
    "anthropic": _HOSTED,
    "google": _HOSTED,
    "local": _HOSTED,
    "gguf": ("xllamacpp", "local"),
    "program": ("pydantic-monty", "code"),
}  # by kind of model or reasoner: what it needs, and the extra that has it

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a key")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="KIND[=WHAT],...", help="let it reach functions, files, network or models"),
]


def granted(allow: list[str] | None, changes: Mapping[str, object]) -> "Grant":
    """What the command line grants: what ``--allow`` says, and what ``--set`` names."""
    from sandbox.scenario.capabilities import Grant
    from sandbox.scenario.load import naming

    return Grant.of(allow or [], "--allow") + naming(changes)


def opened(path: Path, set_: list[str] | None, allow: list[str] | None) -> "Scenario":
    """The scenario of a file, with what the command line changes and grants."""
    from sandbox.scenario import load

    changes = overrides(set_)
    return load(path, changes, allow=granted(allow, changes))


def tell_reached(scenarios: "Iterable[Scenario]") -> None:
    """Say what scenarios will reach beyond themselves, who asked for it, and who granted it."""
    from sandbox.scenario.capabilities import calls

    granted = ((scenario.origin, asked) for scenario in scenarios for asked in calls(scenario))
    told = (f"{origin.name} uses {asked.words}, granted by {rule.by}"
            for origin, asked in granted if (rule := origin.grant.rule(asked)))  # fmt: skip
    for line in dict.fromkeys(told):
        err.print(line)


def overrides(given: list[str] | None) -> dict[str, object]:
    """What ``--set`` says, by dotted key."""
    return dict(_pair(text) for text in given or [])


def settings(changes: Mapping[str, object]) -> str:
    """The options ``--set`` that say the same as these overrides; the inverse of ``overrides``."""
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    return "".join(f" --set {shlex.quote(f'{key}={value}')}" for key, value in told.items())


def _pair(text: str) -> tuple[str, object]:
    from sandbox.scenario.load import parse_value

    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"--set {text[:SHORT]}: expected KEY=VALUE, such as world.layout=small")
    return key, parse_value(value)


def check_extras(scenario: "Scenario") -> None:
    """Raise UsageError where an agent needs a package that is not installed."""
    for group in scenario.agents:
        kind = group.llm.kind if group.llm else group.reasoner
        if kind in _PACKAGES and find_spec(_PACKAGES[kind][0].replace("-", "_")) is None:
            package, extra = _PACKAGES[kind]
            raise UsageError(f"{package} is missing for {kind}: pip install 'sandbox[{extra}]'")


@contextmanager
def stoppable(folder: Path) -> Iterator[None]:
    """Ctrl-C ends with a line that says what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"stopped; what is finished is kept in {folder}; the same command goes on from there")
        raise typer.Exit(1) from None
