"""The reasoner ``program``: a script in Python that sees and reacts, one program for each agent."""

from collections.abc import Callable

from sandbox.agents.actor import Actor
from sandbox.agents.beliefs import Beliefs
from sandbox.agents.eyes import Eyes
from sandbox.agents.programs import LIMITS, Limits, Program
from sandbox.core.decision import Decision, Percept, Trace


class Programmed:
    """Runs ``source`` for every agent of a group until it ends; then the agent's fallback acts.

    A program calls the world's verbs, and ``see()``, ``legal()`` and ``me()``; see ``Eyes`` and ``Actor``. ``failures``
    has the line with which an agent's program broke off.
    """

    def __init__(self, source: str, beliefs: Beliefs, told: Callable[[int], dict], limits: Limits = LIMITS):
        self._source, self._eyes, self._told, self._limits = source, Eyes(beliefs), told, limits
        self._verbs, self._targets = beliefs.stage.verbs, beliefs.stage.world.targets
        self._actors: dict[int, Actor] = {}

    @property
    def failures(self) -> dict[int, str]:
        return {agent: actor.program.ended for agent, actor in self._actors.items() if actor.program.failed}

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [self._decide(percept) for percept in percepts]

    def _decide(self, percept: Percept) -> Decision:
        actor = self._actors.get(percept.agent) or self._begin(percept.agent)
        decision = actor.advance(percept)
        if decision is None:
            return Decision(None, 0, Trace(actor.program.printed, fallback=actor.program.ended))
        return decision

    def _begin(self, agent: int) -> Actor:
        program = Program(self._source, self._verbs, self._targets, self._limits)
        self._actors[agent] = Actor(program, self._eyes, self._told)
        return self._actors[agent]

    def close(self) -> None:
        for actor in self._actors.values():
            actor.program.close()
