"""The reasoner ``program``: Python code that perceives and acts, one program for each agent."""

from collections.abc import Callable, Mapping, Sequence

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.programs.api import ProgramRunner, ProgramView
from sandbox.agents.programs.process import LIMITS, Limits, Program
from sandbox.agents.speech import Speech
from sandbox.core.decision import Decision, Percept, Trace


class Programmed:
    """Runs ``source`` for every agent of a group until it ends; then the agent's fallback acts.

    A program calls the world's verbs, and ``see()``, ``legal()`` and ``me()`` (``ProgramView``).
    """

    def __init__(self, source: str, beliefs: Beliefs, told: Callable[[int], dict], limits: Limits = LIMITS,
                 speeches: Mapping[int, Speech] | None = None):  # fmt: skip
        self._source, self._beliefs, self._told, self._limits = source, beliefs, told, limits
        self._speeches = speeches or {}
        self._verbs, self._targets = beliefs.env.verbs, beliefs.env.world.targets
        self._actors: dict[int, ProgramRunner] = {}

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [self._decide(percept) for percept in percepts]

    def _decide(self, percept: Percept) -> Decision:
        actor = self._actors.get(percept.agent) or self._begin(percept.agent)
        decision = actor.advance(percept)
        speech = self._speeches.get(percept.agent)
        said = speech.taken() if speech else ()
        if decision is None:
            ended, failed = actor.program.ended, actor.program.failed
            return Decision(
                None, 0, Trace(actor.program.printed, fallback=ended, failure=ended if failed else ""), said
            )
        return decision._replace(said=said)

    def _begin(self, agent: int) -> ProgramRunner:
        program = Program(self._source, self._verbs, self._targets, self._limits)
        self._actors[agent] = ProgramRunner(program, ProgramView(self._beliefs, self._speeches.get(agent)), self._told)
        return self._actors[agent]

    def retire(self, agents: Sequence[int]) -> dict:
        """Remove these agents, with their programs."""
        for agent in agents:
            if actor := self._actors.pop(agent, None):
                actor.program.close()
        return {}

    def close(self) -> None:
        for actor in self._actors.values():
            actor.program.close()
