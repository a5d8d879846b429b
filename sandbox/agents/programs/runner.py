"""A program that acts for an agent, a verb a tick."""

from collections.abc import Callable
from typing import Any

from sandbox.agents.programs.api import ProgramView
from sandbox.core.decision import Decision, Percept


class ProgramRunner:
    """Runs a ``programs.Program``: ``eyes`` gives it its functions, and each verb returns its result.

    A verb's value is a dict: ``legal`` (whether the verb had an effect when it was chosen), ``refused`` and ``reward``
    of the tick; ``told`` has the last two, by agent.
    """

    def __init__(self, program: Any, eyes: ProgramView, told: Callable[[int], dict]):
        self.program, self._eyes, self._told = program, eyes, told
        self._legal: bool | None = None  # of its last verb; None before the first

    def advance(self, percept: Percept) -> Decision | None:
        """Its next action; None once it has ended."""
        answer = None if self._legal is None else {"legal": self._legal, **self._told(percept.agent)}
        decision = self.program.advance(self._eyes.functions(percept), answer)
        if decision is not None:
            self._legal = self._eyes.has_effect(percept, decision)
        return decision
