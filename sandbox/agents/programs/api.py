"""The functions of an agent's program, which show its own belief and never the state; and the runner of programs."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.speech import Speech
from sandbox.core.decision import Decision, Percept


class ProgramView:
    """The functions that programs of the agents of one lane can call.

    Every world has ``see()``, ``legal()`` and ``me()``. A world with a ladder also has ``have``, ``knows`` and
    ``toward``. An agent of a team also has ``heard()``, ``task()`` and its speech acts (``speech``).
    """

    def __init__(self, beliefs: Beliefs, speech: Speech | None = None):
        self._beliefs, self._env, self._speech = beliefs, beliefs.env, speech

    def functions(self, percept: Percept) -> dict[str, Callable[[], Any]]:
        """Functions by name. Each returns at once; its value holds for this tick only."""
        believed, agent, ladder = cache(lambda: self.believed(percept)), percept.agent, self._env.world.ladder
        found = {
            "see": lambda: self._seen(believed()), "legal": lambda: self._env.world.legal(percept.mask),
            "me": lambda: agent,
        }  # fmt: skip
        if speech := self._speech:
            found |= speech.functions | {"heard": lambda: speech.heard(percept), "task": lambda: speech.task(percept)}
        if ladder:
            holding = cache(lambda: ladder.holding(believed(), 0, agent))
            found["have"] = lambda what: holding()[what]
            found["toward"] = lambda kind, by=None: ladder.toward(believed(), 0, agent, kind, by)
            found["knows"] = lambda kind: ladder.knows(believed(), 0, kind)
            found["began"] = lambda what: None  # used only where skills are learned
        return found

    def _seen(self, believed) -> dict:
        """The believed world in the form of ``Environment.describe``, without the seed."""
        told = self._env.describe(believed)
        told.pop("seed", None)
        return told

    def has_effect(self, percept: Percept, decision: Decision) -> bool:
        """Whether an action was legal when it was chosen."""
        return bool(percept.mask[decision.verb * self._env.world.targets + decision.target])

    def believed(self, percept: Percept):
        """A state of one lane: the agent's belief, with random draws that differ from the world's."""
        self._beliefs.perceive(percept)
        return self._beliefs.of(percept.agent, 1).state


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
