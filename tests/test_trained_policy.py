"""Trained policies: training on success, nets in integers in both tiers, and what a record says of them.

The world is the orchard of ``examples/minimal_world.py``, small, so that a training takes seconds, most of which JAX
spends on compiling.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sandbox.core.errors import UsageError
from sandbox.core.trained_policy import TrainedPolicy
from sandbox.engine.environment import make
from sandbox.engine.layers import UNIT
from sandbox.engine.registry import opened
from sandbox.engine.trained import CODES, code_of, decide_by_net, nets_of
from sandbox.learn import ppo
from sandbox.learn.policy import PolicyJob
from sandbox.learn.training import train
from sandbox.model import Sandbox
from sandbox.nets.weights import FOLDER, read
from sandbox.record import open_run
from sandbox.running.batch import batch
from sandbox.running.reexecute import check
from sandbox.running.replay import replay
from sandbox.running.trial import run
from sandbox.scenario import load
from sandbox.scenario.capabilities import Grant
from sandbox.statistics import success_rate

ORCHARD = str(Path(__file__).parent.parent / "examples" / "minimal_world.py")
SMALL = {"side": 5, "trees": 4, "sight": 4, "max_ticks": 24}
STEPS, SEEDS = 80_000, range(900_000, 900_200)


def job(folder, seed=0, steps=STEPS, **named):
    return PolicyJob(make(ORCHARD, agents=1, **SMALL), folder, seed, steps, **named)


def trained(folder, **named):
    """The file of weights after a training."""
    one = job(folder, **named)
    one.test(train(one, folder, 1000))
    return folder / "weights.safetensors"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("policy"))


def successes(policy):
    state, stats = make(ORCHARD, agents=1, **SMALL).play(SEEDS, policy)
    assert stats.invalid.sum() == 0
    return int((state.done == 1).sum())


def test_training_on_success_beats_chance_on_fresh_seeds(weights, tmp_path):
    chance, own = successes("random"), successes(TrainedPolicy(str(weights)))
    by_chance = success_rate(chance, len(SEEDS)).high
    assert success_rate(own, len(SEEDS)).low > by_chance, (own, chance)
    shuffled = successes(TrainedPolicy(str(trained(tmp_path, shuffled=True))))
    assert success_rate(shuffled, len(SEEDS)).low <= by_chance, "rewards of other episodes teach nothing"


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    whole, first, second = (job(tmp_path / name, steps=10**9, teacher="rules") for name in "abb")
    for _ in range(4):
        whole.round()
    for _ in range(2):
        first.round()
    second.restore({name: array.copy() for name, array in first.arrays().items()})
    for _ in range(2):
        second.round()
    left, right = whole.arrays(), second.arrays()
    assert left.keys() == right.keys()
    assert [name for name in left if not np.array_equal(left[name], right[name])] == []


def test_the_integers_give_the_odds_of_the_floats(weights, tmp_path):
    one = job(tmp_path)
    for _ in range(3):
        one.round()
    one.test()
    path = tmp_path / "weights.safetensors"
    env, lanes = one.env, one._lanes
    nets = nets_of(env, [TrainedPolicy(str(path))])
    logs, _ = ppo.judged(one._params, one.sizes, lanes.codes[:, 0], lanes.view.mask[:, 0])
    apart = []
    for lane in range(len(lanes.codes)):
        if lanes.view.mask[lane, 0].any():
            action = np.zeros((lane + 1, 1, 2), np.int32)
            decide_by_net(lanes.view, lane, env.params, np.zeros(1, np.int32), nets, np.uint64(lane), action)
            legal = lanes.view.mask[lane, 0]
            assert legal[action[lane, 0, 0]]
            own, floats = nets.logits[legal] / UNIT, np.asarray(logs[lane])[legal]
            apart.append(np.abs((own - own.max()) - (floats - floats.max())).max())
    assert len(apart) > 50 and max(apart) < 0.05, "in nats"


def test_codes_tell_whole_numbers_apart_and_keep_the_order():
    assert [code_of(np.float32(x)) for x in range(16)] == list(range(16))
    edges = [-9, -4, -1, -0.1, 0, 0.25, 0.5, 0.75, 1, 15.9, 16, 20, 24, 28, 32, 48, 64, 96, 128, 1e9]
    codes = [code_of(np.float32(x)) for x in edges]
    assert all(a != b for a, b in pairwise(codes[3:-1])) and max(codes) < CODES
    assert code_of(np.float32("nan")) == CODES - 1 and code_of(np.int8(-3)) == code_of(np.float32(-3))


def scenario(*reasoners):
    return load({"world": {"name": ORCHARD, **SMALL}, "agents": [{"reasoner": each} for each in reasoners]})


def test_both_tiers_play_a_mixed_team_alike(weights):
    mixed = scenario(f"policy:{weights}", "rules", f"policy:{weights}")
    env = mixed.env()
    state, stats = env.play(range(20), [group.policy for group in mixed.roster()])
    for lane in range(20):
        model = Sandbox(mixed, seed=lane)
        while model.running:
            model.step()
        assert model.env.digest(model.state) == env.digest(state, lane)
    assert mixed.compiled and stats.invalid.sum() == 0


def test_a_record_holds_the_hash_and_is_executed_again(weights, tmp_path):
    own, allow = scenario(f"policy:{weights}"), Grant.of(f"functions={ORCHARD}")
    assert own.agents[0].weights.sha256 == read(weights).sha256
    outcome = run(own, 3, out=tmp_path / "run")
    *_, model = replay(open_run(tmp_path / "run"), allow=allow)
    assert model.env.digest(model.state) == outcome.digest
    batch(own, trials=8, out=tmp_path / "batch", workers=1)
    assert check(tmp_path / "batch", 8, allow=allow).problems == []
    content = weights.read_bytes()
    try:
        other = load_file(weights)
        other["last_bias"] = other["last_bias"] + 100
        save_file(other, weights, {"card": json.dumps(read(weights).card)})
        assert check(tmp_path / "batch", 8, allow=allow).problems
        with pytest.raises(UsageError, match="SHA-256"):
            load(own).env()
    finally:
        weights.write_bytes(content)


def broken(weights, tmp_path, **changed):
    tensors, card = load_file(weights), json.loads(json.dumps(read(weights).card))
    for name, value in changed.items():
        card.update({name: value}) if name in card else tensors.update({name: value})
    save_file(tensors, path := tmp_path / "other.safetensors", {"card": json.dumps(card)})
    return path


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"world": "kitchen"}, "trained in the world 'kitchen'"),
        ({"kind": "world-model"}, "no trained policy"),
        ({"observed": 5}, "trained with channels None, here of 2"),
        ({"rows": np.full((165, CODES), 10**6, np.int32)}, "its tensors do not fit together"),
        ({"shifts": np.full(3, 99, np.int32)}, "its tensors do not fit together"),
        ({"bias": np.zeros(3, np.int32)}, "its tensors do not fit together"),
        ({"more": np.zeros(3, np.int32)}, "its tensors do not fit together"),
    ],
)
def test_other_weights_are_refused_in_one_line(weights, tmp_path, changed, told):
    with pytest.raises(UsageError, match=told) as error:
        scenario(f"policy:{broken(weights, tmp_path, **changed)}").env()
    assert "\n" not in str(error.value)


def test_files_that_are_no_weights_and_other_sizes_are_refused(weights, tmp_path):
    whole = weights.read_bytes()
    for name, content in {"cut": whole[:-9], "head": whole[:50], "noise": bytes(range(256)), "empty": b""}.items():
        (path := tmp_path / f"{name}.safetensors").write_bytes(content)
        with pytest.raises(UsageError, match="damaged"):
            scenario(f"policy:{path}").env()
    with pytest.raises(UsageError, match="no such file; did you mean"):
        scenario(f"policy:{tmp_path / 'cuts.safetensors'}")
    other = load({"world": {"name": ORCHARD, "sight": 2}, "agents": [{"reasoner": f"policy:{weights}"}]})
    with pytest.raises(UsageError, match="trained with side 9, here 5"):
        other.env()


@pytest.mark.parametrize(
    ("named", "told"), [({"reward": "tas"}, "unknown reward 'tas'"), ({"teacher": "rule"}, "did you mean 'rules'")]
)
def test_a_training_that_cannot_be_is_refused(tmp_path, named, told):
    with pytest.raises(UsageError, match=told):
        job(tmp_path, **named)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("policy-*.safetensors")), ids=lambda path: path.stem)
def test_shipped_weights_play_where_they_were_trained(path):
    card = read(path).card
    env = make(card["world"], **card["options"])
    nets_of(env, [TrainedPolicy(path.stem.removeprefix("policy-"))] * env.agents)
    assert path.stat().st_size < 1_000_000 and opened(card["world"]).name == card["world"]
