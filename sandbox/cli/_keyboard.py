"""A person at the keyboard: the console shows what an agent perceives, and the person types its action."""

import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from sandbox.cli._console import err
from sandbox.cli._progress import Live
from sandbox.core.errors import UsageError
from sandbox.core.people import Action, Nobody, Question
from sandbox.report.lines import lines

if TYPE_CHECKING:
    from sandbox.scenario import Scenario

QUIT = "quit"


def needs_people(scenario: "Scenario") -> bool:
    """Whether a person may have to decide or approve something."""
    return "human" in scenario.reasoners or any(rule.effect == "escalate" for rule in scenario.guard)


def people_at(live: Live, scenario: "Scenario") -> "Terminal | None":
    """The person at the terminal; without a terminal None, and a line says so."""
    if not needs_people(scenario):
        return None
    if sys.stdin.isatty():
        return Terminal(err, pause=live.pause)
    err.print("no terminal, so no person can answer: fallbacks act for people, and escalated actions are denied")
    return None


class Terminal(Nobody):
    """Asks one question after the other; ``pause`` keeps a progress bar off the screen during a question.

    An empty line is the no-op; ``quit`` ends the run as Ctrl-C does.
    """

    def __init__(
        self, console: Console, stream: TextIO | None = None, pause: Callable[[], AbstractContextManager] = nullcontext
    ):  # fmt: skip
        self._console, self._stream, self._pause = console, stream or sys.stdin, pause
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader: threading.Thread | None = None
        self._ended = False  # no more lines will come
        self._late = False  # a line typed now answers an earlier question

    def ask(self, questions: list[Question]) -> list[Action | None]:
        """See ``People``; a question's patience begins when it is shown."""
        with self._pause():
            return [self._ask(question) for question in questions]

    def _ask(self, question: Question) -> Action | None:
        while self._late and not self._lines.empty():
            self._ended = not self._lines.get()
        self._late = False
        if self._ended:
            return None
        self._show(question)
        until = time.monotonic() + question.patience
        while (line := self._line(until)) is not None:
            if line.strip() == QUIT:
                raise KeyboardInterrupt
            try:
                return question.read(line)
            except UsageError as error:
                self._console.print(f"{error}")
        self._console.print("no answer")
        self._late = True
        return None

    def _show(self, question: Question) -> None:
        say = self._console.print
        say("", f"{question.name}, tick {question.tick}", lines(*question.view.split("\n")), sep="\n")
        actions = [
            f"{verb} {' '.join(map(str, of)) if of != [0] else ''}".strip() for verb, of in question.legal.items()
        ]
        if question.said:
            say(f"It wants to {question.in_words(question.said)}. {question.why}".rstrip())
            actions = ["allow", "deny", *actions]
        say(f"{', '.join(actions)}, quit; empty: nothing. {question.patience:g} s")

    def _line(self, until: float) -> str | None:
        """The next typed line; None if none comes in time."""
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, name="keyboard", daemon=True)
            self._reader.start()
        try:
            line = self._lines.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            return None
        self._ended = not line
        return line or None

    def _read(self) -> None:
        with suppress(OSError, ValueError):  # the terminal is closed, or the typed bytes are not text
            for line in self._stream:
                self._lines.put(line)
        self._lines.put("")
