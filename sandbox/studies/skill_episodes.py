"""The episodes of a learner: an agent that follows programs in a world, dies, and starts again in another one."""

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.programs.api import ProgramView
from sandbox.agents.programs.process import Program
from sandbox.agents.skills.writer import Feedback
from sandbox.core.decision import Decision, Percept
from sandbox.core.errors import UsageError
from sandbox.core.world import MAP
from sandbox.engine.draw import draw
from sandbox.engine.environment import Environment
from sandbox.engine.episode import Episode

TICKS = 600  # of one attempt, at most
LIVES = 1 << 23  # stream of the seeds of episodes


class Life:
    """One agent in one lane, which starts a new episode after its death; ``run`` lets it follow a program."""

    def __init__(self, env: Environment, seed: int):
        if env.world.ladder is None or env.agents != 1:
            raise UsageError(f"skills: world '{env.world.name}': expected one agent, in a world with a ladder")
        self.env, self.ladder, self._seed = env, env.world.ladder, seed
        self.lives, self.ticks, self.distance = 0, 0, 0
        self._episode = Episode(env, self._next_seed(), [MAP])
        self.state, self._eyes = self._episode.state, ProgramView(Beliefs(env, self._episode.memory, 0))
        self.ever: dict[str, int] = {}  # tick of the first achievement, by its name
        self._perceive()

    def _next_seed(self) -> int:
        self.lives += 1
        return draw(np.uint64(self._seed), self.lives - 1, LIVES, 0)

    def _perceive(self) -> None:
        self._episode.sense()
        self._episode.choose()

    @property
    def percept(self) -> Percept:
        return Percept.of(self._episode.observation, 0, int(self.state.tick[0]))

    def known(self) -> list[str]:
        """The kinds of things that the agent knows."""
        believed = self._eyes.believed(self.percept)
        return [kind for kind in self.ladder.places if self.ladder.knows(believed, 0, kind)]

    def vitals(self) -> dict[str, int]:
        held = self.ladder.holding(self._eyes.believed(self.percept), 0, 0)
        return {name: held[name] for name in self.ladder.vitals}

    def achieved(self) -> dict[str, int]:
        """Number of each achievement, read from the state, for verification."""
        return self.ladder.achieved(self.state, 0, 0)

    def run(self, text: str, task: str) -> Feedback:
        """Follow a program for at most ``TICKS``; the feedback says whether the task was achieved."""
        program, answer, used, began = Program(text, self.env.verbs), None, set(), []
        before, success = self.achieved()[task], False

        def begin(what: str) -> None:
            if what == task and not began:
                used.clear()
                began.append(self.achieved())

        for _ in range(TICKS):
            functions = self._eyes.functions(self.percept)
            functions["began"] = begin
            decision = program.advance(functions, answer)
            if decision is None:
                break
            used.add(self.env.verbs[decision.verb])
            answer = self._tick(decision)
            success |= self.achieved()[task] > before
            if self.state.done[0]:
                break
        program.close()
        now, met = self.achieved(), tuple(self.known())
        besides = tuple(name for name, n in now.items() if name != task and began and n > began[0][name])
        died = bool(self.state.done[0])
        if died:
            self._episode.reset(self._next_seed())
            self._perceive()
        error = program.ended if program.failed else ""
        return Feedback(success, frozenset(used), bool(began), error, died, besides, met)

    def _tick(self, decision: Decision) -> dict:
        legal, before = bool(self.percept.mask[decision.verb]), self.state.pos[0, 0].copy()
        self._episode.actions[0, 0] = decision[:2]
        self._episode.act()
        self.ticks += 1
        self.distance += int(np.abs(self.state.pos[0, 0] - before).sum())
        for name, count in self.achieved().items():
            if count:
                self.ever.setdefault(name, self.ticks)
        self._perceive()
        return {"legal": legal, "refused": bool(self.state.refused[0, 0]), "reward": float(self.state.reward[0, 0])}
