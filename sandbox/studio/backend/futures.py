"""An agent's present belief and its imagined futures; cheap enough to be drawn often.

The observation is the one of its next decision. The model and its delayed messages are not changed. Imagination has
its own random draws, which no reasoner uses.
"""

import time

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.core.world_model import WorldModel
from sandbox.engine.draw import POLICY, draw
from sandbox.engine.imagine import Belief, unroll
from sandbox.engine.search import list_candidates
from sandbox.engine.shapes import AGENTS, DARK
from sandbox.studio.backend.marks import Label, Line, Mark, Point
from sandbox.studio.backend.observation import percept_of

HORIZON, FUTURES, CANDIDATES = 12, 4, 6  # ticks; draws of unknown facts; actions compared
SECONDS = 0.06  # time limit of the imagination
DICE = 0x51D10  # separates these random draws from those of reasoners


def believed(model, agent: int):
    """The belief of ``agent``, a state of one lane; None if it is nowhere."""
    if model.state.pos[0, agent, 0] < 0:
        return None
    return _beliefs(model, model.episode.preview(), agent).of(agent, 1).state


def paths(model, agent: int) -> list[Mark]:
    """Paths of ``agent`` in its futures, by first action; those of the best action are bold and labelled."""
    view = model.episode.preview()
    belief, base = _beliefs(model, view, agent).of(agent, FUTURES), base_of(model, agent)
    plans = _plans(model, view, belief, agent, base)
    ways, worth = _play(model, belief, plans, base)
    best = int(worth.argmax())  # of equals the first, the choice of the base policy
    found = [mark for k in range(len(plans)) if k != best for mark in _lines(ways[k], AGENTS[agent % 8], False)]
    found += _lines(ways[best], AGENTS[agent % 8], True)
    verb = model.env.verbs[plans[best, 0, 0]].replace("_", " ")
    return [*found, Label(ways[best][0][0], verb, DARK)]


def _beliefs(model, view, agent: int) -> Beliefs:
    beliefs = Beliefs(model.env, model.memory, model.seed ^ DICE)
    beliefs.perceive(percept_of(model, view, agent))
    return beliefs


def base_of(model, agent: int) -> str:
    """The policy that acts in its futures: its own, if that can be imagined."""
    policy, world = model.scenario.roster()[agent].policy, model.env.world
    name = policy.base if isinstance(policy, WorldModel) else policy
    return name if name and name not in world.sighted else "rules" if "rules" in world.policies else "random"


def model_of(model, agent: int) -> WorldModel | None:
    """The world model with which it searches; None for other agents, whose futures follow the rules."""
    policy = model.scenario.roster()[agent].policy
    return policy if isinstance(policy, WorldModel) else None


def _plans(model, view, belief: Belief, agent: int, base: str) -> np.ndarray:
    """Candidate actions (P, 1, 2) int32; the first is the choice of the base policy."""
    env, actions = model.env, np.zeros((1, model.env.agents, 2), np.int32)
    mind = type(belief.memory)._make(field[:1].copy() for field in belief.memory)
    dice, targets = draw(np.uint64(model.seed ^ DICE), model.ticks, POLICY, agent), env.world.targets
    env.world.policies[base](view, 0, env.params, mind, np.array([agent], np.int32), np.uint64(dice), actions)
    mask, own = view.mask[0, agent], int(actions[0, agent] @ (targets, 1))
    pairs = np.zeros(len(mask) + 1, np.int64)
    count = list_candidates(mask, own, CANDIDATES, np.uint64(dice), agent, pairs)
    return np.stack(np.divmod(pairs[:count], targets), axis=1)[:, None].astype(np.int32)


def _play(model, belief: Belief, plans: np.ndarray, base: str) -> tuple[list[list[list[Point]]], np.ndarray]:
    """For each plan, the paths in its futures and its mean value, as in search but without discount."""
    env, agent, worlds = model.env, belief.agent, len(belief.state.seed)
    ways = [[[_centre(belief.state.pos[k, agent])] for k in range(worlds)] for _ in plans]
    until, state = time.monotonic() + SECONDS, None
    for state in unroll(env, belief, plans, HORIZON, base, model_of(model, agent)):
        for lane, (row, col) in enumerate(state.pos[:, agent].tolist()):
            if row >= 0:
                ways[lane // worlds][lane % worlds].append((row + 0.5, col + 0.5))
        if time.monotonic() > until:
            break
    worth = np.array([_worth(env, state, lane) for lane in range(len(state.seed))]).reshape(len(plans), worlds)
    begun = np.array([_worth(env, belief.state, k) for k in range(worlds)])
    return ways, (worth - begun).mean(axis=1)


def _worth(env, state, lane: int) -> float:
    """The value of a lane: earned parts of the task, and parts in hand."""
    world, params = env.world, env.params
    earned = world.earned(state, lane, params) if world.earned else world.progress(state, lane, params)[0]
    return float(earned) + (float(world.value(state, lane, params)) if world.value else 0.0)


def _centre(cell) -> Point:
    return float(cell[0]) + 0.5, float(cell[1]) + 0.5


def _lines(ways: list[list[Point]], colour: str, bold: bool) -> list[Line]:
    """The different paths of one plan."""
    width, alpha = (0.16, 0.95) if bold else (0.06, 0.45)
    kept = sorted({tuple(way) for way in ways if len(set(way)) > 1})
    return [Line(way, colour, width, alpha, dash=not bold, arrow=bold) for way in kept]
