"""What worlds offer to teams: tests in plain Python, and the compiled tier."""

import os
import subprocess
import sys

import pytest

from sandbox.core.finish import Finish
from sandbox.core.registry import find, names
from sandbox.core.teamwork import TaskState
from sandbox.scenario import load


def test_offers_and_verdicts_in_plain_python(root):
    command = [sys.executable, "-m", "pytest", "tests/plain_teamwork.py", "-n0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}
    )
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout[-5000:] + done.stderr[-1000:]


@pytest.mark.parametrize("world", names())
def test_a_task_is_said_in_plain_words(world):
    for kind in find(world).teamwork.kinds:
        said = [text.format(what="seven") for text in kind.texts]
        assert len(set(said)) >= 3
        for text in said:
            assert text[0].isupper() and text.endswith(".") and "{" not in text and "  " not in text
            assert len(text) < 120 and kind.name.isidentifier()


def test_rules_agents_complete_the_shared_task_in_the_compiled_tier():
    """Of one world, as a team takes long to compile; the others play the same loop in plain Python."""
    scenario = {"world": {"name": "kitchen", "layout": "coordination_ring"}, "team": {"tasks": "generated"}}
    stage = load(scenario | {"agents": [{"count": 2, "reasoner": "rules"}]}).stage()
    state, _, _ = stage.play(range(6), "rules")
    assert (state.done == Finish.COMPLETED).all()
    for lane in range(6):
        check, objects = stage.world.teamwork.check, stage.team.objects
        stands = [check(state, lane, stage.rules, one.kind, one.argument, 0)[0] for one in objects]
        assert stands == [TaskState.DONE] * len(objects)
