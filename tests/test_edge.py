"""Policies on devices: equal decisions in other arithmetic, what they cost, and what budgets and a larger policy do."""

import numpy as np
import pytest

import sandbox
from sandbox.agents.edge.net import Net
from sandbox.agents.edge.options import Device
from sandbox.agents.odds import chances
from sandbox.core.errors import UsageError
from sandbox.nets.weights import Weights, read, shipped
from sandbox.running.replay import verify

WORLD = {"name": "kitchen", "layout": "cramped_room", "max_ticks": 60}


def scenario(**edge):
    group = {"count": 2, "reasoner": "policy:kitchen", "edge": {"runtime": "numpy", **edge}}
    return {"world": WORLD, "agents": [group]}


@pytest.fixture(scope="module")
def found() -> Weights:
    return read(shipped("policy-kitchen"))


@pytest.fixture(scope="module")
def seen(found) -> list[np.ndarray]:
    """Rows of the table for observations of an episode of the rules."""
    env, net = sandbox.make("kitchen", layout="cramped_room", agents=2), Net(found, "numpy")
    state, view, rows = env.reset([990_000]), env.observation(1), []
    memory, actions = env.memory(1), np.zeros((1, 2, 2), np.int32)
    for tick in range(150):
        env.observe(state, view)
        rows += [net.seen(view.window[0, agent], view.vector[0, agent]) for agent in range(2)]
        team, policy = np.arange(2, dtype=np.int32), env.world.policies["random" if tick % 3 else "rules"]
        policy(view, 0, env.params, memory, team, np.uint64(tick), actions)
        env.step(state, actions)
    return rows


def agreement(first: Net, second: Net, seen) -> float:
    return float(np.mean([first.logits(rows).argmax() == second.logits(rows).argmax() for rows in seen]))


def test_onnx_computes_what_numpy_does(found, seen):
    first, second = Net(found, "numpy"), Net(found, "onnx")
    for rows in seen[:50]:
        assert second.logits(rows) == pytest.approx(first.logits(rows), abs=1e-3)


@pytest.mark.parametrize("runtime", ["integer", "onnx-int8"])
def test_fewer_bits_decide_as_floats_do_and_other_weights_do_not(runtime, found, seen):
    floats = Net(found, "numpy")
    assert agreement(floats, Net(found, runtime), seen) >= 0.97
    rng = np.random.default_rng(0)
    mixed = {**found.tensors, "middle": rng.permutation(found.tensors["middle"].ravel()).reshape(64, 64)}
    assert agreement(floats, Net(Weights(mixed, {}, "mixed"), runtime), seen) < 0.9


def test_a_cost_is_the_sum_of_its_operations_and_bytes(found):
    device = Device(float_pj=2.0, int8_pj=1.0, int16_pj=1.5, byte_pj=10.0, operations=1e6)
    net, numbers = Net(found, "numpy"), 3 * 64 + 64 * 64 + 64 * 6
    assert net.cost(3, device).joules == pytest.approx(numbers * (2.0 + 4 * 10.0) * 1e-12)
    assert net.cost(3, device).seconds == pytest.approx(numbers / 1e6)
    assert net.bytes == 4 * (522 * 64 + 64 * 64 + 64 * 6) + 4 * (64 + 64 + 6)
    assert Net(found, "integer").cost(3, device).joules == pytest.approx(numbers * (1.5 + 2 * 10.0) * 1e-12)


def test_probabilities_are_of_legal_actions_only():
    odds = chances(np.array([1e3, 2.0, 2.0]), np.array([False, True, True]))
    assert odds.tolist() == [0, 0.5, 0.5]


def test_an_episode_spends_joules_which_its_record_keeps(tmp_path):
    outcome = sandbox.run(scenario(), seed=4, out=tmp_path / "run")
    assert outcome.joules > 0 and outcome.fallbacks == 0 and outcome.own_decisions == 2 * outcome.ticks
    assert verify(tmp_path / "run").passed
    assert sandbox.run(scenario(), seed=4).joules == outcome.joules


def test_an_agent_whose_budget_is_exceeded_leaves_it_to_its_fallback():
    whole = sandbox.run(scenario(), seed=4).joules
    spent = sandbox.run(scenario(millijoules=1000 * whole / 8), seed=4)
    assert 0 < spent.own_decisions < spent.fallbacks and spent.joules < whole / 2
    late = sandbox.run(scenario(milliseconds=1e-6), seed=4)
    assert late.own_decisions == 0 and late.fallbacks == 2 * late.ticks


def test_a_larger_policy_decides_where_confidence_is_below(tmp_path):
    def asked(below: float, **edge) -> int:
        events = []
        sandbox.run(scenario(larger="policy:kitchen", below=below, **edge), seed=4, on_event=events.append)
        return sum(event.kind == "answered" and "larger" in event.printed for event in events)

    decisions = 2 * sandbox.run(scenario(), seed=4).ticks
    assert asked(0.0) == 0 < asked(0.6) < decisions == asked(1.0)
    assert asked(1.0, milliseconds=1.0) == 0, "there is no time to ask"


@pytest.mark.parametrize(("edge", "words"), [
    ({"kilobytes": 8}, r"edge.kilobytes: 8, but the net has 148\.5 as numpy"),
    ({"runtime": "onxx"}, "runtime"), ({"below": 2}, "below"), ({"larger": "no.safetensors"}, "no.safetensors"),
    ({"largest": ""}, "did you mean 'larger'"), ({"device": {"byte_pj": -1}}, "byte_pj"),
])  # fmt: skip
def test_a_wrong_value_is_told_in_a_line(edge, words):
    with pytest.raises(UsageError, match=words) as told:
        sandbox.run(scenario(**edge))
    assert "\n" not in str(told.value)


def test_a_device_is_for_trained_policies_only():
    with pytest.raises(UsageError, match="edge"):
        sandbox.run({"world": WORLD, "agents": [{"count": 2, "reasoner": "rules", "edge": {}}]})
