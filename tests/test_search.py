"""Search: the same in both tiers, blind to the dice, and no better than what it imagines with."""

import numpy as np
import pytest

import sandbox
from sandbox.analysis.prediction_error import foresight
from sandbox.core.errors import UsageError
from sandbox.core.world_model import WorldModel
from sandbox.engine.imagine import believe, imagine, unroll
from sandbox.engine.search import list_candidates, searcher
from sandbox.engine.workspace import allocate_flat
from sandbox.running.episodes import play
from sandbox.running.trial import run
from sandbox.scenario import load
from sandbox.worlds.web.state import Item

QUICK = {"horizon": 6, "futures": 3}
BLIND = {"name": "kitchen", "layout": "counter_circuit", "soups": 1, "sight": 1}
POPUPS = {"name": "web", "layout": "all", "max_ticks": 40}
OFTEN = {"hostile_popups": 0.4}
SEED, OTHER = 8, 99  # something pops up after the first tick; another seed


def scenario(world, count: int = 1, perturb=None, **model) -> dict:
    group = {"count": count, "reasoner": "search", "world_model": QUICK | model}
    return {"world": world, "agents": [group], "perturb": perturb or {}}


@pytest.fixture(scope="module")
def web():
    return sandbox.make("web", layout="all", max_ticks=40, perturb=OFTEN)


def decide(env, state, memory, dice: int, **model) -> list:
    """What agent 0 does, by the dice of its own decision; its memory is left as it was."""
    copies = type(memory)(*(field.copy() for field in memory))
    stats, actions = env.stats(1), np.zeros((1, env.agents, 2), np.int32)
    assignment, _ = env.assign_policies([WorldModel(**QUICK | model)] * env.agents, copies, stats)
    look_ahead, team = searcher(env.world, "rules"), np.zeros(1, np.int32)
    look_ahead(env.observe(state), 0, env.params, copies, team, np.uint64(dice), actions, assignment.work)
    return actions[0, 0].tolist()


def follow_rules(env, state, memory):
    """One tick by the base policy; returns what agent 0 saw before it."""
    seen, actions = env.observe(state), np.zeros((1, env.agents, 2), np.int32)
    env.world.policies["rules"](seen, 0, env.params, memory, np.zeros(1, np.int32), np.uint64(0), actions)
    env.step(state, actions)
    return seen.window[0, 0]


# -- one program, two tiers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"depth": 3}, {"kind": "wrong"}], ids=str)
def test_a_batch_equals_single_runs(more):
    """Whatever is imagined, and under noise that shows what cannot be."""
    chosen = load(scenario(POPUPS, perturb=OFTEN | ({"sensor_noise": 0.1} if more else {}), **more))
    for outcome in play(chosen, chosen.env(), range(12)).outcomes:
        alone = run(chosen, outcome.seed)
        assert alone._replace(seconds=0.0) == outcome._replace(seconds=0.0) and outcome.imagined_ticks > 0


# -- honesty -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_worlds(web):
    """Under a pop-up, the same to the agent's eyes; another seed, and other values on the pages that it does not see.

    Returns both states and the agent's memory.
    """
    state, memory = web.reset([SEED]), web.memory(1)
    follow_rules(web, state, memory)
    lane = web.describe(state)
    assert lane["agents"][0]["over"]
    hidden = [k for k, each in enumerate(lane["elements"]) if each["page"] not in lane["agents"][0].values()]
    other = web.allocate(1)
    web.fork(state, 0, other, 0)
    other.seed[0] = OTHER
    other.item[0, hidden, Item.VALUE] += 1
    return state, other, memory


def test_a_planner_cannot_see_the_dice(web, two_worlds):
    """Worlds that agree on everything seen, and differ in what is hidden and in all draws to come: equal decisions."""
    state, other, memory = two_worlds
    seen = [web.observe(each) for each in (state, other)]
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))
    assert not np.array_equal(state.item, other.item) and state.seed != other.seed
    choices = [[decide(web, each, memory, dice, candidates=4) for dice in range(40)] for each in (state, other)]
    assert choices[0] == choices[1]
    assert len({tuple(choice) for choice in choices[0]}) > 1, "the decisions do depend on something: on their own dice"


def test_worlds_of_other_dice_do_differ_in_what_comes(web):
    """The control: begun alike, the same seed leads the same way, and another one elsewhere: other things pop up."""
    begun, ways = web.reset([SEED]), []
    for seed in (SEED, SEED, OTHER):
        state, memory = web.allocate(1), web.memory(1)
        web.fork(begun, 0, state, 0)
        state.seed[0] = seed
        ways.append(np.array([follow_rules(web, state, memory) for _ in range(10)]))
    assert np.array_equal(ways[0][0], ways[2][0])
    assert np.array_equal(ways[0], ways[1]) and not np.array_equal(ways[0], ways[2])


def test_beliefs_hold_neither_the_seed_nor_the_memory_of_others():
    two = sandbox.make("web", layout="approve-request", agents=2)
    state, memory = two.reset([5]), two.memory(1)
    memory.notes[0] = 7
    belief = believe(two, two.observe(state), memory, 0, [1, 2])
    assert belief.state.seed.tolist() == [1, 2]
    assert (belief.memory.notes[:, 0] == 7).all() and not (belief.memory.notes[:, 1] == 7).any()


# -- what imagination is worth -----------------------------------------------------------------------------------------


def test_without_a_horizon_search_is_its_base_policy(web):
    """Also from single runs, where the base policy does not go through a search at all."""
    blank = scenario(POPUPS, perturb=OFTEN, horizon=0)
    chosen = load(blank)
    for outcome in play(chosen, chosen.env(), range(6)).outcomes:
        base = run(chosen, outcome.seed, {"agents.0.reasoner": "rules"})
        assert base._replace(seconds=0.0) == outcome._replace(seconds=0.0) and outcome.imagined_ticks == 0


def test_imagination_closes_what_pops_up_and_a_wrong_model_does_not(web):
    ahead, seeds = {"horizon": 20, "futures": 4, "candidates": 60, "discount": 0.999}, range(60)
    won = {kind: (web.play(seeds, WorldModel(kind=kind, **ahead))[0].done == 1) for kind in ("exact", "shuffled")}
    base = web.play(seeds, WorldModel(horizon=0))[0].done == 1
    assert won["exact"].all() and base.mean() < 0.7 and won["shuffled"].mean() < 0.8


def test_a_tree_takes_no_more_futures_than_flat_search(web):
    """And its first actions are as good: what pops up is closed."""
    ahead = {"horizon": 20, "futures": 4, "candidates": 60, "discount": 0.999}
    flat, deep = (web.play(range(60), WorldModel(depth=depth, **ahead)) for depth in (1, 3))
    first = [web.play(range(60), WorldModel(depth=depth, **ahead), ticks=1)[1].imagined for depth in (1, 3)]
    assert (flat[0].done == 1).all() and (deep[0].done == 1).mean() > 0.9
    assert not np.array_equal(*first) and (first[1] <= 20 * 4 * 60).all()


def test_calm_imagination_spends_as_much_on_one_future(web):
    """Its decisions are those of a single future, whatever the caution; with several futures some are others."""
    state, memory, dice = web.reset([SEED]), web.memory(1), range(60)
    ahead = {"horizon": 12, "candidates": 20, "caution": 0.0}
    follow_rules(web, state, memory)

    def choices(**model) -> list:
        return [decide(web, state, memory, each, **ahead | model) for each in dice]

    one = choices(futures=1)
    assert choices(kind="calm") == choices(kind="calm", caution=20.0) == one != choices()
    calm, exact, single = (
        web.play([3], WorldModel(kind=kind, horizon=6, futures=futures), ticks=1)[1].imagined.sum()
        for kind, futures in (("calm", 3), ("exact", 3), ("exact", 1))
    )
    assert calm == 3 * single and 0.8 * exact < calm < 1.25 * exact


def test_candidates_are_legal_and_begin_with_the_bases_own():
    mask, pairs = np.arange(20) % 3 > 0, np.zeros(21, np.int32)
    for most in (1, 4, 30):
        count = list_candidates(mask, np.int32(6), most, np.uint64(3), np.int32(0), pairs)
        assert count == min(most, mask.sum() + 1) and pairs[0] == 6
        assert mask[pairs[1:count]].all() and len(set(pairs[:count].tolist())) == count


# -- the world model from Python ---------------------------------------------------------------------------------------


def test_imagined_futures_follow_their_plans(web):
    """Two ticks on, who clicked what its rules would click stands elsewhere than who waited."""
    state, memory = web.reset([SEED]), web.memory(1)
    belief = believe(web, web.observe(state), memory, 0, [1, 2, 3])
    first = decide(web, state, memory, 0, horizon=0)
    plans = np.array([[first] * 2, [[web.params.noop, 0]] * 2], np.int32)
    before = web.digest(belief.state, 0)
    futures = imagine(web, belief, plans, 2)
    assert futures.reward.shape == (2, 3) and web.digest(belief.state, 0) == before
    assert not np.array_equal(futures.state.session[:3], futures.state.session[3:]) and (futures.state.tick == 2).all()
    with pytest.raises(UsageError, match="sees the state"):
        next(unroll(web, belief, plans, 1, "oracle"))


def test_a_lane_lies_in_one_block_of_words(web):
    shapes = web.world.state_shapes(web.params)
    state, words = allocate_flat(web.world.state, shapes, 2)
    web.world.reset(state, 0, web.params)
    kept = web.digest(state)
    words[1] = words[0]
    words[0] = 0
    assert web.digest(state) != kept and not state.item.any()
    words[0] = words[1]
    assert web.digest(state) == kept
    assert all(field.flags.c_contiguous and field.flags.aligned for field in state)


def errors(chosen, trials: int) -> dict[int, float]:
    """By horizon, the share of what changed in view that was foreseen wrongly."""
    rows = [row for row in foresight(load(chosen), trials) if row.view == "in view" and row.changed]
    assert all(row.still.value == 1 for row in rows), "who believes that nothing changes is always wrong"
    return {row.horizon: row.error.value for row in rows}


@pytest.mark.parametrize("layout", ["fill-form", "copy-value"])
def test_what_is_seen_is_foreseen_where_nothing_is_left_to_chance(layout):
    found = errors(scenario({"name": "web", "layout": layout}), 6)
    assert len(found) >= 3 and not any(found.values())


def test_errors_grow_with_the_horizon_where_others_decide():
    found = errors(scenario(BLIND | {"sight": 9}, 2, horizon=8), 6)
    assert 0 < found[1] < found[8] < 1


# -- scenarios ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"base": "oracle"}, r"agents\[0\]\.world_model\.base: 'oracle' sees the state"),
        ({"base": "rule"}, r"agents\[0\]\.world_model\.base: unknown policy 'rule'; did you mean 'rules'"),
        ({"kind": "exat"}, r"agents\.0\.world_model\.kind: input should be 'exact'"),
        ({"horizn": 3}, r"agents\[0\]\.world_model: unknown key 'horizn'; did you mean 'horizon'"),
        ({"futures": 0}, r"agents\.0\.world_model\.futures"),
    ],
)
def test_a_bad_world_model_is_one_clear_line(model, told):
    with pytest.raises(UsageError, match=told):
        load(scenario(BLIND, 2, **model)).env()


def test_a_scenario_stands_for_itself():
    chosen = load(scenario(BLIND, 2), {"agents.0.world_model.caution": 2.0})
    assert chosen.agents[0].policy == WorldModel(**QUICK, caution=2.0) and chosen.compiled
    assert type(chosen)(**chosen.as_dict()) == chosen
