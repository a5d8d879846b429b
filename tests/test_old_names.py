"""Names that changed work for one version, and say what they are called now."""

import warnings

import numpy as np
import pytest

import sandbox


def test_old_names_warn_and_do_the_same():
    env = sandbox.make("warehouse", layout="tiny", agents=2)
    state = env.reset([1])
    with pytest.warns(DeprecationWarning, match="Stage is now sandbox.Environment"):
        assert sandbox.Stage is sandbox.Environment
    with pytest.warns(DeprecationWarning, match="words is now render_text"):
        assert env.words(state, 0, 1) == env.render_text(state, 0, 1)
    with pytest.warns(DeprecationWarning, match="paint is now render"):
        assert np.array_equal(env.paint(state, size=60), env.render(state, size=60))
    with pytest.warns(DeprecationWarning, match="cast is now assign_policies"):
        assert env.cast(["rules"] * 2)[0].bounds.tolist() == env.assign_policies(["rules"] * 2)[0].bounds.tolist()
    model = sandbox.Sandbox({"world": {"name": "warehouse"}, "agents": [{}]})
    with pytest.warns(DeprecationWarning, match="stage is now Sandbox.env"):
        assert model.stage is model.env


def test_nothing_of_ours_uses_an_old_name():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        outcome = sandbox.run({"world": {"name": "warehouse", "max_ticks": 5}, "agents": [{}]})
    assert outcome.ticks == 5
