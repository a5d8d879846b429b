"""Our kitchen against the overcooked-ai package, step by step: it is the record. Then the kitchen's own promises."""

from pathlib import Path

import numpy as np
import pytest

np.Inf = np.inf  # overcooked-ai 1.1.0 was written for NumPy 1

import overcooked_ai_py  # noqa: E402
from overcooked_ai_py.mdp.actions import Action, Direction  # noqa: E402
from overcooked_ai_py.mdp.overcooked_mdp import OvercookedGridworld  # noqa: E402

import sandbox  # noqa: E402
from sandbox.core.errors import UsageError  # noqa: E402
from sandbox.core.finish import Finish  # noqa: E402
from sandbox.worlds.kitchen.layouts import CLASSIC, load  # noqa: E402
from sandbox.worlds.kitchen.state import FAR, Verb  # noqa: E402

FILES = Path(overcooked_ai_py.__file__).parent / "data" / "layouts"
PEER_NAME = {"counter_circuit": "counter_circuit_o_1order"}
SEEDS, STEPS = 50, 400
FACING = dict(zip(Direction.ALL_DIRECTIONS, ("north", "south", "east", "west"), strict=True))


def _thing(peer):
    if peer is None or peer.name != "soup":
        return peer and peer.name
    return {"name": "soup", "ingredients": sorted(peer.ingredients)}


def _peer_view(mdp, state):
    """The package's state in the terms of ``describe``."""
    players, objects, pots = [], [], []
    for p in state.players:
        (col, row), facing = p.position, FACING[p.orientation]
        players.append((row, col, facing, _thing(p.held_object)))
    for (col, row), thing in sorted(state.objects.items(), key=lambda pair: pair[0][::-1]):
        if mdp.get_terrain_type_at_pos((col, row)) == "X":
            objects.append((row, col, _thing(thing)))
    for col, row in mdp.get_pot_locations():
        soup = state.objects.get((col, row))
        if soup is None:
            pots.append((row, col, [], -1, False))
        else:
            pots.append((row, col, sorted(soup.ingredients), soup._cooking_tick, soup.is_ready))
    return players, objects, pots


def _our_view(env, state):
    d = env.describe(state)
    soup = ("name", "ingredients")
    return (
        [(p["row"], p["col"], p["facing"], p["holding"]) for p in d["players"]],
        [
            (o["row"], o["col"], {k: o[k] for k in soup} if "ingredients" in o else o["name"])
            for o in d["objects"]
        ],
        [(p["row"], p["col"], p["ingredients"], p["cooking_ticks"], p["ready"]) for p in d["pots"]],
    )  # fmt: skip


def _compare(env, mdp, seed, choose, steps=STEPS):
    """Play both for ``steps`` and compare everything at every step; returns what was paid for each soup."""
    ours, peer, paid = env.reset([seed]), mdp.get_standard_start_state(), []
    for step in range(steps):
        assert _our_view(env, ours) == _peer_view(mdp, peer), (seed, step)
        actions = choose(ours, step)
        joint = [Action.INDEX_TO_ACTION[verb] for verb in actions[:, 0]]
        peer, infos = mdp.get_state_transition(peer, joint)
        env.step(ours, actions[None])
        sparse = sum(infos["sparse_reward_by_agent"])
        assert ours.reward[0].tolist() == pytest.approx([sparse] * env.agents), (seed, step)
        assert ours.shaped[0].tolist() == infos["shaped_reward_by_agent"], (seed, step)
        assert ours.sparse[0].tolist() == pytest.approx(infos["sparse_reward_by_agent"]), (seed, step)
        for agent in np.flatnonzero(infos["event_infos"]["soup_delivery"]):
            paid.append(infos["sparse_reward_by_agent"][agent])
    return paid


def _random(rng, agents):
    verbs = rng.integers(0, 6, (STEPS, agents))

    def choose(state, step):
        return np.stack([verbs[step], np.zeros(agents, np.int64)], axis=-1).astype(np.int32)

    return choose


def _policy(env, policy):
    assignment, loops = env.assign_policies([policy] * env.agents)
    memory, obs, actions = env.memory(1), env.observation(1), np.zeros((1, env.agents, 2), np.int32)

    def choose(state, step):
        env.observe(state, obs)
        loops.choose(state, obs, 0, env.params, memory, assignment, actions)
        return actions[0].copy()

    return choose


def _endless(layout, **options):
    return sandbox.make("kitchen", layout=layout, soups=0, max_ticks=10_000, **options)


# -- beside the record -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_random_play_is_equal_at_every_step(layout):
    """5 layouts x 50 seeds x 400 random joint steps."""
    env = _endless(layout)
    mdp = OvercookedGridworld.from_layout_name(PEER_NAME.get(layout, layout))
    for seed in range(SEEDS):
        _compare(env, mdp, seed, _random(np.random.default_rng(seed), 2))


@pytest.mark.parametrize("policy", ["rules", "oracle"])
@pytest.mark.parametrize("layout", list(CLASSIC))
def test_play_that_serves_soups_is_equal(layout, policy):
    env = _endless(layout)
    mdp = OvercookedGridworld.from_layout_name(PEER_NAME.get(layout, layout))
    paid = _compare(env, mdp, 7, _policy(env, policy))
    assert len(paid) >= 5 and set(paid) == {20}


@pytest.mark.parametrize(
    ("name", "agents"),
    [
        ("asymmetric_advantages_tomato", 2),
        ("bonus_order_test", 2),
        ("counter_circuit", 2),
        ("cramped_room_tomato", 2),
        ("forced_coordination_tomato", 2),
        ("soup_coordination", 2),
        ("tutorial_1", 2),
        ("multiplayer_schelling", 4),
        ("cramped_room_single", 1),
    ],
)
def test_layout_files_play_as_in_the_package(name, agents):
    """Tomatoes, bonus orders, values and times by recipe, a start state; one cook, and four who collide."""
    env = _endless(str(FILES / f"{name}.layout"), agents=agents)
    mdp = OvercookedGridworld.from_layout_name(name)
    for seed in range(4):
        _compare(env, mdp, seed, _random(np.random.default_rng(seed), agents), 200)
    paid = _compare(env, mdp, 7, _policy(env, "oracle"), 300)
    assert len(paid) >= (2 if agents == 1 else 4)
    if env.params.bonus.any():
        bonus = env.params.worth[env.params.bonus == 1]
        assert np.isin(paid, bonus).mean() > 0.5
        assert "tomato" in str(mdp.start_bonus_orders)


def test_all_files_of_the_package_are_read_as_it_reads_them():
    refused = []
    for path in sorted(FILES.glob("*.layout")):
        try:
            layout = load(str(path))
        except UsageError as error:
            refused.append(str(error))
            continue
        mdp = OvercookedGridworld.from_layout_name(path.stem)
        kinds = np.array([" XPOTDS".index(c) for row in mdp.terrain_mtx for c in row]).reshape(layout.plan.shape)
        assert np.array_equal(layout.plan, kinds)
        assert [(c, r) for r, c in layout.starts.tolist()] == list(mdp.start_player_positions)
    assert len(refused) == 1 and "tutorial_3.layout: line 12, column 21: expected a plain value" in refused[0]


def test_classic_maps_are_the_packages():
    for name in CLASSIC:
        file = load(str(FILES / f"{PEER_NAME.get(name, name)}.layout"))
        assert np.array_equal(load(name).plan, file.plan) and np.array_equal(load(name).starts, file.starts)


# -- what policies achieve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_rules_serve_at_least_five_soups_and_the_oracle_no_fewer(layout):
    env = sandbox.make("kitchen", layout=layout, soups=0)
    served = {policy: env.play(range(100), policy)[0].served for policy in ("rules", "oracle")}
    assert served["rules"].min() >= 5
    assert served["oracle"].min() >= (11 if layout == "cramped_room" else 10)
    assert served["oracle"].mean() >= served["rules"].mean()


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_cooks_can_begin_anywhere_within_their_reach(layout):
    env, usual = (sandbox.make("kitchen", layout=layout, scattered=each) for each in (True, False))
    state, (first,) = env.reset(range(200)), usual.reset([1]).pos
    assert (state.pos == env.reset(range(200)).pos).all()
    assert (usual.reset(range(200)).pos == first).all()
    assert (np.abs(state.pos[:, 0] - state.pos[:, 1]).sum(axis=1) > 0).all()
    width = env.params.plan.shape[1]
    for agent, home in enumerate(first[:, 0] * width + first[:, 1]):
        begins = {*(state.pos[:, agent, 0] * width + state.pos[:, agent, 1]).tolist()}
        assert begins == {*np.flatnonzero((env.params.plan.ravel() == 0) & (env.params.way[:, home] < FAR)).tolist()}
        assert {*state.facing[:, agent].tolist()} == {0, 1, 2, 3}
    assert (env.play(range(100), "oracle")[0].done == Finish.COMPLETED).all()


# -- drawn situations --------------------------------------------------------------------------------------------------

ONIONS = ["onion"] * 3


def drawn(**description):
    env = sandbox.make("kitchen", soups=0)
    state = env.reset([1])
    env.place(state, 0, description)
    return env, state


def player(row, col, facing="north", holding=None):
    return {"row": row, "col": col, "facing": facing, "holding": holding}


def act(env, state, *verbs):
    actions = np.zeros((1, env.agents, 2), np.int32)
    actions[0, :, 0] = [Verb[verb.upper()] for verb in verbs]
    env.step(state, actions)
    return env.describe(state)


def test_a_soup_from_pot_to_guest():
    pot = {"row": 0, "col": 2, "ingredients": ONIONS}
    env, state = drawn(players=[player(1, 2), player(2, 3, "south")], pots=[pot])
    assert act(env, state, "interact", "stay")["pots"][0]["cooking_ticks"] == 1
    for tick in range(2, 21):
        assert not env.observe(state).mask[0, 0, Verb.INTERACT]
        described = act(env, state, "stay", "stay")
        assert described["pots"][0]["ready"] == (tick == 20)
    env.place(state, 0, {"players": [player(1, 2, "north", "dish"), player(2, 1)]})
    assert act(env, state, "interact", "stay")["players"][0]["holding"] == {"name": "soup", "ingredients": ONIONS}
    assert state.shaped[0].tolist() == [5, 0] and state.reward[0].tolist() == [0, 0]
    for verb in ("south", "east", "south", "interact"):
        described = act(env, state, verb, "stay")
    assert described["served"] == 1 and described["reward"] == [20, 20]


def test_collisions_hold_everybody():
    env, state = drawn(players=[player(1, 1, "east"), player(1, 2, "west")])
    after = act(env, state, "east", "west")  # a swap
    assert [(p["col"], p["refused"]) for p in after["players"]] == [(1, True), (2, True)]
    env, state = drawn(players=[player(1, 1), player(1, 3)])
    after = act(env, state, "east", "west")  # one cell
    assert [(p["col"], p["facing"]) for p in after["players"]] == [(1, "east"), (3, "west")]
    env, state = drawn(players=[player(1, 2), player(1, 3)])
    assert [p["col"] for p in act(env, state, "west", "west")["players"]] == [1, 2]  # one behind the other


def test_an_order_nobody_placed_pays_nothing_and_does_not_count():
    soup = {"name": "soup", "ingredients": ["onion", "tomato"]}
    env, state = drawn(players=[player(2, 3, "south", soup), player(1, 1)])
    after = act(env, state, "interact", "stay")
    assert after["players"][0]["holding"] is None and after["served"] == 0 and after["reward"] == [0, 0]


def test_shaped_rewards_are_added_if_so_chosen():
    for reward, expected in (("sparse", [0, 0]), ("shaped", [3, 0])):
        env = sandbox.make("kitchen", reward=reward)
        state = env.reset([1])
        env.place(state, 0, {"players": [player(1, 2, "north", "onion"), player(1, 3)]})
        assert act(env, state, "interact", "stay")["reward"] == expected


def test_place_says_what_is_wrong():
    env, state = drawn(players=[player(1, 1), player(1, 2)])
    before, two = env.digest(state), [player(1, 1)]
    for description, told in [
        ({"players": two}, "1 players, expected 2"),
        ({"players": [player(1, 1), player(1, 1)]}, r"players\[0\] is there"),
        ({"players": [player(1, 1), player(0, 0)]}, "expected a floor cell of 4 x 5"),
        ({"players": [player(1, 1), player(1, 2, "up")]}, "unknown facing 'up'"),
        ({"players": [player(1, 1), player(1, 2, holding="unions")]}, "did you mean 'onion'"),
        ({"players": [player(1, 1), {**player(1, 2), "hat": 1}]}, "unknown key 'hat'"),
        ({"objects": [{"row": 1, "col": 1, "name": "dish"}]}, "expected a counter cell"),
        ({"objects": [{"row": 0, "col": 0, "name": "soup"}]}, "a soup without ingredients"),
        ({"objects": 2 * [{"row": 0, "col": 0, "name": "dish"}]}, "two objects"),
        ({"pots": [{"row": 0, "col": 2, "ingredients": ["onion"] * 4}]}, "at most 3 of onion, tomato"),
        ({"pots": [{"row": 0, "col": 2, "ingredients": [], "cooking_ticks": 3}]}, "cooking_ticks 3, expected"),
        ({"pots": [{"row": 0, "col": 2, "ingredients": ONIONS, "cooking_ticks": 3, "ready": True}]}, "it takes 20"),
        ({"pot": []}, "did you mean 'pots'"),
        ({"tick": "soon"}, "expected what describe"),
    ]:
        with pytest.raises(UsageError, match=told):
            env.place(state, 0, description)
        assert env.digest(state) == before


# -- layouts -----------------------------------------------------------------------------------------------------------

ROOM = "XXPXX\nO  2O\nX1  X\nXDXSX"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROOM.replace("1", "Q"), "layout: line 3, column 2: 'Q' is not a cell; expected one of X P O T D S"),
        (ROOM.replace("X1  X", "X1 X"), "layout: line 3, column 5: 4 cells in this row, expected 5"),
        (ROOM.replace("O  2O", "   2O"), "layout: line 2, column 6: 2 cells in this row, expected 5"),
        (ROOM.replace("XXPXX", "XXP X"), "layout: line 1, column 4: floor at the border"),
        (ROOM.replace("1", "2"), "layout: line 3, column 2: a second place for cook 2"),
        (ROOM.replace("1", "3"), "layout: no place for cook 1; expected 1 to 3"),
        (ROOM.replace("P", "X"), "layout: no pot; expected at least one 'P'"),
        (ROOM.replace("O", "X"), "layout: no onions or tomatoes; expected at least one 'O' or 'T'"),
        ('{\n "grid": """XXPXX\n    O  2O\n    X?  X\n    XDXSX"""}', "line 4, column 6: '?' is not a cell"),
        ('{\n "grid": """XXPXX""",\n "gird": 1}', "line 3, column 10: unknown key 'gird'; did you mean 'grid'"),
        ('{\n "grid": "X",\n "order_bonus": float("inf")}', "line 3, column 17: expected a plain value"),
        ('{\n "grid": """X}\n', "line 2, column 10: not a Python dict"),
        ('{"start_all_orders": []\n}', "no 'grid'"),
        ("cramped_rom", "did you mean 'cramped_room'"),
    ],
)
def test_bad_layouts_are_told_in_one_line(text, told):
    with pytest.raises(UsageError) as error:
        sandbox.make("kitchen", layout=text)
    assert told in str(error.value) and "\n" not in str(error.value)


def _file(**keys):
    return repr({"grid": ROOM, "start_all_orders": [{"ingredients": ["onion"]}], **keys}).replace(", '", ",\n'")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"start_all_orders": [{"ingredients": ["leek"]}]}, "of 1 to 3 of onion, tomato"),
        ({"start_bonus_orders": [{"ingredients": ["tomato"]}]}, "a bonus order is not among the orders"),
        ({"recipe_times": [1, 2]}, r"recipe_times: \[1, 2\], expected one number for each"),
        ({"start_all_orders": 3}, "start_all_orders: 3, expected a list"),
        ({"start_state": 3}, "start_state: 3, expected a dict"),
        ({"onion_value": "much"}, "onion_value: 'much', expected a number"),
        ({"rew_shaping_params": {"DISH": 1}}, "unknown key 'DISH'"),
        ({"start_state": {"players": [{}]}}, "start_state: KeyError"),
        (
            {"start_state": {"players": [{"position": (-1, 1), "orientation": (0, 1), "held_object": None}]}},
            "is outside",
        ),
        ({"start_state": {"objects": [{"position": (2, 0), "name": "onion", "_cooking_tick": 1}]}}, "a pot at"),
        ({"start_state": {"objects": [{"position": (0, 0), "name": "soup", "_ingredients": []}]}}, "a soup of"),
        ({"cook_time": 10**12}, "a soup that cooks for 1,000,000,000,000 ticks"),
    ],
)
def test_bad_orders_are_told(keys, told):
    with pytest.raises(UsageError, match=told):
        sandbox.make("kitchen", layout=_file(**keys))


def test_more_cooks_than_places_are_refused():
    with pytest.raises(UsageError, match="3 agents, but the layout has places for 2"):
        sandbox.make("kitchen", agents=3)


# -- observation and belief --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_classic_kitchens_are_wholly_in_view(layout):
    env = sandbox.make("kitchen", layout=layout)
    state = env.reset([1])
    window = env.observe(state).window[0, :, 0]
    for agent, (row, col) in enumerate(state.pos[0]):
        top, left = env.params.sight - row, env.params.sight - col
        height, width = env.params.plan.shape
        assert np.array_equal(window[agent, top : top + height, left : left + width], env.params.plan)


def test_a_belief_holds_all_that_is_seen():
    """Where the whole kitchen is in view, belief and world describe alike, but for seed and past rewards."""
    env = sandbox.make("kitchen", layout="coordination_ring", soups=0)
    state, obs, believed = env.reset([3]), env.observation(1), env.allocate(1)
    choose = _policy(env, "rules")
    for step in range(120):
        env.step(state, choose(state, step)[None])
        env.observe(state, obs)
        env.world.believe(obs, 0, step % 2, env.memory(1), env.params, np.uint64(99), believed, 0)
        for key in ("tick", "objects", "pots", "served"):
            assert env.describe(believed)[key] == env.describe(state)[key]
        for believed_player, real in zip(
            env.describe(believed)["players"], env.describe(state)["players"], strict=True
        ):
            assert all(believed_player[key] == real[key] for key in ("row", "col", "facing", "holding"))


# -- perturbations -----------------------------------------------------------------------------------------------------


def test_the_absent_partner_is_away_for_one_spell_of_the_stated_length():
    for severity in (0.5, 1.0):
        env = sandbox.make("kitchen", layout="asymmetric_advantages", soups=0, perturb={"absent_partner": severity})
        for seed in range(5):
            state, away = env.reset([seed]), []
            for tick in range(400):
                facing = int(state.facing[0, 1])
                turn = [v for v in ("north", "east") if Verb[v.upper()] != facing][0]
                away.append(act(env, state, "stay", turn)["players"][1]["facing"] != turn)
                assert state.tick[0] == tick + 1
            spell = np.flatnonzero(away)
            assert len(spell) == pytest.approx(160 * severity, abs=1) and np.ptp(spell) == len(spell) - 1


def test_the_strange_partner_alone_is_strange_for_the_stated_time():
    env = sandbox.make("kitchen", soups=0, perturb={"strange_partner": 1.0})
    strange = 0
    for seed in range(60):
        state = env.reset([seed])
        for _ in range(400 // 15):
            before = env.describe(state)["players"]
            for _ in range(15):
                act(env, state, "stay", "stay")
            after = env.describe(state)["players"]
            assert {**before[0], "refused": 0} == {**after[0], "refused": 0}
            blank = {"refused": 0, "sparse": 0, "shaped": 0}
            strange += {**before[1], **blank} != {**after[1], **blank}
    # of three moods one, to hesitate, does not show in a cook who stays
    assert strange / (60 * 26) == pytest.approx(0.4 * 2 / 3, abs=0.05)


def test_a_sticky_floor_holds_the_stated_share_of_steps():
    for severity in (0.5, 1.0):
        env = sandbox.make("kitchen", agents=1, soups=0, max_ticks=20_000, perturb={"sticky_floor": severity})
        state, held = env.reset([1]), 0
        for _ in range(10_000):
            verb = "east" if env.describe(state)["players"][0]["col"] == 1 else "west"
            held += act(env, state, verb)["players"][0]["refused"]
        assert held / 10_000 == pytest.approx(severity * 0.5, abs=0.03)


def test_slow_pots_take_their_time_and_nobody_is_told():
    env = sandbox.make("kitchen", soups=0, perturb={"slow_pot": 1.0})
    pot = {"row": 0, "col": 2, "ingredients": ONIONS}
    extra, seen = [], set()
    for seed in range(200):
        state = env.reset([seed])
        env.place(state, 0, {"players": [player(1, 2), player(1, 3)], "pots": [pot]})
        act(env, state, "interact", "stay")
        seen.add(env.observe(state).window.tobytes())
        extra.append(env.describe(state)["pots"][0]["extra_ticks"])
        for _ in range(19 + extra[-1]):
            assert not env.describe(state)["pots"][0]["ready"]
            act(env, state, "stay", "stay")
        assert env.describe(state)["pots"][0]["ready"]
    assert len(seen) == 1
    assert min(extra) == 0 and max(extra) in (38, 39) and np.mean(extra) == pytest.approx(19.5, abs=2)


@pytest.mark.parametrize("layout", list(CLASSIC))
def test_the_oracle_copes_with_every_perturbation_on_every_layout(layout):
    for perturbation in sandbox.make("kitchen").world.perturbations:
        env = sandbox.make("kitchen", layout=layout, perturb={perturbation.name: 1.0})
        state, _ = env.play(range(100), "oracle")
        assert (state.done == Finish.COMPLETED).all(), perturbation.name
