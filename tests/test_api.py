"""The public surface holds against whatever it is handed; what is aimed at a place happens there or is refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzz_api import WORLDS

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim
from sandbox.running import intervene

FUZZ = Path(__file__).with_name("fuzz_api.py")
EXAMPLES = "10"  # of each method; more by hand: python tests/fuzz_api.py 300


@pytest.mark.parametrize("part", [*WORLDS, "models", "package"])
def test_hostile_arguments_never_end_the_process(part):
    """In a process of its own, so that one that dies is a failure that names the last call."""
    done = subprocess.run([sys.executable, FUZZ, EXAMPLES, part], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stdout == f"done: {part}\n"


# -- what ended the process or wrote beside its arrays -----------------------------------------------------------------


def wrong(env):
    """A call each; every one was a segmentation fault, wrote into other memory, or did something else in silence."""
    state, view, pair = env.reset([1]), env.observation(1), env.reset([1, 2])
    image, long = {"size": 40}, np.zeros((1, 9, 2), np.int32)
    frozen = state._replace(pos=np.broadcast_to(state.pos, state.pos.shape))
    return {
        "words of a lane that is not": lambda: env.render_text(state, 1, 0),
        "words of an agent that is not": lambda: env.render_text(state, 0, 4),
        "words of an agent before the first": lambda: env.render_text(state, 0, -1),
        "paint of a lane that is not": lambda: env.render(state, 10**6, **image),
        "paint of a lane before the first": lambda: env.render(state, -1, **image),
        "paint of a trail of too few agents": lambda: env.render(state, 0, **image, trail=long),
        "fork to a lane that is not": lambda: env.fork(state, 0, state, 7),
        "fork from a lane that is not": lambda: env.fork(state, 7, state, 0),
        "observe into too few lanes": lambda: env.observe(pair, view),
        "observe into arrays of another world": lambda: env.observe(state, sandbox.make("kitchen").observation(1)),
        "reset into too few lanes": lambda: env.reset([1, 2, 3], state),
        "a state of another size": lambda: env.observe(sandbox.make("warehouse", layout="tiny", agents=2).reset([1])),
        "a state of float": lambda: env.observe(state._replace(pos=state.pos.astype(float))),
        "a state in pieces": lambda: env.observe(pair._replace(pos=np.repeat(pair.pos, 2, axis=1)[:, ::2])),
        "a state that cannot be written": lambda: env.observe(frozen),
        "a verb that is not": lambda: env.step(state, np.full((1, 4, 2), (99, 0))),
        "a target that is not": lambda: env.step(state, np.full((1, 4, 2), (0, 1))),
        "actions of float": lambda: env.step(state, np.zeros((1, 4, 2))),
        "policies of too many agents": lambda: env.assign_policies(["idle"] * 9),
        "a seed below 0": lambda: env.reset([-1]),
        "more lanes than memory": lambda: env.allocate(2**31 - 1),
        "a picture of a hundred million pixels a side": lambda: env.render(state, 0, 10**8),
        "progress of a lane that is not": lambda: env.progress(state, 3),
        "a lane that is True": lambda: env.render_text(state, True),
        "a state that is a tuple": lambda: env.digest(tuple(state)),
    }  # fmt: skip


@pytest.mark.parametrize("what", wrong(sandbox.make("warehouse", layout="tiny", agents=4)))
def test_what_does_not_fit_is_one_line(tiny, what):
    with pytest.raises(UsageError, match=r"expected|machine has") as found:
        wrong(tiny)[what]()
    assert "\n" not in str(found.value) and len(str(found.value)) < 300


def test_numbers_of_numpy_are_taken(tiny):
    state = tiny.reset(np.arange(2, dtype=np.int8))
    assert tiny.words(state, np.int64(1), np.uint8(3)) == tiny.words(state, 1, 3)
    assert np.array_equal(tiny.render(state, np.int16(1), np.int64(40)), tiny.render(state, 1, 40))
    actions = np.full((2, 4, 2), (1, 0), np.int64)[:, ::-1]
    other = tiny.reset([0, 1])
    tiny.step(state, actions)
    tiny.step(other, actions.tolist())
    assert tiny.digest(state, 1) == tiny.digest(other, 1)


# -- interventions -----------------------------------------------------------------------------------------------------

SMALL = {
    "warehouse": {"layout": "tiny"}, "kitchen": {"layout": "cramped_room"},
    "wildfire": {"height": 24, "width": 24}, "craft": {"size": 24}, "web": {},
}  # fmt: skip
AGENTS = {"warehouse": 4, "kitchen": 2, "wildfire": 3, "craft": 2, "web": 2}


def moments(name: str):
    """Models in which different things can be done: as they begin, and after a while."""
    table = {"world": {"name": name, **SMALL[name]}, "agents": [{"count": AGENTS[name], "reasoner": "idle"}]}
    for ticks in (0, 30):
        model = sandbox.Sandbox(table, rng=5)
        played, _ = model.env.play([5], "oracle", ticks=ticks)
        model.env.fork(played, 0, model.state, 0)
        yield model


def aims(model) -> list[Aim]:
    rows, cols = model.env.world.cells(model.env.params) if model.env.world.cells else (3, 3)
    cells = [Aim(cell=(row, col)) for row in range(-1, rows + 1) for col in range(-1, cols + 1)]
    agents = [Aim(agent=agent) for agent in range(-1, model.env.agents + 1)]
    return [*agents, *cells, Aim(0, (1, 1)), Aim(cell=(1.0, 1)), Aim(cell=(True, 1)), Aim(agent="0"), Aim(cell=(1,))]


def where(name: str, before: dict, after: dict) -> set:
    """The agents or cells of which a description tells something else afterwards."""
    return PLACES[name](before, after)


def _entries(key: str):
    def agents(before: dict, after: dict) -> set:
        return {k for k, (then, now) in enumerate(zip(before[key], after[key], strict=True)) if then != now}

    return agents


def _added(key: str):
    def cells(before: dict, after: dict) -> set:
        old = [tuple(each) for each in before[key]]
        return {tuple(each)[:2] for each in after[key] if tuple(each) not in old}

    return cells


def _pots(before: dict, after: dict) -> set:
    pairs = zip(before["pots"], after["pots"], strict=True)
    return {(now["row"], now["col"]) for then, now in pairs if then != now and now["ingredients"] == []}


PLACES = {
    "block_aisle": _added("closed"), "spark": _added("burning"), "spoil_pot": _pots, "drop_held": _entries("players"),
    "hunger": _entries("players"), "crew_down": _entries("crews"), "pop_up": _entries("agents"),
    "hostile_pop_up": _entries("agents"), "expire_session": _entries("agents"),
}  # fmt: skip


def beside(before: dict, after: dict) -> set:
    """The cells around a creature that is new."""
    (new,) = [mob for mob in after["mobs"] if mob not in before["mobs"]]
    return {(new["row"] + down, new["col"] + right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right}


@pytest.mark.parametrize("name", SMALL)
def test_an_intervention_is_where_it_is_aimed_at_or_is_refused(name):
    done = set()
    for model in moments(name):
        env = model.env
        began, before = env.digest(model.state), env.describe(model.state)
        first = env.allocate(1)
        env.fork(model.state, 0, first, 0)
        for each in env.world.interventions:
            for aim in aims(model):
                try:
                    intervene.intervene(model, each.name, aim)
                except UsageError as error:
                    assert "\n" not in str(error) and env.digest(model.state) == began, (each.name, aim)
                    continue
                after, target = env.describe(model.state), aim.agent if each.at == "agent" else aim.cell
                assert aim[each.at == "agent"] is None and target is not None, (each.name, aim, "drawn elsewhere")
                if each.name == "zombie":
                    assert (after["players"][target]["row"], after["players"][target]["col"]) in beside(before, after)
                else:
                    assert where(each.name, before, after) == {target}, (each.name, aim)
                done.add(each.name)
                env.fork(first, 0, model.state, 0)
    assert done == {each.name for each in env.world.interventions if each.at != "world"}


@pytest.mark.parametrize("name", SMALL)
def test_what_is_aimed_at_the_world_takes_no_aim(name):
    model = next(moments(name))
    for each in model.env.world.interventions:
        if each.at == "world":
            for aim in (Aim(agent=0), Aim(cell=(0, 0))):
                with pytest.raises(UsageError, match=r"aimed at the world"):
                    intervene.intervene(model, each.name, aim)
