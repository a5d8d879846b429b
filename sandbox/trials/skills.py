"""Learning skills in a world: a curriculum proposes, a writer writes, the world verifies, a library keeps.

One iteration is one program that was written and tried. A task gets up to ``TRIES`` of them in a row. Life goes on from
try to try; who dies begins anew in another world with empty hands, and keeps the library. Success is read from the
state: an achievement counts where the world's own count of it has risen. The writer is told what its agent could see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

import numpy as np

from sandbox.agents.eyes import Eyes
from sandbox.agents.programs import Program
from sandbox.agents.skills.curriculum import Curriculum
from sandbox.agents.skills.library import Library, Skill
from sandbox.agents.skills.writer import Feedback, Rules
from sandbox.core.decision import Decision, Percept
from sandbox.core.errors import UsageError
from sandbox.engine.draw import draw
from sandbox.engine.stage import Stage
from sandbox.scenario import Scenario

TRIES, ITERATIONS = 4, 160  # as Voyager's
TICKS = 600  # of one try at most
MAP = "rules"  # the policy that keeps the map of what was seen; what it would do is not done
LOW, FULL = 3, 8  # of a vital: at the first, a skill that is known to raise it is used until the second
LIVES = 1 << 23  # stream of the seeds of lives


class Arm(NamedTuple):
    """What is left out: an ablation."""

    name: str
    library: bool = True
    curriculum: bool = True
    verified: bool = True


ARMS = (
    Arm("all of it"), Arm("no library", library=False), Arm("random curriculum", curriculum=False),
    Arm("no verification", verified=False),
)  # fmt: skip


class Writer(Protocol):
    """Who writes programs."""

    def write(self, task: str, library: Library, known: Sequence[str]) -> Skill: ...

    def learn(self, skill: Skill, feedback: Feedback, library: Library) -> Skill: ...


class Life:
    """One agent in one lane, dying and being born again; ``run`` lets it follow a program."""

    def __init__(self, stage: Stage, seed: int):
        if stage.world.ladder is None or stage.agents != 1:
            raise UsageError(f"skills: world '{stage.world.name}': expected one agent, in a world with a ladder")
        self.stage, self.ladder, self._seed = stage, stage.world.ladder, seed
        self.memory, self.view, self.tally = stage.memory(1), stage.observation(1), stage.tally(1)
        self._faults, self._actions = stage.faults(1), np.zeros((1, 1, 2), np.int32)
        self._teams, self._loops = stage.teams([MAP], self.memory, self.tally)
        self._eyes, self.lives, self.ticks, self.distance = Eyes(stage, self.memory), 0, 0, 0
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
        self._loops.choose(state, self.view, 0, rules, self.memory, self._teams, self._actions)

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
                began.append(what)

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
        died = bool(self.state.done[0])
        if died:
            self._born()
        return Feedback(success, frozenset(used), bool(began), program.ended if program.failed else "", died)

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


@dataclass
class Learned:
    """What one learner came to."""

    arm: str
    seed: int
    curve: list[int] = field(default_factory=list)  # different achievements after each iteration
    reached: dict[str, int] = field(default_factory=dict)  # iteration of the first time, by achievement
    ticks: dict[str, int] = field(default_factory=dict)  # the same in ticks
    distance: int = 0
    lives: int = 0
    total_ticks: int = 0
    library: Library = field(default_factory=Library)


class Learner:
    """One agent that learns; ``frozen`` keeps the library that it is given as it is."""

    def __init__(
        self, stage: Stage, seed: int, arm: Arm = ARMS[0], library: Library | None = None, frozen: bool = False,
        writer: Writer | None = None,
    ):  # fmt: skip
        self.life, self.arm, self._frozen = Life(stage, seed), arm, frozen
        self.library, rng = library or Library(), Random(seed)
        self._writer = writer or Rules(stage.world.ladder, rng)
        self._curriculum = Curriculum(stage.world.ladder.graph, rng, random=not arm.curriculum)
        self._believed: set[str] = set()  # done, as the agent takes it
        self._raises: dict[str, str] = {}  # vital -> skill
        self.found = Learned(arm.name, seed, library=self.library)

    def learn(self, iterations: int = ITERATIONS) -> Learned:
        """Go on until so many programs were tried, or nothing is left to do."""
        found, task = self.found, ""
        while len(found.curve) < iterations and task is not None:
            task = self._curriculum.propose(self._believed)
            for _ in range(min(TRIES, iterations - len(found.curve)) if task else 0):
                if self._try(task):
                    self._believed.add(task)
                    break
            else:
                self._curriculum.failures[task] += 1
        found.curve += found.curve[-1:] * (iterations - len(found.curve))
        found.ticks, found.distance, found.lives = dict(self.life.ever), self.life.distance, self.life.lives
        found.total_ticks = self.life.ticks
        return found

    def _try(self, task: str) -> bool:
        """One iteration; whether the agent takes the task for done."""
        self._refresh()
        known = self.life.known()
        skill = self._recalled(task) or self._writer.write(task, self.library, known)
        before = self.life.vitals()
        feedback = self.life.run(self.library.text(skill), task)
        done = feedback.success or not self.arm.verified
        if task not in self.library:
            skill = self._writer.learn(skill, feedback, self.library)
            if done and self.arm.library and not self._frozen:
                self.library.add(skill)
        if feedback.success:
            self._raises |= {name: task for name, level in self.life.vitals().items() if level > before[name]}
        found = self.found
        found.curve.append(len(self.life.ever))
        for name in self.life.ever:
            found.reached.setdefault(name, len(found.curve))
        return done

    def _recalled(self, task: str) -> Skill | None:
        """The skill for the very task, if there is one already."""
        return next((each for each in self.library.retrieve(task.replace("_", " ")) if each.name == task), None)

    def _refresh(self) -> None:
        """Use what is known to help before something runs out; no iteration, since nothing is written."""
        for name, level in self.life.vitals().items():
            if level < LOW and self._raises.get(name) in self.library:
                skill = self.library[self._raises[name]]
                again = f"for _ in range({FULL}):\n    if have({name!r}) < {FULL}:\n        {skill.call}\n"
                self.life.run(self.library.text(skill) + again, skill.name)


def learn(
    scenario: Scenario, arm: Arm, seed: int, iterations: int = ITERATIONS, library: str | None = None
) -> Learned:
    """One learner of an arm, with a frozen library where the name of its file is given."""
    given = Library.load(Path(library)) if library else None
    return Learner(scenario.stage(), seed, arm, given, frozen=library is not None).learn(iterations)


OnLearned = Callable[[Learned], None]
