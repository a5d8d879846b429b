"""What worlds offer to teams, against the state itself; ``test_teamwork.py`` runs this file in plain Python.

There nothing waits for a compiler, and NumPy checks every index.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import sandbox
from sandbox.core.finish import Finish
from sandbox.core.speech import task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskState
from sandbox.engine.coordination.team import Assignment
from sandbox.model import Sandbox
from sandbox.scenario import load
from sandbox.testing import offers_of
from sandbox.testing_setup import rollout
from sandbox.worlds.craft.state import Achievement, Body
from sandbox.worlds.kitchen.policies.rules import rules as cook_by_rules
from sandbox.worlds.kitchen.state import Cell, Cook, Pot, Thing
from sandbox.worlds.kitchen.tasks import PLATE, POT
from sandbox.worlds.office.state import Case as Item
from sandbox.worlds.office.state import Desk, Status
from sandbox.worlds.wildfire.state import Ground, Kind
from sandbox.worlds.wildfire.tasks import SIDE, arguments

np.seterr(all="ignore")
ME = 1  # the agent that is looked at
LAND = "\n".join([  # of two times two sectors, with two fires far apart
    "h......................~", *2 * ["." * 24], "....ggg.................", "..c.g*g.........ggg....~",
    "....ggg....c....g**.....", "..c........c....ggg.....", *7 * ["." * 24],
])  # fmt: skip


# -- what the states say, told apart from the kernels under test -------------------------------------------------------


class Shift:
    """Whether the orders of the beginning have been served: their loads are asked for no longer."""

    def __init__(self, state: Any, params: Any):
        self.loads, self.served = state.request[0].copy(), set()

    def __call__(self, state: Any, params: Any, one: Any) -> bool:
        if not state.requested[0, self.loads[one.argument] - 1]:
            self.served.add(one.argument)
        return one.argument in self.served


def nothing_burns(state: Any, params: Any, one: Any) -> bool:
    burning = (state.land[0] >> 3) >= Ground.FIRE
    if one.name == "all out":
        return not burning.any()
    row, col = (SIDE * int(k) for k in arguments(params, 0)[one.argument].split("-"))
    return not burning[row : row + SIDE, col : col + SIDE].any()


def is_unlocked(state: Any, params: Any, one: Any) -> bool:
    return bool(state.achieved[0, :, Achievement[one.name.split()[1].upper()]].any())


class Ends:
    """Whether a register holds what it holds at the end of the way that was recorded: from the site's file."""

    wanted = {"item": 0, "date": 1, "price": 2, "team": 3, "approved": 4, "rejected": 5}  # place in the goal

    def __init__(self, state: Any, params: Any):
        self.rows = params.goal[params.template[0, 6] :]

    def __call__(self, state: Any, params: Any, one: Any) -> bool:
        register, kind, argument = self.rows[self.wanted[one.name.split()[1]]]
        return int(state.register[0, register]) == (1000 + state.value[0, 0, argument] if kind else argument)


def _far_onion(state: Any, params: Any) -> None:
    row, col = max(np.argwhere(params.plan == Cell.COUNTER), key=lambda at: abs(at - state.pos[0, ME]).max())
    state.items[0, row, col] = Thing.ONION


def _pot_cooks(state: Any, params: Any) -> None:
    state.pots[0, 0, [Pot.ONIONS, Pot.TICKS]] = 3, 1


def _far_fire(state: Any, params: Any) -> None:
    row, col = max(np.ndindex(state.land[0].shape), key=lambda at: np.abs(at - state.pos[0, ME]).max())
    assert np.abs((row, col) - state.pos[0, ME]).max() > params.sight
    state.land[0, row, col] = Kind.GRASS + 8 * (Ground.FIRE + 1)  # in its first tick


def _fire_here(state: Any, params: Any) -> None:
    row, col = state.pos[0, ME]
    state.land[0, row, col] = Kind.GRASS + 8 * (Ground.FIRE + 1)  # in its first tick


def _set(field: str, place: Any, value: Any) -> Callable[[Any, Any], None]:
    def change(state: Any, params: Any) -> None:
        getattr(state, field)[place] = value

    return change


class Case(NamedTuple):
    """A world, and changes of its state: what the agent cannot know, what it knows, what makes it not free."""

    options: dict
    agents: int
    holds: Callable  # state, rules, task object -> whether it is done
    hidden: Callable
    shown: Callable | None
    busy: Callable | None


CASES = {
    "warehouse": Case({"layout": "tiny", "deliveries": 12}, 4, Shift, _set("delivered", 0, 9),
                      _set("pos", (0, ME), 0), _set("carrying", (0, ME), 1)),
    "wildfire": Case({"layout": LAND}, 4, nothing_burns, _far_fire, _fire_here, _fire_here),
    "craft": Case({"size": 24, "goal": "wood_tools"}, 2, is_unlocked, _set("achieved", (0, 0), 1),
                  _set("achieved", (0, ME, Achievement.COLLECT_WOOD), 1), _set("body", (0, ME, Body.HEALTH), 0)),
    "kitchen": Case({"soups": 2, "sight": 1}, 2, lambda s, params, one: s.served[0] >= int(one.name.split()[1]),
                    _far_onion, _pot_cooks, _set("holding", (0, ME), Thing.SOUP + 3)),
    "web": Case({"layout": "expense-claim"}, 2, Ends, _set("register", 0, 1), None, None),
    "office": Case({"cases": 3}, 2, lambda s, params, one: s.case[0, one.argument, Item.STATUS] == Status.RIGHT,
                   _set("doc", (0, 2, 0), 9), None, _set("desk", (0, ME, Desk.VERB), 3)),
}  # fmt: skip


@pytest.fixture(params=CASES)
def world(request):
    return request.param


def _env(world: str):
    return sandbox.make(world, agents=CASES[world].agents, **CASES[world].options)


def _scenario(world: str, reasoner: str, **team: Any) -> dict:
    return {"world": {"name": world, **CASES[world].options}, "team": {"tasks": "generated", **team},
            "agents": [{"count": CASES[world].agents, "reasoner": reasoner}]}  # fmt: skip


# -- look --------------------------------------------------------------------------------------------------------------


def _changed(env, change: Callable):
    state = env.reset([5])
    change(state, env.params)
    return env.observe(state)


def test_offers_follow_from_the_observation_alone(world):
    env, case = _env(world), CASES[world]
    before, hidden = env.observe(env.reset([5])), _changed(env, case.hidden)
    for name, first, second in zip(before._fields, before, hidden, strict=True):
        assert np.array_equal(first[0, ME], second[0, ME]), f"'{name}' tells"
    assert offers_of(env, before, ME) == offers_of(env, hidden, ME)
    if case.shown:
        assert offers_of(env, before, ME) != offers_of(env, _changed(env, case.shown), ME)
    else:
        assert offers_of(env, before, ME)[0] == []


def test_an_agent_knows_whether_it_is_free_and_where_it_is(world):
    env, case = _env(world), CASES[world]
    state, width = env.reset([5]), env.world.teamwork.width(env.params)
    _, own = offers_of(env, env.observe(state), ME)
    row, col = state.pos[0, ME]
    assert own[AgentStatus.CELL] == (row * width + col if world not in ("web", "office") else -1)
    assert own[AgentStatus.FREE] == 1
    if case.busy:
        assert offers_of(env, _changed(env, case.busy), ME)[1][AgentStatus.FREE] == 0


@pytest.mark.parametrize(
    ("world", "task", "before", "change"),
    [
        ("craft", (1, Achievement.COLLECT_WOOD), None, _set("achieved", (0, ME, Achievement.COLLECT_WOOD), 1)),
        ("kitchen", (POT + 1, 0), None, _pot_cooks),
        ("kitchen", (PLATE + 1, 0), _pot_cooks, _set("pots", (0, 0, Pot.TICKS), -1)),
    ],
)
def test_a_task_is_over_when_the_agent_sees_that_it_is(world, task, before, change):
    env = _env(world)
    state, work = env.reset([5]), env.world.teamwork
    for each, left in ((before, task[0]), (change, 0)):
        if each:
            each(state, env.params)
        job, own = np.array([*task, -1, -1, 1, 0], np.int32), np.zeros(len(AgentStatus), np.int32)
        assert len(job) == len(Assignment)
        work.look(env.observe(state), 0, ME, env.params, job, own, np.zeros((work.open_tasks, len(OpenTask)), np.int32))
        assert job[Assignment.KIND] == left and own[AgentStatus.FINISHED] == (left == 0)


def test_every_pot_is_offered_to_every_cook_by_one_of_them():
    env = sandbox.make("kitchen", layout="asymmetric_advantages")
    for state in rollout(env, env.reset([5]), 20):
        open_tasks = [offers_of(env, env.observe(state), agent)[0] for agent in range(2)]
        first, second = ({(code, host) for code, _, _, host in own} for own in open_tasks)
        assert first == second and {host for _, host in first} == {0, 1}


def test_what_a_player_has_achieved_is_not_offered_to_it():
    env = _env("craft")
    for k in np.flatnonzero(env.params.goal):
        obs = _changed(env, _set("achieved", (0, ME, k), 1))
        assert task_code(0, k) not in {code for code, *_ in offers_of(env, obs, ME)[0]}
        assert task_code(0, k) in {code for code, *_ in offers_of(env, obs, 0)[0]}


# -- check -------------------------------------------------------------------------------------------------------------


def test_task_objects_stand_as_the_state_says_all_along_the_oracles_way(world):
    model = Sandbox(_scenario(world, "oracle"), rng=1)
    objects, params = model.env.team.objects, model.env.params
    holds = CASES[world].holds
    holds = holds(model.state, params) if isinstance(holds, type) else holds
    while model.running:
        model.step()
        stands = dict(zip((one.name for one in objects), model.talk.team.state[0].tolist(), strict=True))
        for one in objects:
            waits = any(stands[before] != TaskState.DONE for before in one.after)
            expected = TaskState.DONE if holds(model.state, params, one) else TaskState.OPEN
            assert stands[one.name] == (TaskState.WAITING if waits else expected), (model.ticks, one)
    assert model.finish == Finish.COMPLETED, model.error
    assert set(stands.values()) == {TaskState.DONE}
    began = dict(zip(stands, model.talk.team.times[0].tolist(), strict=True))
    for one in objects:
        assert all(began[before][1] <= began[one.name][1] for before in one.after), one


def test_another_content_than_the_one_asked_for_meets_no_condition():
    env = _env("web")
    state, check = env.reset([5]), env.world.teamwork.check
    state.register[0] = np.iinfo(state.register.dtype).max
    for one in env.world.teamwork.generate(env.params):
        assert check(state, 0, env.params, one.kind, one.argument, 0)[0] == TaskState.OPEN


def test_a_condition_beyond_those_of_the_episode_is_done():
    env = sandbox.make("web", layout="all")
    state, work = env.reset(range(40)), env.world.teamwork
    goals = env.params.template[state.info[:, 0], 7]  # Template.GOALS
    assert len(set(goals)) > 2 and len(work.generate(env.params)) == len(work.arguments(env.params, 0)) == 8
    for lane, count in enumerate(goals):
        done = [work.check(state, lane, env.params, 0, k, 0)[0] == TaskState.DONE for k in range(8)]
        assert all(done[count:]) and not all(done[:count])


# -- policies follow their task ----------------------------------------------------------------------------------------


def test_rules_cooks_go_to_the_pot_that_their_team_gives_them():
    env = sandbox.make("kitchen", layout="asymmetric_advantages")
    state, memory = env.reset([5]), env.memory(1)
    state.holding[0, 0] = Thing.ONION
    obs, actions = env.observe(state), np.zeros((1, 2, 2), np.int32)
    for pot in range(2):
        obs.task[0, 0, :2] = POT + 1, pot
        cook_by_rules(obs, 0, env.params, memory, np.array([0]), np.uint64(1), actions)
        assert memory.cooks[0, 0, Cook.TARGET] == env.params.pot_cell[pot]


def test_rules_players_pursue_what_only_their_team_asks_for():
    """Left to itself, this policy places no plant on the way to another goal."""
    options = {"name": "craft", "size": 24, "goal": "iron_tools", "max_ticks": 20}
    alone = {"world": options, "agents": [{"count": 2, "reasoner": "rules"}]}
    team = {"protocol": "independent", "tasks": [{"kind": "achieve", "argument": "place_plant"}]}
    for scenario, placed in ((alone, False), (alone | {"team": team}, True)):
        state, _ = load(scenario).env().play([3], "rules")
        assert ((state.achieved[..., Achievement.PLACE_PLANT] > 0).any(axis=1) == placed).all()


@pytest.mark.parametrize("world", ["craft", "kitchen", "web"])
def test_rules_agents_complete_the_shared_task_each_for_itself_and_by_a_market(world):
    for protocol in ("independent", "market"):
        state, _ = load(_scenario(world, "rules", protocol=protocol)).env().play(range(1, 6), "rules")
        assert (state.done == Finish.COMPLETED).all(), protocol
