"""The hosted tier: a real Mesa model."""

import gc
import pickle
import weakref

import mesa
import pytest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.trials.trial import run

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
    assert model.ticks == len(model.datacollector.get_model_vars_dataframe()) - 1, "a step after the end does nothing"


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
    parameters = {"scenario": [SCENARIO], "world.layout": ["tiny", "small"]}
    rows = mesa.batch_run(
        sandbox.Sandbox, parameters, number_processes=processes, iterations=2, max_steps=30, display_progress=False
    )
    assert len(rows) == 4 and all(row["tasks_done"] >= 0 for row in rows)
    assert {row["world.layout"] for row in rows} == {"tiny", "small"}


def test_scripts_are_played():
    script = ["left", "forward", "forward", "noop"]
    model = sandbox.Sandbox({**SCENARIO, "agents": [{"reasoner": "scripted", "script": script}]}, rng=3)
    played = []
    for _ in range(6):
        model.step()
        played.append(model.stage.verbs[model.latest.actions[0, 0]])
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
