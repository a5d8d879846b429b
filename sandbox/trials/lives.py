"""A life: one agent that follows programs in a world, dies, and is born again in another one."""

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.eyes import Eyes
from sandbox.agents.programs import Program
from sandbox.agents.skills.writer import Feedback
from sandbox.core.decision import Decision, Percept
from sandbox.core.errors import UsageError
from sandbox.core.ladder import MAP
from sandbox.engine.draw import draw
from sandbox.engine.stage import Stage

TICKS = 600  # of one try at most
LIVES = 1 << 23  # stream of the seeds of lives


class Life:
    """One agent in one lane, dying and being born again; ``run`` lets it follow a program."""

    def __init__(self, stage: Stage, seed: int):
        if stage.world.ladder is None or stage.agents != 1:
            raise UsageError(f"skills: world '{stage.world.name}': expected one agent, in a world with a ladder")
        self.stage, self.ladder, self._seed = stage, stage.world.ladder, seed
        self.memory, self.view, self.tally = stage.memory(1), stage.observation(1), stage.tally(1)
        self._faults, self._actions = stage.faults(1), np.zeros((1, 1, 2), np.int32)
        self._cast, self._loops = stage.cast([MAP], self.memory, self.tally)
        self._eyes, self.lives, self.ticks, self.distance = Eyes(Beliefs(stage, self.memory, 0)), 0, 0, 0
        self.ever: dict[str, int] = {}  # tick of the first time, by achievement
        self._born()

    def _born(self) -> None:
        self.state = self.stage.reset([draw(np.uint64(self._seed), self.lives, LIVES, 0)])
        self.stage.world.start(self.memory, 0, self.stage.rules)
        self.lives += 1
        self._perceive()

    def _perceive(self) -> None:
        state, rules = self.state, self.stage.rules
        self._loops.sense(state, 0, rules, self.view, self._faults)
        self._loops.choose(state, self.view, 0, rules, self.memory, self._cast, self._actions)

    @property
    def percept(self) -> Percept:
        return Percept(0, int(self.state.tick[0]), *(part[0, 0] for part in self.view))

    def known(self) -> list[str]:
        """The kinds of things that the agent knows of."""
        believed = self._eyes.believed(self.percept)
        return [kind for kind in self.ladder.places if self.ladder.knows(believed, 0, kind)]

    def vitals(self) -> dict[str, int]:
        held = self.ladder.holding(self._eyes.believed(self.percept), 0, 0)
        return {name: held[name] for name in self.ladder.vitals}

    def achieved(self) -> dict[str, int]:
        """How often each, read from the state: the verifier's."""
        return self.ladder.achieved(self.state, 0, 0)

    def run(self, text: str, task: str) -> Feedback:
        """Follow a program for ``TICKS`` at most; whether the task was achieved on the way."""
        program, answer, used, began = Program(text, self.stage.verbs), None, set(), []
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
            used.add(self.stage.verbs[decision.verb])
            answer = self._tick(decision)
            success |= self.achieved()[task] > before
            if self.state.done[0]:
                break
        program.close()
        now, met = self.achieved(), tuple(self.known())
        besides = tuple(name for name, n in now.items() if name != task and began and n > began[0][name])
        died = bool(self.state.done[0])
        if died:
            self._born()
        error = program.ended if program.failed else ""
        return Feedback(success, frozenset(used), bool(began), error, died, besides, met)

    def _tick(self, decision: Decision) -> dict:
        legal, before = bool(self.percept.mask[decision.verb]), self.state.pos[0, 0].copy()
        self._actions[0, 0] = decision[:2]
        self._loops.act(self.state, self.view, 0, self.stage.rules, self._actions, self.tally, self._faults)
        self.ticks += 1
        self.distance += int(np.abs(self.state.pos[0, 0] - before).sum())
        for name, count in self.achieved().items():
            if count:
                self.ever.setdefault(name, self.ticks)
        self._perceive()
        return {"legal": legal, "refused": bool(self.state.refused[0, 0]), "reward": float(self.state.reward[0, 0])}
