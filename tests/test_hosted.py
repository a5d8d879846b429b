"""The hosted tier: a real Mesa model."""

import copy
import gc
import pickle
import weakref

import mesa
import numpy as np
import pytest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.running.trial import run
from sandbox.scenario import load

MESA = tuple(map(int, mesa.__version__.split(".")[:2]))

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 5},
    "agents": [{"count": 3, "reasoner": "rules"}, {"count": 1, "reasoner": "random"}],
}


def test_an_episode_of_a_mixed_team():
    model = sandbox.Sandbox(SCENARIO, rng=3)
    assert isinstance(model, mesa.Model) and len(model.agents) == 4
    while model.running:
        model.step()
    assert model.finish == Finish.COMPLETED and model.tasks_done == 5
    model.step()
    assert model.ticks == len(model.datacollector.get_model_vars_dataframe()), "a step after the end does nothing"


def test_agents_are_mesas():
    model = sandbox.Sandbox(SCENARIO, rng=3)
    sizes = {reasoner: len(group) for reasoner, group in model.agents.groupby("reasoner")}
    assert sizes == {"rules": 3, "random": 1}
    assert model.agents.select(lambda a: a.reasoner == "random").get("name") == ["robot-3"]
    for _ in range(50):
        model.step()
    assert model.agents.agg("earned", sum) == model.reward
    assert [agent.cell for agent in model.agents] == [tuple(cell) for cell in model.state.pos[0].tolist()]


def test_pickling_is_continuation():
    model = sandbox.Sandbox(SCENARIO, rng=3)
    for _ in range(20):
        model.step()
    other = pickle.loads(pickle.dumps(model))
    for _ in range(20):
        model.step()
        other.step()
        assert model.latest.digest == other.latest.digest


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run(processes):
    parameters = {"scenario": [SCENARIO], "world.layout": ["tiny", "small"], "rng": [1, 2]}
    rows = mesa.batch_run(sandbox.Sandbox, parameters, number_processes=processes, max_steps=30, display_progress=False)
    assert len(rows) == 4 and all(row["tasks_done"] >= 0 for row in rows)
    assert {row["world.layout"] for row in rows} == {"tiny", "small"}


def _batch(parameters, **options) -> list[dict]:
    return mesa.batch_run(sandbox.Sandbox, {"scenario": [SCENARIO], **parameters}, display_progress=False, **options)


@pytest.mark.parametrize("period", [-1, 1, 7])
def test_batch_run_reports_an_episode_to_its_end(period):
    rows = _batch({"rng": range(3)}, data_collection_period=period)
    assert {row["rng"] for row in rows} == {0, 1, 2}
    for seed in range(3):
        outcome, own = run(SCENARIO, seed=seed), [row for row in rows if row["rng"] == seed]
        assert outcome.success and outcome.tasks_done == 5
        if period != 7:  # Mesa 3.5 keeps every seventh row and leaves the last out
            last = own[-1]
            assert (last["tasks_done"], last["reward"]) == (5, outcome.reward)
        assert len(own) == (outcome.ticks if period == 1 else len(own))
        assert [row["tasks_done"] for row in own] == sorted(row["tasks_done"] for row in own)


def test_batch_run_repeats_a_seed_where_none_is_swept():
    rows = _batch({"seed": 4} if MESA < (3, 5) else {"seed": None}, iterations=2)
    expected = run(SCENARIO, seed=4 if MESA < (3, 5) else 0)
    assert [row["reward"] for row in rows] == [expected.reward] * 2


def test_batch_run_takes_seeds():
    rows = _batch({}, rng=[5, 6]) if MESA >= (3, 5) else _batch({"seed": [5, 6]})
    assert [row["reward"] for row in rows] == [run(SCENARIO, seed=seed).reward for seed in (5, 6)]


@pytest.mark.parametrize("given", [{"seed": 3}, {"rng": 3}, {"seed": np.int64(3)}, {"rng": np.uint8(3)}])
def test_a_seed_has_mesas_names(given):
    model = sandbox.Sandbox(SCENARIO, **given)
    assert model.seed == 3 and type(model.seed) is int
    while model.running:
        model.step()
    assert model.env.digest(model.state) == run(SCENARIO, seed=3).digest


def test_a_seed_is_the_scenarios_where_none_is_given():
    assert [
        sandbox.Sandbox({**SCENARIO, "seed": 8}, **given).seed for given in ({}, {"seed": None}, {"rng": None})
    ] == [8] * 3
    assert sandbox.Sandbox({**SCENARIO, "seed": 8}, seed=0).seed == 0
    assert sandbox.Sandbox(SCENARIO).seed == 0


def test_a_seed_is_drawn_from_a_generator():
    seeds = [sandbox.Sandbox(SCENARIO, rng=np.random.default_rng(k)).seed for k in (1, 1, 2)]
    assert seeds[0] == seeds[1] != seeds[2]
    generator = np.random.default_rng(1)
    assert sandbox.Sandbox(SCENARIO, rng=generator).seed != sandbox.Sandbox(SCENARIO, rng=generator).seed


@pytest.mark.parametrize("name", ["seed", "rng"])
@pytest.mark.parametrize("value", [-1, 2**64, 1.5, 3.0, "3", True, [1], float("nan"), np.random.RandomState(1)])
def test_what_is_no_seed_is_told(name, value):
    with pytest.raises(UsageError, match=f"^Sandbox: {name}: expected a whole number"):
        sandbox.Sandbox(SCENARIO, **{name: value})


def test_two_seeds_are_one_too_many():
    with pytest.raises(UsageError, match="seed and rng are both given"):
        sandbox.Sandbox(SCENARIO, seed=3, rng=3)


@pytest.mark.parametrize("source", [lambda: SCENARIO, lambda: load(SCENARIO)], ids=["table", "scenario"])
@pytest.mark.parametrize(
    "name, nearest",
    [("sed", "seed"), ("rgn", "rng"), ("world_layout", "world.layout"), ("peopel", "people"), ("titel", "title"),
     ("wrld.layout", "world"), ("world.layuot", "layout"), ("agents.0.reasonr", "reasoner"), ("untl", "until")],
)  # fmt: skip
def test_an_unknown_parameter_names_the_nearest(source, name, nearest):
    with pytest.raises(UsageError, match=f"unknown .* did you mean '{nearest}'") as told:
        sandbox.Sandbox(source(), **{name: 3})
    assert "\n" not in str(told.value)


def test_a_place_is_a_place_in_the_worlds_arrays():
    model = sandbox.Sandbox(SCENARIO, seed=3)
    for _ in range(5):
        model.step()
        for agent in model.agents:
            assert agent.pos == tuple(model.state.pos[0, agent.row].tolist()) == agent.cell
            assert model.state.agent_at[0][agent.pos] == agent.row + 1
    with pytest.raises(UsageError, match="the world moves its agents"):
        model.agents.select(at_most=1).set("pos", (0, 0))


def test_where_a_world_has_no_places_there_is_none():
    model = sandbox.Sandbox({"world": {"name": "web"}, "agents": [{"reasoner": "idle"}]})
    assert model.agents.get("pos") == [None]


def test_copies_go_on_alike():
    model = sandbox.Sandbox(SCENARIO, seed=3)
    model.step()
    other = copy.deepcopy(model)
    for _ in range(5):
        model.step()
        other.step()
    assert model.latest.digest == other.latest.digest and other.agents.get("pos") == model.agents.get("pos")


def test_scripts_are_played():
    script = ["left", "forward", "forward", "noop"]
    model = sandbox.Sandbox({**SCENARIO, "agents": [{"reasoner": "scripted", "script": script}]}, rng=3)
    played = []
    for _ in range(6):
        model.step()
        played.append(model.env.verbs[model.latest.actions[0, 0]])
    assert played == [*script, "noop", "noop"]


def test_models_are_freed():
    """Mesa 3.3 keeps every model that had an agent; ours lets go."""
    gone = [weakref.ref(sandbox.Sandbox(SCENARIO, rng=k)) for k in range(3)]
    gc.collect()
    assert all(reference() is None for reference in gone)


def test_a_seed_is_all_it_takes():
    assert run(SCENARIO, seed=7).digest == run(SCENARIO, seed=7).digest != run(SCENARIO, seed=8).digest
    assert run(SCENARIO, overrides={"seed": 7}).digest == run(SCENARIO, seed=7).digest


def test_trouble_inside_a_step_becomes_an_outcome():
    model = sandbox.Sandbox({**SCENARIO, "agents": [{"reasoner": "scripted"}]}, rng=3)

    class Broken:
        def decide(self, percepts):
            raise TimeoutError("the model server hangs")

    model.reasoners = [([0], Broken())]
    model.step()
    assert not model.running and model.finish == Finish.ERROR and "hangs" in model.error


def test_a_wrong_count_of_decisions_is_an_error_not_a_crash():
    model = sandbox.Sandbox({**SCENARIO, "agents": [{"reasoner": "scripted"}]}, rng=3)

    class Silent:
        def decide(self, percepts):
            return []

    model.reasoners = [([0], Silent())]
    model.step()
    assert model.finish == Finish.ERROR


def test_unknown_names_are_named():
    with pytest.raises(UsageError, match="did you mean 'oracle'"):
        sandbox.Sandbox({**SCENARIO, "agents": [{"reasoner": "orakle"}]})
    with pytest.raises(UsageError, match="unknown world"):
        sandbox.make("warhouse")
    with pytest.raises(UsageError, match="unknown option"):
        sandbox.make("warehouse", layouts="tiny")
    with pytest.raises(UsageError, match="unknown policy"):
        sandbox.make("warehouse").play([1], "rule")
