"""The error of an agent's forecasts: its beliefs of some ticks ago, rolled on, compared with the present.

For the selected agent only, its observation and its memory are copied after each tick. Beliefs and futures are made
from the copies on request, with random draws that depend on seed, tick and agent alone. So the model is not affected,
and a forecast is the same at every request. An episode has one past, so copies stay valid after seeking back.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory.atlas import DRAWS
from sandbox.core.decision import Percept
from sandbox.core.world_model import WorldModel
from sandbox.engine.imagine import unroll
from sandbox.engine.workspace import own_rows
from sandbox.model import Sandbox
from sandbox.studio.backend.futures import base_of, model_of
from sandbox.studio.backend.observation import percept_of

HORIZONS = (1, 2, 5, 10)  # ticks


@dataclass(frozen=True)
class Share:
    """The number of wrong facts in an agent's belief, over several draws of its unknown facts."""

    facts: int
    wrong: float  # mean over the draws

    @property
    def share(self) -> float:
        return self.wrong / self.facts if self.facts else 0.0


class Forecast(NamedTuple):
    """The errors of a forecast, for facts that were in view when it was made, and for all others."""

    horizon: int  # ticks ago
    seen: Share
    unseen: Share
    changed: Share  # errors on the facts that have changed since, in view or not


class Moment(NamedTuple):
    """The basis of a belief at one moment, with the true facts."""

    percept: Percept
    noted: tuple[np.ndarray, ...]  # the agent's rows of the policies' memory
    truth: np.ndarray  # (F,) facts
    view: np.ndarray  # (F,) bool: the facts that it saw
    base: str  # the policy that acts in its imagination
    model: WorldModel | None  # with which it imagines


def moment_of(model: Sandbox, percept: Percept) -> Moment:
    """The present basis of an agent's belief; the agent must be somewhere."""
    env, agent = model.env, percept.agent
    return Moment(
        Percept(agent, percept.tick, *(part.copy() for part in percept.view)),
        tuple(rows[0, agent].copy() for rows, _ in _rows(model, model.memory)),
        env.world.ground_truth(model.state, 0, env.params).copy(),
        env.world.visible(model.state, 0, agent, env.params),
        base_of(model, agent),
        model_of(model, agent),
    )


def forecast(model: Sandbox, moment: Moment) -> Forecast:
    """The agent's forecast of the present tick, compared with the truth."""
    env, horizon, agent = model.env, model.ticks - moment.percept.tick, moment.percept.agent
    memory = env.memory(1)
    for (rows, _), noted in zip(_rows(model, memory), moment.noted, strict=True):
        rows[0, agent] = noted
    beliefs = Beliefs(env, memory, model.seed)
    beliefs.perceive(moment.percept)
    belief, no_plan = beliefs.of(agent, DRAWS), np.zeros((1, 0, 2), np.int32)
    *_, state = belief.state, *unroll(env, belief, no_plan, horizon, moment.base, moment.model)
    truth = env.world.ground_truth(model.state, 0, env.params)
    wrong = np.mean([env.world.ground_truth(state, lane, env.params) != truth for lane in range(DRAWS)], axis=0)
    parts = moment.view, ~moment.view, truth != moment.truth
    return Forecast(horizon, *(Share(int(part.sum()), float(wrong[part].sum())) for part in parts))


def _rows(model: Sandbox, memory) -> tuple:
    return own_rows(memory, memory, model.env.agents)


class Forecasts:
    """The forecasts of the selected agent of an episode."""

    def __init__(self):
        self._agent, self._watched = 0, False
        self._moments: dict[int, Moment] = {}  # of the agent, by tick

    def watch(self, model: Sandbox, agent: int | None) -> None:
        """Select the agent whose forecasts are noted from now on; None: no agent."""
        if agent is not None and agent != self._agent:
            self._agent, self._moments = agent, {}
        self._watched = agent is not None
        self.note(model)

    def note(self, model: Sandbox) -> None:
        """Note the present tick."""
        if not self._watched or model.ticks in self._moments or model.state.pos[0, self._agent, 0] < 0:
            return
        within = range(model.ticks - HORIZONS[-1], model.ticks + HORIZONS[-1] + 1)
        self._moments = {tick: kept for tick, kept in self._moments.items() if tick in within}
        self._moments[model.ticks] = moment_of(model, percept_of(model, model.episode.preview(), self._agent))

    def forget(self, tick: int) -> None:
        """Forget all ticks after this one."""
        self._moments = {at: kept for at, kept in self._moments.items() if at <= tick}

    def proved(self, model: Sandbox) -> tuple[Forecast, ...]:
        """Earlier forecasts for the present tick, by horizon, as far as they were noted."""
        before = (self._moments.get(model.ticks - horizon) for horizon in HORIZONS)
        return tuple(forecast(model, moment) for moment in before if moment)
