"""The part of the conformance suite that is about a world's interventions."""

import json
from random import Random

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.intervention import ANY, Intervention
from sandbox.engine.stage import Stage

WHEN = (0, 12, 30, 60)  # ticks of the oracle, after which something is done


class InterventionConformance:
    """Inherited by ``Conformance``, which has the stage."""

    def test_interventions_leave_a_state_that_goes_on(self, stage):
        """Each in a fresh or in a played state, alone or after others; where one cannot be, a line says why."""
        known, done = stage.world.interventions, set()
        for ticks in WHEN:
            played, _, _ = stage.play([5], "oracle", ticks=ticks)
            for first in range(len(known) if played.done[0] == Finish.RUNNING else 0):
                state = stage.allocate(1)
                stage.fork(played, 0, state, 0)
                for each in (*known[first:], *known[:first]):
                    if _intervene(stage, state, each, Random(ticks)):
                        done.add(each.name)
                _goes_on(stage, state)
        assert done == {each.name for each in known}


def _intervene(stage: Stage, state, each: Intervention, dice: Random) -> bool:
    """Whether it can be done now; then it is, and nothing but what was drawn differs."""
    before, text = stage.describe(state), json.dumps(stage.describe(state))
    try:
        patch = json.loads(json.dumps(each.patch(stage.rules, before, ANY, dice)))
    except UsageError as error:
        assert "\n" not in str(error)
        return False
    assert patch and not {"seed", "tick", "finish"} & patch.keys() and json.dumps(before) == text
    kept = stage.world.conserved(state, 0, stage.rules)
    stage.place(state, 0, patch)
    after, copy = stage.describe(state), stage.reset([6])
    assert set() < {key for key in after if after[key] != before[key]} <= patch.keys()
    stage.place(copy, 0, after)
    assert stage.digest(copy) == stage.digest(state)
    assert stage.world.conserved(state, 0, stage.rules) == kept
    return True


def _goes_on(stage: Stage, state) -> None:
    tick, actions = int(state.tick[0]), np.zeros((1, stage.agents, 2), np.int32)
    actions[..., 0] = stage.rules.noop
    for _ in range(5):
        stage.step(state, actions)
    assert state.tick[0] > tick and state.done[0] != Finish.ERROR
