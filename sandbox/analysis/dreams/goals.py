"""An agent that plans in a dream: it searches codes, acts by what the codes mean, and is judged in the true kernel.

A goal is to stand before a thing in sight, or to take it (``Framing.aims``, ``taken``). The search is breadth first
over what the dream makes of the codes whose meaning it knows, so it finds the fewest; nothing of the true world helps
it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sandbox.analysis.dreams.frames import framing_of, joined, seen
from sandbox.analysis.dreams.measures import Pairs
from sandbox.core.frames import Framing
from sandbox.engine.arrays import copy_lane
from sandbox.nets.dream import Dream, Frames, ahead
from sandbox.statistics import Estimate, clustered_rate

MARGIN = 4  # cells around what is seen, so that it is not forgotten on the way
LONGEST, MOST = 9, 400  # codes of a plan, frames of a search
APART = 10  # ticks between two goals of an episode


class Goal(NamedTuple):
    """What an agent is to reach."""

    thing: int  # a token
    take: bool  # also collect it


class Attempt(NamedTuple):
    """A goal, and how it went."""

    episode: int
    goal: Goal
    codes: tuple[int, ...] | None  # the plan; None: the search found none
    really: bool  # the true kernel reached it
    guessed: bool  # it did with as many random actions


class Agent(NamedTuple):
    """The score of the agent."""

    goals: int
    planned: Estimate  # share of the goals that were reached in the dream
    really: Estimate  # share that the same actions reached in the true kernel
    guessed: Estimate  # share that as many random actions reached


def faced(frames: Frames) -> np.ndarray:
    """(n,) the token that the player faces."""
    return frames.cells[ahead(frames)]


def goals_of(framing: Framing, frame: Frames, rng: np.random.Generator) -> Goal | None:
    """A goal in sight that is not reached yet; None without any."""
    near = frame.cells[0, 1:-1, 1:-1]
    things = [int(thing) for thing in framing.aims if (near == thing).any() and faced(frame)[0] != thing]
    if not things:
        return None
    thing = int(rng.choice(things))
    return Goal(thing, thing in framing.taken and rng.random() < 0.5)


def plan(dream: Dream, frame: Frames, goal: Goal, codes: Iterable[int]) -> tuple[int, ...] | None:
    """The fewest of these codes that reach a goal in the dream; None if MOST frames do not reach it."""
    cells = np.pad(frame.cells, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))
    edge = Frames(cells, frame.facing)
    paths: list[tuple[int, ...]] = [()]
    known = {_key(edge, 0)}
    for _ in range(LONGEST):
        after = dream.futures(edge)
        new, ways = [], []
        for k, path in enumerate(paths):
            for code in codes:
                one = Frames(after.cells[k, code][None], after.facing[k, code][None])
                if _reached(edge[k : k + 1], one, goal):
                    return (*path, code)
                if (key := _key(one, 0)) not in known:
                    known.add(key)
                    new.append(one)
                    ways.append((*path, code))
        if not new or len(known) > MOST:
            return None
        edge, paths = joined(new), ways
    return None


def _key(frames: Frames, k: int) -> bytes:
    return frames.cells[k].tobytes() + bytes([frames.facing[k]])


def _reached(before: Frames, after: Frames, goal: Goal) -> bool:
    """Whether the player stands before the thing; to take it, whether it then goes from where the player faces."""
    if not goal.take:
        return faced(after)[0] == goal.thing
    return faced(before)[0] == goal.thing != faced(after)[0] and after.facing[0] == before.facing[0]


def attempts(dream: Dream, told: Pairs, keys: Mapping[int, int], rng: np.random.Generator) -> list[Attempt]:
    """A goal at every APART-th tick of each episode whose player is awake; ``keys`` has the code of each action."""
    framing, verbs = framing_of(told.env.world), {code: verb for verb, code in keys.items()}
    able, found = [told.env.verbs.index(verb) for verb in framing.acts], []
    for tick in range(0, len(told.states), APART):
        for at in np.flatnonzero(told.places[:, 0] == tick):
            frame, lane = told.before[at : at + 1], int(told.places[at, 1])
            if not framing.awake(told.states[tick], lane) or (goal := goals_of(framing, frame, rng)) is None:
                continue
            codes = plan(dream, frame, goal, list(verbs))
            acts = [verbs[code] for code in codes or ()]
            random = [able[k] for k in rng.integers(len(able), size=len(acts) or LONGEST)]
            really = codes is not None and _true(told, tick, lane, acts, goal)
            guessed = _true(told, tick, lane, random, goal)
            found.append(Attempt(lane, goal, codes, really, guessed))
    return found


def _true(told: Pairs, tick: int, lane: int, acts: Sequence[int], goal: Goal) -> bool:
    """Whether these actions reach a goal in the true kernel."""
    env, taken = told.env, framing_of(told.env.world).taken
    state = env.allocate(1)
    copy_lane(told.states[tick], lane, state, 0)
    had = taken[goal.thing](state, 0) if goal.take else 0
    for act in acts:
        env.step(state, np.array([[[act, 0]]], np.int32))
    if goal.take:
        return taken[goal.thing](state, 0) > had
    return bool(state.done[0] == 0 and faced(seen(env, state))[0] == goal.thing)


def scored(found: Sequence[Attempt]) -> Agent:
    """The shares of the goals that were reached; intervals are clustered by episode."""
    episode = np.array([each.episode for each in found])
    trials = np.bincount(episode)
    some = trials > 0

    def share(good: list[bool]) -> Estimate:
        return clustered_rate(np.bincount(episode, good)[some], trials[some])

    return Agent(
        len(found), share([each.codes is not None for each in found]), share([each.really for each in found]),
        share([each.guessed for each in found]),
    )  # fmt: skip
