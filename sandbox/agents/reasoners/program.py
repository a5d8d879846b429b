"""The reasoner ``program``: a script in Python that sees and reacts, one program for each agent."""

from collections.abc import Callable

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.eyes import Eyes
from sandbox.agents.programs import LIMITS, Limits, Program
from sandbox.core.decision import Decision, Percept, Trace


class Programmed:
    """Runs ``source`` for every agent of a group until it ends; then the agent's fallback acts.

    A program calls the world's verbs, and ``see()``, ``legal()`` and ``me()`` (see ``Eyes``). A verb's value is a dict:
    ``legal`` (whether the verb had an effect when it was chosen), ``refused`` and ``reward`` of the tick. ``told`` has
    the last two, by agent. ``failures`` has the line with which an agent's program broke off.
    """

    def __init__(self, source: str, beliefs: Beliefs, told: Callable[[int], dict], limits: Limits = LIMITS):
        self._source, self._eyes, self._told, self._limits = source, Eyes(beliefs), told, limits
        self._verbs, self._targets = beliefs.stage.verbs, beliefs.stage.world.targets
        self._programs: dict[int, Program] = {}
        self._legal: dict[int, bool] = {}  # of each agent's last verb

    @property
    def failures(self) -> dict[int, str]:
        return {agent: program.ended for agent, program in self._programs.items() if program.failed}

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [self._decide(percept) for percept in percepts]

    def _decide(self, percept: Percept) -> Decision:
        program, answer = self._programs.get(percept.agent), None
        if program is None:
            program = self._programs[percept.agent] = Program(self._source, self._verbs, self._targets, self._limits)
        else:
            answer = {"legal": self._legal.get(percept.agent, True), **self._told(percept.agent)}
        decision = program.advance(self._eyes.functions(percept), answer)
        if decision is None:
            return Decision(None, 0, Trace(program.printed, fallback=program.ended))
        self._legal[percept.agent] = bool(percept.mask[decision.verb * self._targets + decision.target])
        return decision

    def close(self) -> None:
        for program in self._programs.values():
            program.close()
