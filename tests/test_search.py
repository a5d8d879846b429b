"""Search: the same in both tiers, blind to the dice, and no better than what it imagines with."""

import numpy as np
import pytest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.world_model import WorldModel
from sandbox.engine.imagine import believe, imagine, unroll
from sandbox.engine.search import list_candidates, searcher
from sandbox.engine.workspace import allocate_flat
from sandbox.scenario import load
from sandbox.trials.episodes import outcomes
from sandbox.trials.trial import run

QUICK = {"horizon": 6, "futures": 3}
BLIND = {"name": "kitchen", "layout": "counter_circuit", "soups": 1, "sight": 1}
MISTY = {"sticky_floor": 0.5, "slow_pot": 0.5}
POPUPS = {"name": "web", "layout": "all", "max_ticks": 40}


def scenario(world, count: int = 1, perturb=None, **model) -> dict:
    group = {"count": count, "reasoner": "search", "world_model": QUICK | model}
    return {"world": world, "agents": [group], "perturb": perturb or {}}


@pytest.fixture(scope="module")
def kitchen():
    return sandbox.make(**{"world" if k == "name" else k: v for k, v in BLIND.items()}, perturb=MISTY)


def decide(stage, state, memory, dice: int, **model) -> list:
    """What cook 0 does, by the dice of its own decision; its memory is left as it was."""
    copies = type(memory)(*(field.copy() for field in memory))
    tally, actions = stage.tally(1), np.zeros((1, stage.agents, 2), np.int32)
    teams, _ = stage.teams([WorldModel(**QUICK | model)] * stage.agents, copies, tally)
    look_ahead, team = searcher(stage.world, "rules"), np.zeros(1, np.int32)
    look_ahead(stage.observe(state), 0, stage.rules, copies, team, np.uint64(dice), actions, teams.work)
    return actions[0, 0].tolist()


# -- one program, two tiers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [(BLIND, 2, MISTY), (POPUPS, 1, {"hostile_popups": 0.4})], ids=["kitchen", "web"])
def test_hosted_equals_compiled_at_every_tick(case):
    chosen = load(scenario(*case))
    stage, policies = chosen.stage(), [group.policy for group in chosen.team()]
    _, tally, digests = stage.play([11, 12, 13, 14], policies, threads=2, trace=60)
    model = sandbox.Sandbox(chosen, rng=13)
    for tick in range(60):
        if model.running:
            model.step()
            assert model.latest.digest == digests[2, tick].tobytes().hex(), tick
    assert model.error is None
    assert (model.tally.imagined[0] == tally.imagined[2]).all() or model.running
    assert tally.imagined.sum() > 0


def test_a_batch_equals_single_runs():
    chosen = load(scenario(POPUPS, perturb={"hostile_popups": 0.4}))
    for outcome in outcomes(chosen, chosen.stage(), range(6)):
        alone = run(chosen, outcome.seed)
        assert alone._replace(seconds=0.0) == outcome._replace(seconds=0.0) and outcome.imagined_ticks > 0


# -- honesty -----------------------------------------------------------------------------------------------------------


def two_worlds(stage):
    """The same to the eyes of cook 0; another seed, another cook elsewhere with full hands, another hidden delay."""
    state, other = stage.reset([5]), stage.reset([6])
    pots = stage.describe(state)["pots"]
    pots[0] |= {"ingredients": ["onion"] * 3, "cooking_ticks": 2, "extra_ticks": 0}
    cooks = [dict(cook) for cook in stage.describe(state)["players"]]
    stage.place(state, 0, {"pots": pots})
    cooks[1] |= {"row": 1, "col": 6, "holding": "dish"}
    stage.place(other, 0, {"players": cooks, "pots": [pots[0] | {"extra_ticks": 9}, *pots[1:]]})
    other.seed[0] = 6
    return state, other


def test_a_planner_cannot_see_the_dice(kitchen):
    """Worlds that agree on everything seen, and differ in what is hidden and in all draws to come: equal decisions."""
    state, other = two_worlds(kitchen)
    seen = [kitchen.observe(each) for each in (state, other)]
    assert all(np.array_equal(a[0, 0], b[0, 0]) for a, b in zip(*seen, strict=True))
    assert kitchen.digest(state) != kitchen.digest(other)
    memory = kitchen.memory(1)
    choices = [[decide(kitchen, each, memory, dice, horizon=12) for dice in range(40)] for each in (state, other)]
    assert choices[0] == choices[1]
    assert len({tuple(choice) for choice in choices[0]}) > 1, "the decisions do depend on something: on their own dice"


def test_these_worlds_do_differ_in_what_comes(kitchen):
    """The control: the same steps of the same cook lead elsewhere, since the floor holds them by other dice."""
    ways, states = [], two_worlds(kitchen)
    for state in states:
        way = []
        for tick in range(12):
            verb = kitchen.verbs.index("west" if tick % 6 < 3 else "east")
            kitchen.step(state, np.array([[[verb, 0], [kitchen.rules.noop, 0]]], np.int32))
            way.append(tuple(state.pos[0, 0].tolist()))
        ways.append(way)
    assert ways[0] != ways[1]


def test_beliefs_hold_neither_the_seed_nor_the_memory_of_others(kitchen):
    state, memory = kitchen.reset([5]), kitchen.memory(1)
    memory.cooks[0] = 7
    belief = believe(kitchen, kitchen.observe(state), memory, 0, [1, 2])
    assert belief.state.seed.tolist() == [1, 2]
    assert (belief.memory.cooks[:, 0] == 7).all() and not (belief.memory.cooks[:, 1] == 7).any()
    assert (belief.state.pos[:, 1] == -1).all(), "the other cook is out of sight"


# -- what imagination is worth -----------------------------------------------------------------------------------------


def test_without_a_horizon_search_is_its_base_policy(kitchen):
    _, _, base = kitchen.play([3, 4], "rules", trace=50)
    _, tally, blank = kitchen.play([3, 4], WorldModel(horizon=0, futures=1), trace=50)
    assert np.array_equal(base, blank) and tally.imagined.sum() == 0


def test_imagination_closes_what_pops_up_and_a_wrong_model_does_not():
    stage = sandbox.make("web", layout="all", max_ticks=40, perturb={"hostile_popups": 0.4})
    ahead = {"horizon": 20, "futures": 4, "candidates": 60}
    won = {kind: (stage.play(range(60), WorldModel(kind=kind, **ahead))[0].done == 1) for kind in ("exact", "shuffled")}
    rules = stage.play(range(60), "rules")[0].done == 1
    assert won["exact"].all() and rules.mean() < 0.7 and won["shuffled"].mean() < 0.8


def test_calm_imagination_looks_into_one_future(kitchen):
    calm, exact = (kitchen.play([3], WorldModel(kind=kind, **QUICK), ticks=1)[1] for kind in ("calm", "exact"))
    assert 0 < calm.imagined.sum() <= exact.imagined.sum() / 2


def test_candidates_are_legal_and_begin_with_the_bases_own():
    mask, pairs = np.arange(20) % 3 > 0, np.zeros(21, np.int32)
    for most in (1, 4, 30):
        count = list_candidates(mask, np.int32(6), most, np.uint64(3), np.int32(0), pairs)
        assert count == min(most, mask.sum() + 1) and pairs[0] == 6
        assert mask[pairs[1:count]].all() and len(set(pairs[:count].tolist())) == count


# -- the world model from Python ---------------------------------------------------------------------------------------


def test_imagined_futures_follow_their_plans(kitchen):
    state, memory = kitchen.reset([5]), kitchen.memory(1)
    belief = believe(kitchen, kitchen.observe(state), memory, 0, [1, 2, 3])
    west = kitchen.verbs.index("west")
    plans = np.array([[[west, 0]] * 4, [[kitchen.rules.noop, 0]] * 4], np.int32)
    before = kitchen.digest(belief.state, 0)
    futures = imagine(kitchen, belief, plans, 4)
    assert futures.reward.shape == (2, 3) and kitchen.digest(belief.state, 0) == before
    assert (futures.state.pos[:3, 0, 1] < futures.state.pos[3:, 0, 1]).any() and (futures.state.tick == 4).all()
    with pytest.raises(UsageError, match="sees the state"):
        next(unroll(kitchen, belief, plans, 1, "oracle"))


def test_a_lane_lies_in_one_block_of_words(kitchen):
    shapes = kitchen.world.state_shapes(kitchen.rules)
    state, words = allocate_flat(kitchen.world.state, shapes, 2)
    kitchen.world.reset(state, 0, kitchen.rules)
    kept = kitchen.digest(state)
    words[1] = words[0]
    words[0] = 0
    assert kitchen.digest(state) != kept and not state.pos.any()
    words[0] = words[1]
    assert kitchen.digest(state) == kept
    assert all(field.flags.c_contiguous and field.flags.aligned for field in state)


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
        load(scenario(BLIND, 2, **model)).stage()


def test_a_scenario_stands_for_itself():
    chosen = load(scenario(BLIND, 2), {"agents.0.world_model.caution": 2.0})
    assert chosen.agents[0].policy == WorldModel(**QUICK, caution=2.0) and chosen.compiled
    assert type(chosen)(**chosen.as_dict()) == chosen
