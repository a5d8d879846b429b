"""Learning skills in a world: a curriculum proposes, a writer writes, the world verifies, a library keeps.

One iteration is one program that was written and tried. A task gets up to ``TRIES`` of them in a row. The episode
continues from try to try; an agent that dies starts again in another world with empty hands, and keeps the library.
Success is read from the state: an achievement counts if the world's own count of it has risen. The writer's feedback
contains only what its agent could see.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

import networkx as nx
import pandas as pd

from sandbox.agents.skills.library import Library, Skill
from sandbox.agents.skills.writer import Feedback, RuleWriter
from sandbox.core.errors import SandboxError
from sandbox.engine.environment import Environment
from sandbox.record.whole import replacing
from sandbox.running.workers import Work, Workers
from sandbox.scenario import Scenario, load
from sandbox.studies.skill_episodes import Life
from sandbox.studies.skill_runs import Assignment, Folder, Learned

# -- curriculum: which achievement comes next


class Curriculum:
    """Proposes an achievement that is not done yet: one within reach or, as an ablation (``random``), any.

    An achievement is within reach if all its requirements are done. Of these, it proposes one with the fewest failures.
    """

    def __init__(self, graph: nx.DiGraph, rng: Random, random: bool = False):
        self._graph, self._rng, self._random, self.failures = graph, rng, random, Counter()

    def propose(self, done: Collection[str]) -> str | None:
        """The next task; None if none is left."""
        left = [node for node in self._graph if node not in done]
        if not self._random:
            left = [node for node in left if set(self._graph.predecessors(node)) <= set(done)]
            fewest = min((self.failures[node] for node in left), default=0)
            left = [node for node in left if self.failures[node] == fewest]
        return self._rng.choice(left) if left else None


# -- skills

TRIES, ITERATIONS = 4, 160  # as Voyager's
LOW, FULL = 3, 8  # of a vital: at LOW, a skill known to raise it is used until FULL


class Arm(NamedTuple):
    """An arm of the study, defined by what it leaves out (ablation)."""

    name: str
    library: bool = True
    curriculum: bool = True
    verified: bool = True


ARMS = (
    Arm("all of it"), Arm("no library", library=False), Arm("random curriculum", curriculum=False),
    Arm("no verification", verified=False),
)  # fmt: skip


class Writer(Protocol):
    """A writer of programs."""

    def write(self, task: str, library: Library, known: Sequence[str]) -> Skill: ...

    def learn(self, skill: Skill, feedback: Feedback, library: Library) -> list[Skill]: ...


TRANSFER = (Arm("learned library, frozen"), Arm("no library, new seeds", library=False))
FROZEN_ITERATIONS = 40  # iterations of the transfer to new seeds
CURVES, LEARNERS, LIBRARY = "curves.csv", "learners.csv", "library.toml"
CURVE = ["arm", "seed", "iteration", "achievements"]


class Progress(NamedTuple):
    """Progress of a study."""

    done: int  # finished learners
    total: int
    latest: Learned | None  # None before any is done in this call
    left: float | None  # estimated seconds; None if unknown


OnProgress = Callable[[Progress], None]


class Learner:
    """One learning agent; with ``frozen`` its library does not change."""

    def __init__(
        self, env: Environment, seed: int, arm: Arm = ARMS[0], library: Library | None = None, frozen: bool = False,
        writer: Writer | None = None,
    ):  # fmt: skip
        self.life, self.arm, self._frozen = Life(env, seed), arm, frozen
        self.library, rng = library or Library(), Random(seed)
        self._writer = writer or RuleWriter(env.world.ladder, rng)
        self._curriculum = Curriculum(env.world.ladder.graph, rng, random=not arm.curriculum)
        self._believed: set[str] = set()  # achievements that the agent believes done
        self._raises: dict[str, str] = {}  # vital -> skill
        self.found = Learned(arm.name, seed, library=self.library)

    def learn(self, iterations: int = ITERATIONS) -> Learned:
        """Continue until ``iterations`` programs were tried, or nothing is left to do."""
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
        """One iteration; returns whether the agent believes the task done."""
        self._refresh()
        known = self.life.known()
        skill = self._recalled(task) or self._writer.write(task, self.library, known)
        before = self.life.vitals()
        feedback = self.life.run(self.library.text(skill), task)
        done = feedback.success or not self.arm.verified
        if task not in self.library:
            worked = self._writer.learn(skill, feedback, self.library)
            for each in worked if self.arm.verified else [skill]:
                self._keep(each)
        if feedback.success:
            self._raises |= {name: task for name, level in self.life.vitals().items() if level > before[name]}
        found = self.found
        found.curve.append(len(self.life.ever))
        for name in self.life.ever:
            found.reached.setdefault(name, len(found.curve))
        return done

    def _keep(self, skill: Skill) -> None:
        self._believed.add(skill.name)
        if self.arm.library and not self._frozen and skill.name not in self.library:
            self.library.add(skill)

    def _recalled(self, task: str) -> Skill | None:
        """The skill for exactly this task, if there is one."""
        return next((each for each in self.library.retrieve(task.replace("_", " ")) if each.name == task), None)

    def _refresh(self) -> None:
        """Use known skills before a vital runs out. This is no iteration, because no program is written."""
        for name, level in self.life.vitals().items():
            if level < LOW and self._raises.get(name) in self.library:
                skill = self.library[self._raises[name]]
                again = f"for _ in range({FULL}):\n    if have({name!r}) < {FULL}:\n        {skill.call}\n"
                self.life.run(self.library.text(skill) + again, skill.name)


def learn(scenario: dict, arm: Arm, seed: int, iterations: int, library: str | None = None) -> Learned:
    """Run one learner; with a frozen library if the name of its file is given."""
    given = Library.load(Path(library)) if library else None
    return Learner(load(scenario).env(), seed, arm, given, frozen=library is not None).learn(iterations)


def study(
    scenario: Scenario, seeds: int, iterations: int, out: Path, workers: int | None,
    on_plan: Callable[[], None], on_progress: OnProgress,
) -> pd.DataFrame:  # fmt: skip
    """All arms on the same seeds, then the fullest library, frozen, on as many new ones; a row for each learner.

    ``out`` gets ``learners.csv``, ``curves.csv`` (different achievements after each iteration), ``library.toml``, and
    in ``learners`` a file for each finished learner; the same call again continues with the others. ``on_plan`` is
    called before the first begins. Raises UsageError if ``out`` contains another study or other files, RecordError
    if it cannot be written.
    """
    stated = {"scenario": scenario.as_dict(), "seeds": seeds, "iterations": iterations}
    with Folder(out, stated) as folder, Workers(None, compiled=False, count=workers) as crew:
        on_plan()
        work = _Studying(scenario, folder, crew, seeds * len(ARMS + TRANSFER), on_progress)
        first, path = scenario.seed, out / LIBRARY
        found = work.learners([Assignment(arm.name, first + k, iterations) for k in range(seeds) for arm in ARMS])
        # The largest library, of equals the earliest. It is selected on the old seeds, so new ones measure its value.
        max((one for one in found if one.arm == ARMS[0].name), key=lambda one: len(one.library)).library.save(path)
        again, new = min(iterations, FROZEN_ITERATIONS), range(first + seeds, first + 2 * seeds)
        found += work.learners([Assignment(arm.name, seed, again) for seed in new for arm in TRANSFER])
        curves = pd.DataFrame([(e.arm, e.seed, k + 1, n) for e in found for k, n in enumerate(e.curve)], columns=CURVE)
        rows = pd.DataFrame([each.row(scenario.env().world.ladder.milestones) for each in found])
        for table, name in ((curves, CURVES), (rows, LEARNERS)):
            with replacing(out / name) as part:
                table.to_csv(part, index=False)
        return rows


class _Studying:
    """Runs the learners that are not finished yet."""

    def __init__(self, scenario: Scenario, folder: Folder, crew: Workers, total: int, on_progress: OnProgress):
        self._scenario, self._folder, self._crew = scenario.as_dict(), folder, crew
        self._total, self._tell = total, on_progress
        self._done = self._here = 0  # finished learners: in all, and in this call
        self._began = time.monotonic()

    def learners(self, jobs: Sequence[Assignment]) -> list[Learned]:
        """The learners of all jobs, in the order of the jobs."""
        found = {job: known for job in jobs if (known := self._folder.read(job))}
        self._done += len(found)
        self._tell(Progress(self._done, self._total, None, None))
        todo = (job for job in jobs if job not in found)
        for some in Work(self._crew, learn, self._arguments, lambda job: [job]).rounds(todo):
            self._folder.check()
            for job, learned in some:
                if isinstance(learned, BaseException):
                    raise SandboxError(f"{job.arm}, seed {job.seed}: its worker died ({type(learned).__name__}) twice")
                self._folder.write(job, learned)
                found[job] = learned
                self._count(learned)
        return [found[job] for job in jobs]

    def _arguments(self, job: Assignment) -> tuple:
        arm = next(arm for arm in ARMS + TRANSFER if arm.name == job.arm)
        library = str(self._folder.path / LIBRARY) if arm is TRANSFER[0] else None
        return self._scenario, arm, job.seed, job.iterations, library

    def _count(self, latest: Learned) -> None:
        self._done, self._here = self._done + 1, self._here + 1
        left = (time.monotonic() - self._began) / self._here * (self._total - self._done)
        self._tell(Progress(self._done, self._total, latest, left))
