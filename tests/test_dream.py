"""Dreamed worlds: a short real training and its control, exact arithmetic, what codes mean, goals really reached."""

import json
from hashlib import sha256

import numpy as np
import pytest

from sandbox.analysis.dreams.frames import environment, joined, seen, whole
from sandbox.analysis.dreams.goals import attempts, scored
from sandbox.analysis.dreams.measures import forced, joined_pairs, keys, labelled, measure, trials
from sandbox.core.errors import UsageError
from sandbox.engine.registry import find, names
from sandbox.learn.dream import DreamJob, write
from sandbox.nets.dream import Dream, Frames
from sandbox.nets.weights import Weights, read, shipped

SEEDS = range(940_000, 940_006)
ROUNDS = 14  # of a real training: some ten CPU seconds


@pytest.fixture(scope="module")
def dream() -> Dream:
    return Dream(read(shipped("dream-craft")))


@pytest.fixture(scope="module")
def told():
    return trials("craft", SEEDS, "oracle", 0.1, 60)


def trained(**options) -> Dream:
    job = DreamJob("craft", seed=1, **options)
    for _ in range(ROUNDS):
        job.round()
    return Dream(Weights(job.tensors(), {}, ""))


def passes(dream: Dream, told) -> bool:
    """The check of a training: the delta-accuracy."""
    return measure(dream, joined_pairs(told)).delta.value >= 0.5


def test_a_short_training_finds_codes(told):
    assert passes(trained(), told)


def test_the_same_training_on_shuffled_pairs_fails(told):
    assert not passes(trained(shuffled=True), told)


def test_a_training_that_was_stopped_continues_as_if_it_had_not_been(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.learn.dream.STEPS", 2)
    monkeypatch.setattr("sandbox.learn.dream.TICKS", 30)
    whole, stopped, later = (DreamJob("craft", seed=1) for _ in range(3))
    for job, rounds in ((whole, 2), (stopped, 1)):
        for _ in range(rounds):
            job.round()
    later.restore(stopped.arrays())
    later.round()
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(value, later.arrays()[name])
    card = write(later, tmp_path / "weights.safetensors", 1.5)
    found = read(tmp_path / "weights.safetensors")
    assert json.loads((tmp_path / "weights.json").read_text()) == json.loads(json.dumps(card))
    assert card["sha256"] == found.sha256 and found.card["cpu_seconds"] == 1.5
    with pytest.raises(UsageError, match="dream: the world 'web' has no frames, so it is not dreamed"):
        DreamJob("web")


def test_the_shipped_dream_is_what_its_card_says(dream, told):
    path = shipped("dream-craft")
    card = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size < 1_000_000 and card["sha256"] == dream.sha256 and card["codes"] == dream.codes == 8
    assert card["measured"]["delta"][0] >= 0.5 and passes(dream, told)
    assert set(card["means"]) >= {"move_left", "move_right", "move_up", "move_down", "do"}


def test_a_dream_is_equal_on_any_machine(dream):
    """50 steps of five maps, to the bit; no sum of floats in it is rounded."""
    env = environment("craft", 12)
    frames, rng = joined([whole(env, env.reset([seed])) for seed in range(5)]), np.random.default_rng(0)
    for codes in rng.integers(8, size=(50, 5)):
        frames = dream.step(frames, codes)
    assert sha256(frames.cells.tobytes() + frames.facing.tobytes()).hexdigest()[:16] == "9bfe260003afac86"


def test_one_frame_is_dreamed_alone_as_among_others_and_inside_a_larger_one(dream, told):
    frames = told[0].before[:6]
    together = dream.futures(frames)
    for k in range(len(frames)):
        alone = dream.futures(frames[k : k + 1])
        np.testing.assert_array_equal(alone.cells[0], together.cells[k])
    wide = dream.futures(Frames(np.pad(frames.cells, ((0, 0), (2, 2), (2, 2))), frames.facing))
    np.testing.assert_array_equal(wide.cells[..., 3:-3, 3:-3], together.cells[..., 1:-1, 1:-1])
    np.testing.assert_array_equal(wide.facing, together.facing)


def test_the_whole_map_is_what_the_player_sees_and_more(told):
    env, state = told[0].env, told[0].states[-1]
    for lane in range(3):
        frame, view = whole(env, state, lane), seen(env, state)
        high, wide = (side // 2 for side in frame.cells.shape[1:])
        np.testing.assert_array_equal(frame.cells[0, high - 3 : high + 4, wide - 4 : wide + 5], view.cells[lane])
        assert frame.facing[0] == view.facing[lane]


def test_codes_that_are_forced_do_what_they_mean(dream, told):
    found = {each.verb: each for each in forced(dream, told[0], keys(dream, labelled("craft", 810_000)))}
    for verb in ("move_left", "move_right", "move_up", "move_down"):
        assert found[verb].changed.value > 0.9


def test_an_agent_reaches_its_goals_of_the_dream_in_the_true_kernel(dream, told):
    chosen, rng = keys(dream, labelled("craft", 810_000)), np.random.default_rng(0)
    agent = scored(attempts(dream, told[1], chosen, rng))
    assert agent.goals > 10 and agent.really.value >= 0.6 > 0.3 > agent.guessed.value
    swapped = dict(zip(chosen, [*list(chosen.values())[1:], chosen[next(iter(chosen))]], strict=True))
    assert scored(attempts(dream, told[1], swapped, np.random.default_rng(0))).really.value < 0.4


@pytest.mark.parametrize("name", [name for name in names() if find(name).frames])
def test_the_frames_of_a_world_agree_with_each_other(name):
    """A map that is read and written again is the same map and picture; its words and verbs are the world's own."""
    world, framing = find(name), find(name).frames
    count = len(framing.tokens)
    assert count == len(framing.symbols) and {*framing.tokens[1:]} <= {thing for thing, _ in world.legend}
    assert {*framing.moves} < {*framing.acts} <= {*world.verbs} and {*framing.taken} <= {*framing.aims}
    env = environment(name, 24)
    for seed in range(3):
        state, other = env.reset([seed]), env.reset([seed + 1])
        assert seen(env, state).cells.shape[1:] == framing.size and framing.awake(state, 0)
        place = tuple(state.pos[0, 0])
        cells, facing = framing.read(state, 0)
        framing.write(other, 0, cells, place, facing)
        np.testing.assert_array_equal(env.render(other), env.render(state))
        cells[0, 1:count] = np.arange(1, count)
        framing.write(other, 0, cells, place, seed)
        found, facing = framing.read(other, 0)
        np.testing.assert_array_equal(found, cells)
        assert facing == seed and tuple(other.pos[0, 0]) == place


@pytest.mark.parametrize(
    "spoil", [lambda t: t.pop("usage"), lambda t: t.update(bias=t["bias"][:5]), lambda t: t.clear()]
)
def test_weights_of_something_else_are_refused(dream, spoil):
    tensors = dict(read(shipped("dream-craft")).tensors)
    spoil(tensors)
    with pytest.raises(UsageError, match="expected those of a dream"):
        Dream(Weights(tensors, {}, ""))
