"""The latest tick of a model, in the form in which its world explains it. Nothing here is called during a tick."""

from textwrap import shorten
from typing import Any

import numpy as np

from sandbox.core.decision import Trace
from sandbox.core.perturb import Fault
from sandbox.core.telling import Gauge, Transition, refusal
from sandbox.core.world_model import WorldModel
from sandbox.engine.draw import POLICY, draw
from sandbox.engine.faults import broken, is_down
from sandbox.engine.workspace import Candidate, candidates
from sandbox.model import Sandbox
from sandbox.scenario import AgentGroup

SHORT = 100  # letters of a thought within a sentence


class Witness:
    """Keeps the state before a model's latest tick, in one lane of its own."""

    def __init__(self) -> None:
        self._before: Any = None

    def watch(self, model: Sandbox) -> None:
        """Call it right before each tick: what happened between two ticks does not belong to either."""
        if self._before is None:
            self._before = model.env.allocate(1)
        for field, kept in zip(model.state, self._before, strict=True):
            np.copyto(kept, field)

    def transition(self, model: Sandbox) -> Transition | None:
        """The latest tick; None if it was not watched, as before the first one."""
        if self._before is None or model.latest is None or self._before.tick[0] != model.ticks - 1:
            return None
        roster = model.scenario.roster()
        return Transition(
            before=self._before, after=model.state, actions=model.latest.actions[None], obs=model.observation,
            memory=model.memory, params=model.env.params, names=model.names,
            policy=lambda agent: policy_of(model, roster[agent], agent), broken=lambda agent: _broken(model, agent),
        )  # fmt: skip


def _broken(model: Sandbox, agent: int) -> str:
    """The perturbation that made an agent's action of the latest tick fail."""
    faults = model.episode.faults
    return broken(np.uint64(model.seed), np.int32(model.ticks - 1), agent, faults) if faults.severity.any() else ""


def crashed(model: Sandbox) -> list[int]:
    """The agents that did nothing in the latest tick, because the perturbation ``agent_crash`` had struck them."""
    seed, tick, faults = np.uint64(model.seed), np.int32(model.ticks - 1), model.episode.faults
    if model.latest is None or not faults.severity[Fault.AGENT_CRASH] > 0:
        return []
    return [agent for agent in range(model.env.agents) if is_down(seed, tick, agent, faults)]


def policy_of(model: Sandbox, group: AgentGroup, agent: int) -> str:
    """The compiled policy that chose the latest action of an agent of a group; "": something else did."""
    latest = model.latest
    trace = (latest.traces.get(agent) if latest else None) or Trace()
    if trace.person:
        return ""
    if group.hosted:
        return group.fallback if trace.fallback else ""
    if isinstance(group.policy, WorldModel):
        found = searched(model, agent)
        return group.policy.base if not found or found[0].taken else ""
    return group.reasoner


def searched(model: Sandbox, agent: int) -> tuple[Candidate, ...]:
    """What a search compared in the latest tick, the base policy's own choice first; () if it compared nothing."""
    work = model.episode.kernels[0].work
    if not work or model.latest is None:
        return ()
    dice = draw(np.uint64(model.seed), np.int32(model.latest.tick - 1), POLICY, 0)
    return candidates(work, agent, dice, model.env.world.targets)


def doing(model: Sandbox, told: Transition, agent: int) -> str:
    """What an agent did in the latest tick and why, in one sentence."""
    trace = (model.latest.traces.get(agent) if model.latest else None) or Trace()
    act = model.env.world.doing(told, agent)
    if trace.person:
        return f"is steered by a person: {act}"
    if trace.fallback:
        return f"{act} (its fallback acts)"
    if aim := trace.subgoal or trace.thought:
        return f"“{shorten(aim, SHORT, placeholder='…')}”; {act}"
    if not told.policy(agent) and (found := searched(model, agent)):
        return f"{_prefers(found)}; {act}"
    return act


def _prefers(found: tuple[Candidate, ...]) -> str:
    """Why a search overruled its base policy."""
    gain = next(one.gain for one in found if one.taken)
    return f"imagines that this gains {gain:.2g} parts of the task more than what its base policy would do"


def refused(model: Sandbox, told: Transition, agent: int) -> str:
    """Whether an agent's action was refused or failed, and because of what; "" if it was neither."""
    return refusal(told, agent, model.env.world.cause)


def stopped(model: Sandbox) -> np.ndarray:
    """The agents whose actions of the latest tick were refused or failed."""
    if model.latest is None:
        return np.zeros(0, np.int64)
    actions, mask, targets = model.latest.actions, model.observation.mask[0], model.env.world.targets
    known = ((actions >= 0) & (actions < (len(model.env.verbs), targets))).all(axis=1)
    pair = np.where(known, actions[:, 0] * targets + actions[:, 1], 0)
    legal = known & mask[np.arange(len(mask)), pair]
    return np.flatnonzero(~legal | (model.state.refused[0] > 0))


def has_tasks(model: Sandbox) -> bool:
    """Whether the team has task objects, of which the progress of the shared task then consists."""
    return bool(model.talk and len(model.talk.plan.objects))


def score_of(model: Sandbox) -> Gauge:
    """How much of the task is done: the world's score, or the tasks of the team."""
    if has_tasks(model):
        return Gauge("score", "tasks done", model.tasks_done, model.tasks_total)
    return model.env.world.gauges(model.state, 0, -1, model.env.params)[0]


def standing(model: Sandbox) -> str:
    """The same in words: "3 of 10 delivered"."""
    score = score_of(model)
    return f"{score.amount} {score.name}"
