"""The wildfire's own promises: Mesa's forest fire, percolation, physics of the spread, crews, maps, what is saved."""

from math import cos, exp, radians, sin

import mesa
import numpy as np
import pytest
from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid
from scipy.ndimage import binary_dilation, label
from scipy.stats import bootstrap

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.worlds.wildfire.dynamics.fire import P, chance, spread
from sandbox.worlds.wildfire.dynamics.terrain import moisture
from sandbox.worlds.wildfire.layouts import load
from sandbox.worlds.wildfire.state import Column, Count, Crew, Ground, Kind, Verb

MOORE = np.ones((3, 3), bool)
STAY = np.zeros((1, 1, 2), np.int32)
THRESHOLD = 0.407254  # of sites with eight neighbours: 1 - 0.592746 (matching lattices; Jacobsen 2015, J. Phys. A 48)
YARD = "....~\n.fgb.\n.php.\n.f*f.\n....."


def classic(**options):
    return sandbox.make("wildfire", classic=True, agents=1, **options)


def trees_and_fire(land):
    return land & 7 == Kind.FOREST, land >> 3 >= Ground.FIRE


def burnt(land):
    return land >> 3 == Ground.BURNT


def idle(env, state, ticks=1):
    actions = np.zeros((len(state.seed), env.agents, 2), np.int32)
    for _ in range(ticks):
        env.step(state, actions)


# -- classic: Mesa's forest fire ---------------------------------------------------------------------------------------


def test_what_burns_is_the_connected_component_of_the_ignition():
    """1,000 random forests, against scipy."""
    for density, ignite in [(0.35, "column"), (0.41, "column"), (0.65, "column"), (0.41, "centre"), (0.5, "centre")]:
        env = classic(height=30, width=40, density=density, ignite=ignite)
        before = env.reset(range(200)).land
        after, _ = env.play(range(200), "idle")
        for lane in range(200):
            trees, fire = trees_and_fire(before[lane])
            parts, _ = label(trees, MOORE)
            assert np.array_equal(burnt(after.land[lane]), trees & np.isin(parts, parts[fire & trees]))
            assert after.tally[lane, Count.LOST] == burnt(after.land[lane]).sum()
            assert abs(trees.mean() - density) < 0.08
            assert fire.sum() == (trees[:, 0].sum() if ignite == "column" else trees[15, 20])
        assert ((after.tally[:, Count.BURNING] == 0) & (after.done > 0)).all()


def test_every_step_is_that_of_a_numpy_twin():
    env = classic(height=60, width=50, density=0.5)
    state = env.reset([3])
    trees, fire = trees_and_fire(state.land[0])
    gone = np.zeros_like(trees)
    while fire.any():
        idle(env, state)
        gone |= fire
        fire = binary_dilation(fire, MOORE) & trees & ~gone
        assert np.array_equal(trees_and_fire(state.land[0])[1], fire)
        assert np.array_equal(burnt(state.land[0]), gone)
    assert state.done[0] and gone.sum() > 500


class Tree(FixedAgent):
    """A tree of Mesa's example (mesa-examples, forest_fire): Fine, On Fire, Burned Out."""

    def __init__(self, model, cell, on_fire):
        super().__init__(model)
        self.cell, self.condition = cell, "On Fire" if on_fire else "Fine"

    def step(self):
        if self.condition == "On Fire":
            for other in self.cell.neighborhood.agents:
                if other.condition == "Fine":
                    other.condition = "On Fire"
            self.condition = "Burned Out"


class ForestFire(mesa.Model):
    """Its model, with given trees: eight neighbours, no torus, trees step in random order one after the other."""

    def __init__(self, trees, fire, seed):
        super().__init__(seed=seed)
        grid = OrthogonalMooreGrid(trees.shape, torus=False, capacity=1, random=self.random)
        for at in np.argwhere(trees):
            Tree(self, grid[tuple(at.tolist())], fire[tuple(at)])

    def run(self):
        while any(tree.condition == "On Fire" for tree in self.agents):
            self.agents.shuffle_do("step")
        return {tree.cell.coordinate for tree in self.agents if tree.condition == "Burned Out"}


def test_mesas_own_agents_burn_the_same_trees():
    env = classic(height=32, width=28, density=0.43)
    before = env.reset(range(6)).land
    after, _ = env.play(range(6), "idle")
    for lane in range(6):
        told = ForestFire(*trees_and_fire(before[lane]), seed=lane).run()
        assert told == set(map(tuple, np.argwhere(burnt(after.land[lane])).tolist())) and told


def spanning(side, density, episodes):
    """Share of forests in which the fire of the first column reaches the last."""
    env = classic(height=side, width=side, density=density)
    state, _ = env.play(range(episodes), "idle")
    return burnt(state.land[:, :, -1]).any(axis=1).mean()


def crossing(densities, curve):
    """Where a rising curve crosses zero, by a straight line through it."""
    slope, at_zero = np.polyfit(densities, curve, 1)
    return -at_zero / slope


def test_the_percolation_threshold():
    """Within 1 %: where half of the forests are spanned, and where two sizes are spanned equally often."""
    near = np.linspace(0.400, 0.416, 5)
    small = np.array([spanning(40, p, 3000) for p in near])
    large = np.array([spanning(200, p, 600) for p in near])
    assert crossing(near, large - 0.5) == pytest.approx(THRESHOLD, rel=0.01)
    assert crossing(near, large - small) == pytest.approx(THRESHOLD, rel=0.01)
    assert large[0] < small[0] < small[-1] < large[-1], "the larger forest has the sharper transition"


def test_crews_of_a_classic_forest_act_too():
    env = sandbox.make("wildfire", classic=True, agents=5, height=40, width=40, density=0.6, save=0.2)
    lost = {}
    for policy in env.world.policies:
        state, tally = env.play(range(30), policy)
        assert tally.invalid.sum() == 0 or policy == "random"
        enough = state.tally[:, Count.LOST] <= (0.8 * state.tally[:, Count.BUILDINGS] + 1e-9).astype(int)
        assert np.array_equal(state.done == Finish.COMPLETED, enough)
        lost[policy] = state.tally[:, Count.LOST].mean()
    assert lost["oracle"] < lost["idle"]


# -- how it spreads ----------------------------------------------------------------------------------------------------


def field(side, middle="f", **options):
    """A square of one fuel that burns in the middle; a building stands in a corner on bare ground."""
    rows = [[middle] * side for _ in range(side)]
    rows[side // 2][side // 2] = "*"
    for row, col in ((0, 1), (1, 0), (1, 1)):
        rows[row][col] = "."
    rows[0][0] = "h"
    return sandbox.make("wildfire", layout="\n".join(map("".join, rows)), agents=1, **options)


def test_the_chance_is_the_documented_formula():
    rng = np.random.default_rng(0)
    for _ in range(100):
        seed, row, col = np.uint64(rng.integers(1 << 40)), int(rng.integers(99)), int(rng.integers(99))
        kind, rise, angle, speed = rng.integers(3, 7), rng.normal(), rng.uniform(0, 7), rng.uniform(0, 20)
        wet = moisture(seed, row, col)
        told = P[kind] * (1 - 0.35 * wet) * exp(speed * (0.045 + 0.131 * (cos(angle) - 1)) + 0.078 * rise)
        assert chance(seed, kind, row, col, rise, cos(angle), speed) == pytest.approx(told)
        assert 0 <= wet <= 1


def test_fire_is_driven_downwind():
    """The middle of what burns in 20 ticks lies downwind, and without wind nowhere; tolerances are in cells."""
    env = field(61)
    state = env.reset(range(150))
    for towards, speed in [(0, 8.0), (90, 8.0), (225, 8.0), (0, 0.0)]:
        for lane in range(150):
            env.world.reset(state, lane, env.params)
        state.wind[:] = towards, speed
        idle(env, state, 20)
        lane, row, col = np.nonzero(state.land >> 3 >= Ground.BURNT)
        off = np.array([(row - 30).mean(), (col - 30).mean()])
        ahead = np.array([-cos(radians(towards)), sin(radians(towards))])
        along = off @ ahead
        if speed:
            assert along > 1.5 and abs(off - along * ahead).max() < 0.5, (towards, off)
        else:
            assert abs(off).max() < 0.25


@pytest.mark.parametrize("barrier", ["~", "=", ".", "_", "#"])
def test_nothing_but_embers_crosses_water_roads_breaks_and_burnt_ground(barrier):
    drawn = barrier if barrier in "~=." else "f"
    rows = ["ffff" + drawn + "ffff"] * 9
    rows[4] = "f***" + drawn + "ffhf"
    for wind, crosses in ((0.0, False), (18.0, True)):
        env = sandbox.make("wildfire", layout="\n".join(rows), agents=1, wind=wind, save=0.0)
        state = env.reset(range(200))
        for lane in range(200):
            told = env.describe(state, lane)
            if barrier == "_":
                told["terrain"] = [row[:4] + "_" + row[5:] for row in told["terrain"]]
            if barrier == "#":
                told["ground"] = [row[:4] + "#" + row[5:] for row in told["ground"]]
            told["wind"]["towards"] = 90.0
            env.place(state, lane, told)
        idle(env, state, 150)
        assert burnt(state.land[:, :, :4]).mean() > 0.15 and (barrier == "#" or not burnt(state.land[:, :, 4]).any())
        assert burnt(state.land[:, :, 5:]).any() == crosses


def test_wet_ground_dries_before_it_burns():
    """The same dice with and without a wet column: fire never enters it sooner, and some ticks later on average."""
    env = sandbox.make("wildfire", layout="ffffffh\nf*fffff\nfffffff", agents=1, wind=0.0, save=0.0)
    state, dry = env.reset(range(300)), env.reset(range(300))
    for lane in range(300):
        told = env.describe(state, lane)
        env.place(state, lane, {"ground": ["...w...", "...w...", "...w..."], "wind": told["wind"]})
    reached = np.zeros((2, 300), int)
    for _ in range(60):
        for k, s in enumerate((state, dry)):
            idle(env, s)
            reached[k] += ~(s.land[:, :, 3] >> 3 >= Ground.BURNT).any(axis=1)
        hit = (state.land[:, :, 3] >> 3 == Ground.FINE).sum()
    assert hit and (reached[0] >= reached[1]).all() and (reached[0] - reached[1]).mean() > 2


def test_cost_follows_the_fire_and_not_the_map():
    """Cells looked at, tick by tick, in forests of 96 x 96 and of 1,536 x 1,536 with the same fire in the middle."""
    looked = []
    for side in (96, 1536):
        env = classic(height=side, width=side, density=1.0, ignite="centre")
        s = env.reset([1])
        rest = (s.fires[0], s.tally[0], s.seed[0], s.tick[0], s.wind[0], env.params)
        looked.append([spread(s.land[0], *rest) for _ in range(40)])
    assert looked[0] == looked[1] and max(looked[0]) == 8 * 39 + 8 * 40


def test_more_fire_than_the_list_holds_changes_nothing(monkeypatch):
    whole = sandbox.make("wildfire", height=32, width=32, agents=3)
    monkeypatch.setattr("sandbox.worlds.wildfire.spec.LIST_AT_MOST", 20)
    short = sandbox.make("wildfire", height=32, width=32, agents=3)
    assert short.params.longest == 20
    a, b, over = whole.reset([5]), short.reset([5]), []
    for _ in range(200):
        idle(whole, a), idle(short, b)
        assert np.array_equal(a.land, b.land) and np.array_equal(a.tally, b.tally)
        over.append(int(b.tally[0, Count.BURNING]) > 20)
        listed = [] if over[-1] else np.flatnonzero(b.land[0] >> 3 >= Ground.FIRE).tolist()
        assert sorted(b.fires[0][: len(listed)].tolist()) == listed and not b.fires[0][len(listed) :].any()
        c = short.allocate(1)
        short.place(c, 0, short.describe(b))
        assert short.digest(c) == short.digest(b)
    assert any(over) and not over[0]


# -- crews, drawn by hand ----------------------------------------------------------------------------------------------


def yard(*crews, **options):
    env = sandbox.make("wildfire", layout=YARD, agents=len(crews), tanks=3, wind=0.0, save=0.0, **options)
    state = env.reset([1])
    env.place(state, 0, {"crews": [{"row": row, "col": col, "tanks": tanks} for row, col, tanks in crews]})
    return env, state


def act(env, state, *verbs):
    actions = np.zeros((1, env.agents, 2), np.int32)
    actions[0, :, 0] = [Verb[verb.upper()] for verb in verbs]
    env.step(state, actions)
    return env.describe(state)


def test_dousing_puts_out_and_wets_the_reach():
    env, state = yard((2, 2, 1))
    told = act(env, state, "douse")
    assert told["burning"] == [] and told["finish"] == "completed" and told["crews"][0]["tanks"] == 0
    assert told["ground"] == [".....", "..w..", ".www.", "..#..", "....."] and told["burnt"] == 1
    env, state = yard((2, 2, 1))
    env.place(state, 0, {"burning": [[2, 2, 3], [2, 1, 11]]})
    told = act(env, state, "douse")
    assert told["ground"][2] == ".www." and told["people"] == [[2, 1], [2, 3]] and told["lost"] == 0
    env, state = yard((2, 2, 0))
    assert not env.observe(state).mask[0, 0, Verb.DOUSE]
    assert act(env, state, "douse")["burning"] != []


def test_a_break_takes_three_ticks_in_a_row():
    env, state = yard((1, 2, 3))
    for verbs, done in ((("cut", "cut", "stay", "cut", "cut"), False), (("cut",), True)):
        for verb in verbs:
            told = act(env, state, verb)
        assert (told["terrain"][1][2] == "_") == done
    assert not env.observe(state).mask[0, 0, Verb.CUT]


def test_tanks_are_filled_beside_water():
    env, state = yard((0, 3, 0), (0, 2, 0))
    assert env.observe(state).mask[0, :, Verb.REFILL].tolist() == [True, False]
    assert [crew["tanks"] for crew in act(env, state, "refill", "refill")["crews"]] == [3, 0]


def test_who_comes_first_rescues():
    env, state = yard((2, 0, 3), (2, 1, 3), (2, 4, 3))
    told = act(env, state, "rescue", "rescue", "rescue")
    assert told["people"] == [] and told["rescued"] == told["households"] == 2
    assert state.refused[0].tolist() == [0, 1, 0] and told["reward"] == [1, 0, 1]


def test_fire_is_not_entered_and_hurts_whom_it_reaches():
    env, state = yard((3, 1, 3), (4, 2, 3))
    mask = env.observe(state).mask[0]
    assert not mask[0, Verb.EAST] and not mask[1, Verb.NORTH] and mask[0, Verb.NORTH]
    told = act(env, state, "east", "north")
    assert [(crew["row"], crew["col"]) for crew in told["crews"]] == [(3, 1), (4, 2)]
    for _ in range(40):
        before, told = told, act(env, state, "stay", "stay")
        burns = any(cell[:2] == [3, 1] for cell in told["burning"])
        assert (
            told["harm"] - before["harm"]
            == burns
            == -told["reward"][0] - (told["lost"] - before["lost"]) / 2 - (told["perished"] - before["perished"]) / 2
        )
    assert told["crews"][0]["hurt"] == told["harm"] > 0


def test_reports_travel_by_radio():
    env, state = yard((0, 0, 3), (0, 4, 3), sight=1)
    env.place(state, 0, {"crews": [{"row": 3, "col": 1}, {"row": 0, "col": 0}]})
    act(env, state, "stay", "stay")
    inbox = env.observe(state).inbox[0]
    assert inbox[1, 0].tolist() == [1, 1, 3, 2] and not inbox[0].any() and not inbox[1, 1:].any()


# -- perturbations -----------------------------------------------------------------------------------------------------


def test_a_third_of_the_crews_is_lost_and_the_wind_turns():
    env = sandbox.make("wildfire", height=32, width=32, agents=7, save=0.0, perturb={"crew_lost": 1.0})
    state, _ = env.play(range(20), "idle", ticks=62)
    assert (state.crew[..., Crew.DOWN].sum(axis=1) == 2).all()
    turned = sandbox.make("wildfire", height=32, width=32, agents=1, save=0.0, perturb={"wind_shift": 1.0})
    plain = sandbox.make("wildfire", height=32, width=32, agents=1, save=0.0)
    (a, _), (b, _) = (st.play(range(50), "idle", ticks=41) for st in (turned, plain))
    ways = [st.observe(s).vector[:, 0, Column.WIND_ROW : Column.WIND_COL + 1] for st, s in ((turned, a), (plain, b))]
    assert np.allclose((ways[0] * ways[1]).sum(axis=1), 0, atol=1e-5)


def test_a_wrong_map_moves_half_of_the_places_by_at_most_six_cells():
    right, wrong = (sandbox.make("wildfire", perturb={"wrong_map": severity}) for severity in (0.0, 1.0))
    state = right.reset(range(200))
    places = slice(Column.HOME_ROW, Column.WATER_COL + 1)
    off = np.abs(right.observe(state).vector[..., places] - wrong.observe(state).vector[..., places])
    moved = (off.reshape(200, 6, 3, 2) > 0).any(axis=-1)
    assert off.max() == 6 and moved.mean() == pytest.approx(0.5, abs=0.03)


# -- what policies achieve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["village", "valley", "plain"])
def test_rules_save_more_than_idle_and_the_oracle_more_than_rules(layout):
    """Share of buildings and households saved when the fire is out, paired on 150 seeds; 99 % intervals."""
    env = sandbox.make("wildfire", layout=layout, height=40, width=40, save=0.0)
    saved = {}
    for policy in ("idle", "rules", "oracle"):
        state, tally = env.play(range(150), policy, threads=None)
        assert (state.tally[:, Count.BURNING] == 0).all() and tally.invalid.sum() == 0
        t = state.tally
        gone = t[:, Count.LOST] + t[:, Count.PERISHED]
        saved[policy] = 1 - gone / (t[:, Count.BUILDINGS] + t[:, Count.HOUSEHOLDS])
    for better, worse, margin in (("rules", "idle", 0.2), ("oracle", "rules", 0.05)):
        paired = bootstrap((saved[better] - saved[worse],), np.mean, confidence_level=0.99, rng=0)
        assert paired.confidence_interval.low > margin, (better, worse, paired.confidence_interval)
    assert saved["oracle"].min() >= 0.8


def test_named_layouts_are_lost_without_crews_and_won_by_the_oracle():
    for layout in ("village", "valley", "plain"):
        for size in ((32, 48), (64, 64)):
            env = sandbox.make("wildfire", layout=layout, height=size[0], width=size[1])
            assert (env.play(range(100), "oracle", threads=None)[0].done == Finish.COMPLETED).mean() >= 0.98
            assert not (env.play(range(100), "idle", threads=None)[0].done == Finish.COMPLETED).any()


# -- maps and descriptions ---------------------------------------------------------------------------------------------


def test_bad_maps_are_told_with_their_place():
    for text, told in [
        ("fff\nfxf", "line 2, column 2: 'x' is not a cell"),
        ("fff\nff", "line 2 has 2 cells, expected 3"),
        ("fff\nf*f", "no building; expected at least one 'h' or 'p'"),
        ("fff\nfhf", r"no fire; expected at least one '\*'"),
        ("vilage", "did you mean 'village'"),
    ]:
        with pytest.raises(UsageError, match=told):
            load(text)
    with pytest.raises(UsageError, match="height and width are for generated land; the map is 5 x 5"):
        sandbox.make("wildfire", layout=YARD, height=30)


def test_place_says_what_is_wrong():
    env, state = yard((0, 0, 3))
    before = env.digest(state)
    for description, told in [
        ({"crews": []}, "0 crews, expected 1"),
        ({"crews": [{"row": 9, "col": 0}]}, "expected a cell of 5 x 5"),
        ({"crews": [{"row": 0, "col": 0, "facing": "up"}]}, "unknown facing 'up'"),
        ({"crews": [{"row": 0, "col": 0, "tank": 1}]}, "did you mean 'tanks'"),
        ({"crews": [{"row": 0, "col": 0, "tanks": 9}]}, r"expected 0\.\.3"),
        ({"burning": [[0, 0, 1]]}, "expected dry fuel"),
        ({"burning": [[1, 1, 99]]}, r"age of 1\.\.12"),
        ({"burning": [[1, 1, 1], [1, 1, 1]]}, "the same cell twice"),
        ({"people": [[0, 0]]}, "expected a building"),
        ({"terrain": ["....."]}, "1 x 5 cells, expected 5 x 5"),
        ({"ground": ["....?"] * 5}, "line 1, column 5: '?' is not a cell"),
        ({"terain": []}, "did you mean 'terrain'"),
    ]:
        with pytest.raises(UsageError, match=told.replace("?", r"\?")):
            env.place(state, 0, description)
        assert env.digest(state) == before


def test_large_maps_are_painted_small():
    env = sandbox.make("wildfire", height=700, width=500, agents=20)
    state = env.reset([1])
    for size in (40, 300, 699):
        picture = env.render(state, 0, size)
        assert max(picture.shape) <= size and picture.std() > 0
    assert env.render(state, 0, 1500).shape == (1400, 1000, 3)
