"""Learning in the dream: a model that is fitted along, rollouts in it, and a recurrent latent model to compare."""

from pathlib import Path

import numpy as np
import pytest

from sandbox.core.errors import UsageError
from sandbox.engine.environment import make
from sandbox.learn import imagined, rssm, world_model
from sandbox.learn.policy import PolicyJob

ORCHARD = str(Path(__file__).parent.parent / "examples" / "minimal_world.py")
COOK = {"layout": "cramped_room", "agents": 1, "scattered": True, "soups": 0}


def job(folder, **named):
    return PolicyJob(make("kitchen", **COOK), folder, 0, 10**9, imagine=1, **named)


@pytest.fixture
def hasty(monkeypatch):
    """A model that imagines at once."""
    monkeypatch.setattr(imagined, "FIT", 40)
    monkeypatch.setattr(imagined, "WARM", 40)


def test_a_training_in_the_dream_that_was_stopped_goes_on_as_if_it_had_not_been(hasty, tmp_path):
    whole, first, second = (job(tmp_path / name) for name in "abb")
    for _ in range(2):
        whole.round()
    first.round()
    second.restore({name: array.copy() for name, array in first.arrays().items()})
    second.round()
    left, right = whole.arrays(), second.arrays()
    assert left.keys() == right.keys()
    assert [name for name in left if not np.array_equal(left[name], right[name])] == []
    assert whole.imagined == 2 * imagined.LANES * imagined.TICKS and whole.steps <= 2 * 4096, "real ticks only"
    seeds = whole._imagination.state.seed
    assert (seeds >> 40 == 1).all() and len(set(seeds.tolist())) == imagined.LANES, "dice of their own"


def test_a_model_that_is_told_the_actions_of_other_lanes_foresees_worse(hasty, tmp_path):
    whole = job(tmp_path)
    dreams = whole._imagination
    control, lanes = imagined.Imagination(whole.env, 0, shuffled=True, lanes=64), whole._lanes
    fair = imagined.Imagination(whole.env, 0, shuffled=False, lanes=64)
    rng = np.random.default_rng(0)
    for tick in range(120):
        watched = dreams.watch(lanes.state, tick)
        mask = lanes.view.mask.reshape(len(lanes.over), -1) + 1e-9
        lanes.step((mask * rng.random(mask.shape)).argmax(axis=1)[:, None])
        for each in (control, fair, dreams) if tick < 80 else (dreams,):
            each.see(*watched, lanes.actions, lanes.state)
        if tick == 79:
            dreams._fresh.clear()
    fresh = world_model.joined(dreams._fresh)
    for each in (control, fair):
        for _ in range(10):
            each.fit()
    own, without = (_error(each.model, fresh) for each in (fair, control))
    assert own < 0.7 * without, (own, without)


def _error(model, samples):
    """Nats of a sample that the model has not seen."""
    params = model.mean[0]
    sums = world_model.one_hot(samples.rows, len(params["table"])) @ np.asarray(params["table"])
    return float(world_model.loss(params, sums, samples.heads, samples.classes, model.tokens))


def test_what_cannot_be_imagined_is_refused(tmp_path):
    with pytest.raises(UsageError, match="teacher"):
        job(tmp_path, teacher="rules")
    with pytest.raises(UsageError, match="no tokens"):
        PolicyJob(make(ORCHARD, agents=1), tmp_path, imagine=1)


def test_lambda_returns_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    reward, goes_on, value = rng.random((3, 6, 4)).astype(np.float32)
    found, later = np.asarray(rssm.returns_of(reward, goes_on, value)), value[-1]
    for t in reversed(range(5)):
        mixed = (1 - rssm.TRACE) * value[t + 1] + rssm.TRACE * later
        later = reward[t + 1] + rssm.DISCOUNT * goes_on[t + 1] * mixed
        assert np.allclose(found[t], later, atol=1e-5)


def test_the_latent_model_learns_what_it_sees_and_goes_on_after_a_stop():
    env = make(ORCHARD, agents=1, side=5, trees=4, sight=4, max_ticks=24)
    whole, second = rssm.RssmJob(env), rssm.RssmJob(env)
    losses = [float(whole.round().split("loss ")[1].split()[0]) for _ in range(15)]
    second.restore({name: array.copy() for name, array in whole.arrays().items()})
    losses += [float(whole.round().split("loss ")[1].split()[0]) for _ in range(5)]
    for _ in range(5):
        second.round()
    left, right = whole.arrays(), second.arrays()
    assert [name for name in left if not np.array_equal(left[name], right[name])] == []
    assert np.mean(losses[-5:]) < 0.5 * losses[3], losses
