"""The world model as a tool: plans of verbs are played out in futures that the agent imagines."""

from typing import Annotated

import numpy as np
from pydantic import Field

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory.tokens import clip
from sandbox.agents.reasoners import parse_script
from sandbox.agents.tools.options import Imagine
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.imagine import imagine

COMES = 400  # characters of the imagined view at the end of each plan

Plans = Annotated[
    list[list[str]],
    Field(description='the plans to compare, each a list of actions for the next ticks, such as ["click 3", "wait"]'),
]


class Imagining:
    """The tool by which one agent queries its world model."""

    def __init__(self, options: Imagine, beliefs: Beliefs, agent: int):
        self._options, self._beliefs, self._agent = options, beliefs, agent

    def imagine(self, plans: Plans) -> str:
        """Play out plans in your mind: what each is expected to earn, how far futures differ, what comes at its end."""
        options, env = self._options, self._beliefs.env
        if not 1 <= len(plans) <= options.plans or not all(1 <= len(plan) <= options.horizon for plan in plans):
            raise UsageError(f"expected 1 to {options.plans} plans of 1 to {options.horizon} actions each")
        belief = self._beliefs.of(self._agent, options.futures)
        lines = [self._told(env, belief, number, plan) for number, plan in enumerate(plans, 1)]
        return "\n".join(lines)

    def _told(self, env, belief, number: int, plan: list[str]) -> str:
        steps = parse_script(plan, env.world, f"plan {number}")
        acts = np.array([[step[:2] for step in steps]], np.int32)
        futures = imagine(env, belief, acts, self._options.horizon, self._options.base)
        earned, ends = futures.reward[0], np.asarray(futures.state.done)
        reached = float(np.mean(ends == Finish.COMPLETED))
        now, then = env.world.progress(belief.state, 0, env.params), np.mean(
            [env.world.progress(futures.state, lane, env.params)[0] for lane in range(len(ends))]
        )  # fmt: skip
        view = env.world.render_text(env.observe(futures.state), 0, self._agent, env.params)
        return (
            f"Plan {number} ({', '.join(plan)}): after {self._options.horizon} ticks the team is expected to earn "
            f"{earned.mean():.3g} (spread {earned.std():.3g}, {len(earned)} futures, {earned.min():.3g} to "
            f"{earned.max():.3g}); parts done {now[0]:g} -> {then:.2g} of {now[1]:g}; task completed in "
            f"{reached:.0%}. One of these futures then: {clip(view, COMES)}"
        )
