"""Rules that write skills: a small grammar to draw from, and a memory of what has failed.

A skill first fetches its requirements by earlier skills. Then it goes to a place and does the first of its verbs that
has an effect there, until there is more of the wanted thing. The writer knows the graph of requirements. It does not
know which verb at which place yields what: it draws places and verbs, which are only names to it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from random import Random
from typing import NamedTuple

from sandbox.agents.skills.library import Library, Skill
from sandbox.core.world import Ladder

ROUNDS = 30  # at most
HERE = 6  # tries of a task at the known kinds of things
FEAR, BOLD = 2.0, 0.1  # a verb is tried with chance 1 - FEAR x its share of deaths, at least BOLD


class Feedback(NamedTuple):
    """The result of an attempt, as the world showed it."""

    success: bool
    used: frozenset[str] = frozenset()  # verbs that were performed
    began: bool = False  # whether the place was reached, with all requirements
    error: str = ""  # the error of the program, one line
    died: bool = False
    besides: tuple[str, ...] = ()  # other achievements after the start
    met: tuple[str, ...] = ()  # kinds of things that the agent knew at the end


class Step(NamedTuple):
    """One step of a program, in the terms of the grammar."""

    what: str
    place: str | None
    by: str | None
    verbs: tuple[str, ...]


class RuleWriter:
    """Writes skills by rules: ``write`` a program, then ``learn`` from its result."""

    def __init__(self, ladder: Ladder, rng: Random):
        self._ladder, self._rng = ladder, rng
        self._spent: dict[tuple, set[str]] = defaultdict(set)  # verbs without effect, by task and place
        self._uses, self._deaths = Counter(), Counter()  # by verb, counted in tries
        self._met: set[str] = set()  # kinds of things met in any episode
        self._tries = Counter()  # by task
        self._step: Step | None = None

    def write(self, task: str, library: Library, known: Collection[str]) -> Skill:
        """A program for the task; ``known`` are the kinds of things that the agent knows.

        After a few failures at known kinds, it tries all kinds that were met in any episode.
        """
        self._tries[task] += 1
        if self._tries[task] > HERE:
            known = [kind for kind in self._ladder.places if kind in self._met or kind in known]
        self._step = self._draw(task, known)
        return self._skill(self._step, library, known)

    def learn(self, skill: Skill, feedback: Feedback, library: Library) -> list[Skill]:
        """The skills to keep if their achievements are verified: this one, and one for each other achievement.

        Verbs that were never performed are removed, which changes no action. The skill of another achievement is the
        same program, stopped at that achievement, so its actions up to there are those of the attempt.
        """
        step = self._step
        self._met.update(feedback.met)
        self._uses.update(feedback.used & set(step.verbs))
        self._deaths.update(feedback.used & set(step.verbs) if feedback.died else ())
        names = [skill.name] * feedback.success
        graph, takes = self._ladder.graph, set(self._ladder.graph.predecessors(skill.name))
        names += [name for name in feedback.besides if set(graph.predecessors(name)) <= takes]
        if not feedback.success and feedback.began:
            idle = not feedback.used & set(step.verbs)
            self._spent[step[:3]] |= set(step.verbs) if idle else feedback.used
        kept = [verb for verb in step.verbs if verb in feedback.used]
        program = skill.program.replace(repr(list(step.verbs)), repr(kept))
        return [self._renamed(skill._replace(program=program), name) for name in names]

    def _renamed(self, skill: Skill, name: str) -> Skill:
        program = skill.program.replace(f"def to_{skill.name}(", f"def to_{name}(")
        program = program.replace(f"return pursue({skill.name!r}", f"return pursue({name!r}")
        description = skill.description.replace(skill.name.replace("_", " "), name.replace("_", " "))
        return Skill(name, description, program, skill.calls, self._foe(name))

    # -- the grammar ---------------------------------------------------------------------------------------------------

    def _draw(self, task: str, known: Collection[str]) -> Step:
        stations = [station for station in self._stations(task) if station in known]
        open_ = [
            (place, by)
            for place in [None, *(each for each in self._ladder.places if each in known)]
            for by in ([None] if place is None or len(stations) < 2 else [None, *stations])
            if len(self._spent[task, place, by]) < len(self._ladder.verbs)
        ]
        if not open_:  # everything has failed, so the failures had other reasons: try all again
            for key in [key for key in self._spent if key[0] == task]:
                del self._spent[key]
            open_ = [(None, None)]
        place, by = self._rng.choice(open_)
        verbs = [verb for verb in self._ladder.verbs if verb not in self._spent[task, place, by]]
        self._rng.shuffle(verbs)
        return Step(task, place, by, tuple(verb for verb in verbs if self._dares(verb)) or tuple(verbs))

    def _dares(self, verb: str) -> bool:
        fear = FEAR * self._deaths[verb] / (1 + self._uses[verb])
        return self._rng.random() < max(BOLD, 1 - fear)

    def _stations(self, task: str) -> list[str]:
        graph = self._ladder.graph
        return [found for node in graph.predecessors(task) if (found := graph.nodes[node].get("leaves"))]

    def _skill(self, step: Step, library: Library, known: Collection[str]) -> Skill:
        lines, calls = self._needs(step.what, library, known)
        where = f" near {step.place}" if step.place else ""
        lines.append(f"return pursue({step.what!r}, place, by, {list(step.verbs)!r}, {ROUNDS})")
        body = "\n".join(f"    {line}" for line in lines)
        program = f"def to_{step.what}(place={step.place!r}, by={step.by!r}):\n{body}\n"
        return Skill(step.what, f"{step.what.replace('_', ' ')}{where}", program, tuple(calls), self._foe(step.what))

    def _foe(self, task: str) -> str:
        return self._ladder.graph.nodes[task].get("foe", "")

    def _needs(self, task: str, library: Library, known: Collection[str]) -> tuple[list[str], list[str]]:
        """Lines that fetch the requirements: first things that stay in the world, then tools, then consumables."""
        graph, lines, calls = self._ladder.graph, [], []
        nodes = sorted(
            graph.predecessors(task), key=lambda node: ("leaves" not in graph.nodes[node], -graph.in_degree(node))
        )
        beside = None
        for node in nodes:
            amount, leaves = graph.edges[node, task]["amount"], graph.nodes[node].get("leaves")
            skill = next((each for each in library.retrieve(node.replace("_", " ")) if each.name == node), None)
            if skill:
                calls.append(node)
                lines.append(f"need({node!r}, to_{node}, {amount})")
            else:  # no skill to call: draw one too
                step = self._draw(node, known)
                inner = f"{node!r}, {step.place!r}, {step.by!r}, {list(step.verbs)!r}, {ROUNDS}"
                lines.append(f"need({node!r}, lambda: pursue({inner}), {amount})")
            if skill and leaves and beside:  # both must be near at once
                ground = self._rng.choice([each for each in self._ladder.places if each in known] or [None])
                lines.append(f"to_{node}({ground!r}, {beside!r})")
            beside = beside or leaves
        return lines, calls
