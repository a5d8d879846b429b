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
from sandbox.core.teamwork import Offer, Own, TaskState
from sandbox.engine.team import Job
from sandbox.model import Sandbox
from sandbox.scenario import load
from sandbox.testing import offers_of, rollout
from sandbox.worlds.craft.state import Achievement, Body
from sandbox.worlds.kitchen.policies import rules as cook_by_rules
from sandbox.worlds.kitchen.state import Cell, Cook, Pot, Thing
from sandbox.worlds.kitchen.teamwork import PLATE, POT
from sandbox.worlds.wildfire.state import Ground, Kind
from sandbox.worlds.wildfire.teamwork import SIDE, arguments

np.seterr(all="ignore")
ME = 1  # the agent that is looked at
LAND = "\n".join([  # of two times two sectors, with two fires far apart
    "h......................~", *2 * ["." * 24], "....ggg.................", "..c.g*g.........ggg....~",
    "....ggg....c....g**.....", "..c........c....ggg.....", *7 * ["." * 24],
])  # fmt: skip


# -- what the states say, told apart from the kernels under test -------------------------------------------------------


class Shift:
    """Whether the orders of the beginning have been served: their loads are asked for no longer."""

    def __init__(self, state: Any, rules: Any):
        self.loads, self.served = state.request[0].copy(), set()

    def __call__(self, state: Any, rules: Any, one: Any) -> bool:
        if not state.requested[0, self.loads[one.argument] - 1]:
            self.served.add(one.argument)
        return one.argument in self.served


def nothing_burns(state: Any, rules: Any, one: Any) -> bool:
    burning = (state.land[0] >> 3) >= Ground.FIRE
    if one.name == "all out":
        return not burning.any()
    row, col = (SIDE * int(k) for k in arguments(rules, 0)[one.argument].split("-"))
    return not burning[row : row + SIDE, col : col + SIDE].any()


def is_unlocked(state: Any, rules: Any, one: Any) -> bool:
    return bool(state.achieved[0, :, Achievement[one.name.split()[1].upper()]].any())


class Ends:
    """Whether a register holds what it holds at the end of the way that was recorded: from the site's file."""

    wanted = {"item": 0, "date": 1, "price": 2, "team": 3, "approved": 4, "rejected": 5}  # place in the goal

    def __init__(self, state: Any, rules: Any):
        self.rows = rules.goal[rules.template[0, 6] :]

    def __call__(self, state: Any, rules: Any, one: Any) -> bool:
        register, kind, argument = self.rows[self.wanted[one.name.split()[1]]]
        return int(state.register[0, register]) == (1000 + state.value[0, 0, argument] if kind else argument)


def _far_onion(state: Any, rules: Any) -> None:
    row, col = max(np.argwhere(rules.plan == Cell.COUNTER), key=lambda at: abs(at - state.pos[0, ME]).max())
    state.items[0, row, col] = Thing.ONION


def _pot_cooks(state: Any, rules: Any) -> None:
    state.pots[0, 0, [Pot.ONIONS, Pot.TICKS]] = 3, 1


def _far_fire(state: Any, rules: Any) -> None:
    row, col = max(np.ndindex(state.land[0].shape), key=lambda at: np.abs(at - state.pos[0, ME]).max())
    assert np.abs((row, col) - state.pos[0, ME]).max() > rules.sight
    state.land[0, row, col] = Kind.GRASS + 8 * (Ground.FIRE + 1)  # in its first tick


def _fire_here(state: Any, rules: Any) -> None:
    row, col = state.pos[0, ME]
    state.land[0, row, col] = Kind.GRASS + 8 * (Ground.FIRE + 1)  # in its first tick


def _set(field: str, place: Any, value: Any) -> Callable[[Any, Any], None]:
    def change(state: Any, rules: Any) -> None:
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
    "kitchen": Case({"soups": 2, "sight": 1}, 2, lambda s, rules, one: s.served[0] >= int(one.name.split()[1]),
                    _far_onion, _pot_cooks, _set("holding", (0, ME), Thing.SOUP + 3)),
    "web": Case({"layout": "expense-claim"}, 2, Ends, _set("register", 0, 1), None, None),
}  # fmt: skip


@pytest.fixture(params=CASES)
def world(request):
    return request.param


def _stage(world: str):
    return sandbox.make(world, agents=CASES[world].agents, **CASES[world].options)


def _scenario(world: str, reasoner: str, **team: Any) -> dict:
    return {"world": {"name": world, **CASES[world].options}, "team": {"tasks": "generated", **team},
            "agents": [{"count": CASES[world].agents, "reasoner": reasoner}]}  # fmt: skip


# -- look --------------------------------------------------------------------------------------------------------------


def _changed(stage, change: Callable):
    state = stage.reset([5])
    change(state, stage.rules)
    return stage.observe(state)


def test_offers_follow_from_the_observation_alone(world):
    stage, case = _stage(world), CASES[world]
    before, hidden = stage.observe(stage.reset([5])), _changed(stage, case.hidden)
    for name, first, second in zip(before._fields, before, hidden, strict=True):
        assert np.array_equal(first[0, ME], second[0, ME]), f"'{name}' tells"
    assert offers_of(stage, before, ME) == offers_of(stage, hidden, ME)
    if case.shown:
        assert offers_of(stage, before, ME) != offers_of(stage, _changed(stage, case.shown), ME)
    else:
        assert offers_of(stage, before, ME)[0] == []


def test_an_agent_knows_whether_it_is_free_and_where_it_is(world):
    stage, case = _stage(world), CASES[world]
    state, width = stage.reset([5]), stage.world.teamwork.width(stage.rules)
    _, own = offers_of(stage, stage.observe(state), ME)
    row, col = state.pos[0, ME]
    assert own[Own.CELL] == (row * width + col if world != "web" else -1)
    assert own[Own.FREE] == 1
    if case.busy:
        assert offers_of(stage, _changed(stage, case.busy), ME)[1][Own.FREE] == 0


@pytest.mark.parametrize(
    ("world", "task", "before", "change"),
    [
        ("craft", (1, Achievement.COLLECT_WOOD), None, _set("achieved", (0, ME, Achievement.COLLECT_WOOD), 1)),
        ("kitchen", (POT + 1, 0), None, _pot_cooks),
        ("kitchen", (PLATE + 1, 0), _pot_cooks, _set("pots", (0, 0, Pot.TICKS), -1)),
    ],
)
def test_a_task_is_over_when_the_agent_sees_that_it_is(world, task, before, change):
    stage = _stage(world)
    state, work = stage.reset([5]), stage.world.teamwork
    for each, left in ((before, task[0]), (change, 0)):
        if each:
            each(state, stage.rules)
        job, own = np.array([*task, -1, -1, 1, 0], np.int32), np.zeros(len(Own), np.int32)
        assert len(job) == len(Job)
        work.look(stage.observe(state), 0, ME, stage.rules, job, own, np.zeros((work.offers, len(Offer)), np.int32))
        assert job[Job.KIND] == left and own[Own.FINISHED] == (left == 0)


def test_every_pot_is_offered_to_every_cook_by_one_of_them():
    stage = sandbox.make("kitchen", layout="asymmetric_advantages")
    for state in rollout(stage, stage.reset([5]), 20):
        offers = [offers_of(stage, stage.observe(state), agent)[0] for agent in range(2)]
        first, second = ({(code, host) for code, _, _, host in own} for own in offers)
        assert first == second and {host for _, host in first} == {0, 1}


def test_what_a_player_has_achieved_is_not_offered_to_it():
    stage = _stage("craft")
    for k in np.flatnonzero(stage.rules.goal):
        obs = _changed(stage, _set("achieved", (0, ME, k), 1))
        assert task_code(0, k) not in {code for code, *_ in offers_of(stage, obs, ME)[0]}
        assert task_code(0, k) in {code for code, *_ in offers_of(stage, obs, 0)[0]}


# -- check -------------------------------------------------------------------------------------------------------------


def test_task_objects_stand_as_the_state_says_all_along_the_oracles_way(world):
    model = Sandbox(_scenario(world, "oracle"), rng=1)
    objects, rules = model.stage.team.objects, model.stage.rules
    holds = CASES[world].holds
    holds = holds(model.state, rules) if isinstance(holds, type) else holds
    while model.running:
        model.step()
        stands = dict(zip((one.name for one in objects), model.talk.team.state[0].tolist(), strict=True))
        for one in objects:
            waits = any(stands[before] != TaskState.DONE for before in one.after)
            expected = TaskState.DONE if holds(model.state, rules, one) else TaskState.OPEN
            assert stands[one.name] == (TaskState.WAITING if waits else expected), (model.ticks, one)
    assert model.finish == Finish.COMPLETED, model.error
    assert set(stands.values()) == {TaskState.DONE}
    began = dict(zip(stands, model.talk.team.times[0].tolist(), strict=True))
    for one in objects:
        assert all(began[before][1] <= began[one.name][1] for before in one.after), one


def test_another_content_than_the_one_asked_for_meets_no_condition():
    stage = _stage("web")
    state, check = stage.reset([5]), stage.world.teamwork.check
    state.register[0] = np.iinfo(state.register.dtype).max
    for one in stage.world.teamwork.generate(stage.rules):
        assert check(state, 0, stage.rules, one.kind, one.argument, 0)[0] == TaskState.OPEN


def test_a_condition_beyond_those_of_the_episode_is_done():
    stage = sandbox.make("web", layout="all")
    state, work = stage.reset(range(40)), stage.world.teamwork
    goals = stage.rules.template[state.info[:, 0], 7]  # Template.GOALS
    assert len(set(goals)) > 2 and len(work.generate(stage.rules)) == len(work.arguments(stage.rules, 0)) == 8
    for lane, count in enumerate(goals):
        done = [work.check(state, lane, stage.rules, 0, k, 0)[0] == TaskState.DONE for k in range(8)]
        assert all(done[count:]) and not all(done[:count])


# -- policies heed their task ------------------------------------------------------------------------------------------


def test_rules_cooks_go_to_the_pot_that_their_team_gives_them():
    stage = sandbox.make("kitchen", layout="asymmetric_advantages")
    state, memory = stage.reset([5]), stage.memory(1)
    state.holding[0, 0] = Thing.ONION
    obs, actions = stage.observe(state), np.zeros((1, 2, 2), np.int32)
    for pot in range(2):
        obs.task[0, 0, :2] = POT + 1, pot
        cook_by_rules(obs, 0, stage.rules, memory, np.array([0]), np.uint64(1), actions)
        assert memory.cooks[0, 0, Cook.TARGET] == stage.rules.pot_cell[pot]


def test_rules_players_pursue_what_only_their_team_asks_for():
    """Left to itself, this policy places no plant on the way to a goal."""
    options = {"name": "craft", "size": 24, "goal": "place_plant", "max_ticks": 20}
    alone = {"world": options, "agents": [{"count": 2, "reasoner": "rules"}]}
    for scenario, finish in ((alone, Finish.TICK_LIMIT), (alone | {"team": {"tasks": "generated"}}, Finish.COMPLETED)):
        state, _, _ = load(scenario).stage().play([1, 2, 3], "rules")
        assert (state.done == finish).all()


@pytest.mark.parametrize("world", ["craft", "kitchen", "web"])
def test_rules_agents_complete_the_shared_task_each_for_itself_and_by_a_market(world):
    for protocol in ("independent", "market"):
        state, _, _ = load(_scenario(world, "rules", protocol=protocol)).stage().play(range(1, 6), "rules")
        assert (state.done == Finish.COMPLETED).all(), protocol
