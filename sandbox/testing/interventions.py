"""The part of the conformance suite on a world's interventions."""

import json
from random import Random

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.intervention import ANY, Intervention
from sandbox.engine.environment import Environment

WHEN = (0, 12, 30, 60)  # ticks of a good policy before the intervention


class InterventionConformance:
    """Inherited by ``Conformance``, which has the environment."""

    def test_interventions_leave_a_state_that_goes_on(self, env):
        """Each intervention, in a new or a played state, alone or after others; an impossible one gives its reason."""
        known, done = env.world.interventions, set()
        if not known:
            return
        for ticks in WHEN:
            policy = "oracle" if "oracle" in env.world.policies else "random"
            played, _ = env.play([5], policy, ticks=ticks)
            for first in range(len(known) if played.done[0] == Finish.RUNNING else 0):
                state = env.allocate(1)
                env.fork(played, 0, state, 0)
                for each in (*known[first:], *known[:first]):
                    if _intervene(env, state, each, Random(ticks)):
                        done.add(each.name)
                _goes_on(env, state)
        assert done == {each.name for each in known}


def _intervene(env: Environment, state, each: Intervention, dice: Random) -> bool:
    """Perform it if possible, and check that only the drawn keys differ; returns whether it was possible."""
    before, text = env.describe(state), json.dumps(env.describe(state))
    try:
        patch = json.loads(json.dumps(each.patch(env.params, before, ANY, dice)))
    except UsageError as error:
        assert "\n" not in str(error)
        return False
    assert patch and not {"seed", "tick", "finish"} & patch.keys() and json.dumps(before) == text
    kept = env.world.conserved(state, 0, env.params)
    env.place(state, 0, patch)
    after, copy = env.describe(state), env.reset([6])
    assert set() < {key for key in after if after[key] != before[key]} <= patch.keys()
    env.place(copy, 0, after)
    assert env.digest(copy) == env.digest(state)
    assert env.world.conserved(state, 0, env.params) == kept
    return True


def _goes_on(env: Environment, state) -> None:
    tick, actions = int(state.tick[0]), np.zeros((1, env.agents, 2), np.int32)
    actions[..., 0] = env.params.noop
    for _ in range(5):
        env.step(state, actions)
    assert state.tick[0] > tick and state.done[0] != Finish.ERROR
