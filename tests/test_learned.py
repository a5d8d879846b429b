"""Learned world models: tokens, integer nets, the same in both tiers, weights and records, a real short training."""

import json
import os
import signal
from itertools import islice

import numpy as np
import pytest
from safetensors.numpy import save

import sandbox
from sandbox.analysis.drift import drift
from sandbox.analysis.noisy_play import noisy_play
from sandbox.analysis.prediction_error import foresight
from sandbox.core.errors import UsageError
from sandbox.core.tokens import patches
from sandbox.core.world_model import WorldModel
from sandbox.engine import registry
from sandbox.engine.layers import ODDS, TOP, UNIT, linear, pick, rectify
from sandbox.engine.learned import blank, learned_step, network, tokens_of, transitions, weights_of
from sandbox.nets import weights
from sandbox.running.episodes import play
from sandbox.running.replay import verify
from sandbox.running.trial import run
from sandbox.scenario import load
from sandbox.scenario.capabilities import upload

LEARNED = {
    "kitchen": [
        {"layout": "cramped_room", "scattered": True, "soups": 2, "perturb": {"sticky_floor": 0.5}},
        {"layout": "forced_coordination", "scattered": True, "soups": 0, "max_ticks": 150},
    ],
    "warehouse": [
        {"layout": "tiny", "agents": 6, "deliveries": 3, "reward": "two_stage"},
        {"layout": "tiny", "agents": 4, "deliveries": 0},
    ],
    "craft": [{"size": 32, "agents": 1, "goal": "none"}, {"size": 24, "agents": 2, "goal": "none", "max_ticks": 300}],
}  # fmt: skip
AHEAD = {"kind": "learned", "horizon": 6, "futures": 3}
KITCHEN = {"name": "kitchen", "layout": "cramped_room", "scattered": True, "soups": 1}
SEEDS = range(900_000, 900_004)


def scenario(**model) -> dict:
    return {"world": KITCHEN, "agents": [{"count": 2, "reasoner": "search", "world_model": AHEAD | model}]}


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_every_world_with_tokens_is_tested_here():
    assert {name for name in registry.OURS if registry.find(name).tokens} == set(LEARNED)


@pytest.mark.parametrize(("world", "options"), [(name, each) for name, cases in LEARNED.items() for each in cases])
def test_the_outcome_of_a_tick_holds_all_that_has_changed(world, options):
    """A lane that is packed and unpacked with the true outcome equals the next tick in every fact."""
    env = sandbox.make(world, **options)
    net, witness = network(env.world, env.params, [blank(env.world, env.params, 8, 8)]), transitions(env.world)
    rows, changed = np.zeros((len(net.asked), len(net.found)), np.int32), 0
    noise = np.array([0.0, 0.3, 1.0])
    for before, actions, after in islice(noisy_play(env, range(3), "rules", noise, np.random.default_rng(0)), 150):
        for lane in np.flatnonzero(before.done == 0):
            old = env.world.ground_truth(before, lane, env.params)
            count = witness(before, lane, actions, after, lane, env.params, net, rows)
            env.world.tokens.unpack(net.out, net.asked, count, before, lane, env.params)
            new, told = (env.world.ground_truth(each, lane, env.params) for each in (after, before))
            assert np.array_equal(new, told)
            assert (before.done[lane], before.tick[lane]) == (after.done[lane], after.tick[lane])
            assert env.progress(before, lane) == env.progress(after, lane)
            changed += (old != new).sum()
    assert changed > 500


@pytest.mark.parametrize(("world", "options"), [(name, each) for name, cases in LEARNED.items() for each in cases[1:]])
def test_whatever_is_predicted_is_a_state_of_the_world(world, options):
    """Also by a net of chance: nobody is off the map, or where another is, and what the rules conserve is there."""
    env = sandbox.make(world, **options)
    found = blank(env.world, env.params, 8, 8)
    net, step = network(env.world, env.params, [found]), learned_step(env.world)
    ticks = 0
    for seed in range(5, 13):
        state = env.reset([seed])
        before = env.world.conserved(state, 0, env.params)
        for _ in range(80):
            actions = np.zeros((1, env.agents, 2), np.int32)
            step(state, 0, actions, env.params, net)
            assert env.world.conserved(state, 0, env.params) == before
            env.observe(state)
            if state.done[0]:
                break
        ticks += int(state.tick[0])
    assert ticks > 20


def test_the_patch_of_a_cell_begins_with_itself_and_ends_outside():
    found = patches(3, 4, 1)
    assert found.shape == (12, 9) and (found[:, 0] == np.arange(12)).all()
    assert sorted(found[0]) == [0, 1, 4, 5, *[12] * 5] and 12 not in found[5]


# -- integers ----------------------------------------------------------------------------------------------------------


def test_layers_are_integers_and_equal_their_python_twins():
    rng = np.random.default_rng(0)
    x, w = rng.integers(-TOP, TOP, 64).astype(np.int32), rng.integers(-4095, 4095, (64, 32)).astype(np.int16)
    bias, out, twin = rng.integers(-9999, 9999, 32).astype(np.int32), np.zeros(32, np.int32), np.zeros(32, np.int32)
    rectify(x)
    linear(x, w, bias, 3, 4, 32, out)
    linear.py_func(x, w, bias, 3, 4, 32, twin)
    assert x.min() == 0 and np.array_equal(out, twin) and not out[:4].any()
    assert np.array_equal(out[4:], (bias + x.astype(np.int64) @ w.astype(np.int64))[4:] >> 3)


def test_a_class_is_drawn_as_often_as_its_logit_says():
    logits = np.array([0, 2 * UNIT, UNIT, -9 * UNIT], np.int32)
    drawn = np.array([pick(logits, 0, 4, ODDS, 7, tick, 1, 2) for tick in range(20_000)])
    share = np.exp([0, 2, 1, -np.inf]) / np.exp([0, 2, 1]).sum()
    assert np.abs(np.bincount(drawn, minlength=4) / len(drawn) - share).max() < 0.015
    assert {pick.py_func(logits, 0, 4, ODDS, 7, tick, 1, 2) for tick in range(3)} == set(drawn[:3].tolist())


# -- search and records ------------------------------------------------------------------------------------------------


def test_both_tiers_imagine_the_same():
    chosen = load(scenario())
    for outcome in play(chosen, chosen.env(), range(4)).outcomes:
        alone = run(chosen, outcome.seed)
        assert alone._replace(seconds=0.0) == outcome._replace(seconds=0.0) and outcome.imagined_ticks > 0


def test_a_record_has_the_sum_of_its_weights_and_refuses_others(tmp_path, monkeypatch):
    found = weights.read(weights.shipped("world-model-kitchen"))
    run(load(scenario()), 3, out=tmp_path / "run")
    assert load(scenario()).agents[0].world_model.sha256 == found.sha256
    assert verify(tmp_path / "run").passed
    other = tmp_path / "world-model-kitchen.safetensors"
    other.write_bytes(weights.shipped("world-model-kitchen").read_bytes() + b"\0")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(UsageError, match=r"SHA-256 .*, expected "):
        verify(tmp_path / "run")


@pytest.mark.parametrize(("model", "told"), [
    ({"weights": "nowhere.safetensors"}, "no such file"),
    ({"weights": "README.md"}, "expected weights"),
    ({"sha256": "0" * 64}, "expected 000000000000"),
])  # fmt: skip
def test_wrong_weights_are_refused_in_a_line(model, told):
    with pytest.raises(UsageError, match=told) as error:
        load(scenario(**model)).env()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [
    {"table": np.zeros((1, 3, 64), np.int16)}, {"last_bias": np.zeros((1, 9), np.int32)},
    {"shifts": np.full((1, 3), 40, np.int32)}, {"middle": np.zeros((1, 64, 32), np.int32)},
    {"bias": np.zeros(64, np.int32)},
])  # fmt: skip
def test_no_kernel_reads_beyond_the_tensors_of_a_strangers_file(tmp_path, wrong):
    found, path = weights.read(weights.shipped("world-model-kitchen")), tmp_path / "own.safetensors"
    path.write_bytes(save({**found.tensors, **wrong}, {"card": json.dumps(found.card)}))
    env = sandbox.make("kitchen")
    with pytest.raises(UsageError, match="their tensors do not fit together"):
        env.play([0], WorldModel(kind="learned", weights=str(path), horizon=2, futures=1))


def test_a_scenario_that_may_read_nothing_reads_no_weights(tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(weights.shipped("world-model-kitchen").read_bytes())
    for told in ({}, {"sha256": weights.read(path).sha256}):
        with pytest.raises(UsageError, match="mine.safetensors"):
            load(scenario(weights=str(path), **told), origin=upload("a scenario"))


def test_the_courier_task_refuses_a_learned_model():
    env = sandbox.make("warehouse", layout="type octile\nheight 3\nwidth 4\nmap\n....\n....\n....\n", agents=2)
    with pytest.raises(UsageError, match="the courier task of the warehouse has no tokens"):
        env.play([0], WorldModel(kind="learned"))


def test_a_world_without_tokens_refuses_a_learned_model():
    with pytest.raises(UsageError, match="the world 'wildfire' has no tokens"):
        load({"world": {"name": "wildfire"}, "agents": [{"reasoner": "search", "world_model": AHEAD}]}).env()


def test_damaged_weights_are_refused_in_a_line(tmp_path):
    whole = weights.shipped("world-model-kitchen").read_bytes()
    for k, content in enumerate((b"", whole[:100], whole[:-9], b"\xff" * 64, whole[:8] + b"[" + whole[9:])):
        path = tmp_path / f"{k}.safetensors"
        path.write_bytes(content)
        with pytest.raises(UsageError, match="damaged|expected") as error:
            weights_of(registry.opened("kitchen"), WorldModel(kind="learned", weights=str(path)))
        assert "\n" not in str(error.value)


# -- what is shipped ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", sorted(LEARNED))
def test_shipped_weights_are_small_and_have_their_card(world):
    path = weights.shipped(f"world-model-{world}")
    card = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size <= 1_000_000 and card["sha256"] == weights.read(path).sha256
    assert (
        card["world"] == world
        and card["cpu_seconds"] > 0
        and card["tokens"] == tokens_of(registry.opened(world)).as_dict()
    )


def test_the_kitchen_drifts_hardly_more_than_its_rules_with_other_dice():
    model = WorldModel(kind="learned")
    calm = sandbox.make("kitchen", layout="cramped_room", scattered=True, soups=0)
    assert all(row.learned.value < 0.1 and row.exact.value == 0 for row in drift(calm, model, SEEDS, "oracle", 0.1))
    sticky = sandbox.make("kitchen", layout="cramped_room", scattered=True, soups=0, perturb={"sticky_floor": 0.5})
    assert all(row.ratio < 1.15 and row.changed > 50 for row in drift(sticky, model, SEEDS, "oracle", 0.1))


def test_craft_drifts_hardly_more_than_its_rules_with_other_dice():
    env, model = sandbox.make("craft", size=32, agents=1, goal="none"), WorldModel(kind="learned")
    near = drift(env, model, SEEDS, "oracle", 0.1, horizons=(1, 5), ticks=60)
    assert all(row.ratio < 1.15 and row.learned.value < 0.7 and row.changed > 150 for row in near)


def test_foresight_is_of_the_model_that_is_used():
    found = {kind: foresight(load(scenario(kind=kind, horizon=8)), 3) for kind in ("exact", "learned")}
    exact, learned = (np.array([row.error.value for row in rows if row.view == "in view"]) for rows in found.values())
    assert not np.array_equal(exact, learned) and np.abs(exact - learned).max() < 0.1


# -- training ----------------------------------------------------------------------------------------------------------


def trained(folder, seconds: float, shuffled: bool) -> float:
    """The share of changed facts that are right after a tick of random actions, where a copy has 0."""
    from sandbox.learn.training import train
    from sandbox.learn.world_model import WorldModelJob, practice, write

    options = practice("kitchen").options(["cramped_room"])[:1]
    job = WorldModelJob("kitchen", ticks=40_000, shuffled=shuffled, options=options)
    card = write(job, folder / "weights.safetensors", train(job, folder, seconds))
    assert card["cpu_seconds"] >= seconds and card["steps"] == job.steps
    model = WorldModel(kind="learned", weights=str(folder / "weights.safetensors"))
    return 1 - drift(sandbox.make("kitchen", **options[0]), model, SEEDS, "random", horizons=(1,))[0].learned.value


def test_a_short_training_learns_the_kitchen_and_one_on_shuffled_actions_does_not(tmp_path):
    right = {shuffled: trained(tmp_path / str(shuffled), 12, shuffled) for shuffled in (False, True)}
    assert right[False] > 0.7 and right[True] < 0.5


def test_a_training_that_was_stopped_continues(tmp_path):
    from sandbox.learn.training import train
    from sandbox.learn.world_model import WorldModelJob

    def job(**options):
        return WorldModelJob("kitchen", options=[{"layout": "cramped_room"}], **options)

    with pytest.raises(KeyboardInterrupt):
        train(job(), tmp_path, 1e9, lambda now: os.kill(os.getpid(), signal.SIGINT))
    again, seen = job(), []
    spent = train(again, tmp_path, 0.01, seen.append)
    assert again.steps > 0 and spent > 0.01 and not seen, "its budget is spent"
    with pytest.raises(UsageError, match="other settings"):
        train(job(seed=1), tmp_path, 1)
