"""Rooms: what makes an item useless, who decides, what a plan is worth, and the walk through it."""

import os
import re
from importlib.util import find_spec

import numpy as np
import pytest
from commands import told

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.model import Sandbox
from sandbox.scenario import load as scenario
from sandbox.studio.backend.solid import Modeller
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.layouts import load
from sandbox.worlds.rooms.rendering.text import FLAWS
from sandbox.worlds.rooms.state import FIRST_WISH, PER_WISH, WISHES, Deal, Flaw, Item, Tally, Thing, Verb, Wish
from sandbox.worlds.rooms.telling import quality, worth
from sandbox.worlds.rooms.walk import solid
from sandbox.worlds.rooms.walk.furniture import parts
from sandbox.worlds.rooms.walk.path import METRE, cell_of, centre, footprint, plan_walk

CI = os.environ.get("CI")  # where what is missing is a failure
RENDERED = pytest.mark.skipif(not find_spec("mitsuba") and not CI, reason="needs the extra walk")
SOLID = pytest.mark.skipif(not find_spec("trimesh") and not CI, reason="needs the extra walk")
ROOM = """\
##WWW###
#llllll#
+llllll#
#llllll#
#llllll#
###EE###
"""
DESIGNER, CLIENT, ACCOUNTANT = range(3)
WISHED = {"category": "bookcase", "room": "any", "style": "any", "daylight": False, "told": False}


def flat(layout=ROOM, **options):
    return sandbox.make("rooms", layout=layout, **{"wishes": 1, **options})


def planned(env, *items, **keys):
    """A state with items (thing, row, col, faces) and other keys of the description."""
    state = env.reset([1])
    listed = [dict(zip(("thing", "row", "col", "faces"), item, strict=True)) for item in items]
    given = env.describe(state) | {"items": listed, "wishes": [WISHED]} | keys
    env.place(state, 0, given)
    return state


def acted(env, state, **verbs):
    """One tick in which each named role performs (verb, target)."""
    actions = np.zeros((1, env.agents, 2), np.int32)
    for role, (verb, target) in verbs.items():
        actions[0, env.world.roles.index(role)] = verb, target
    env.step(state, actions)
    return state


# -- what is of use


@pytest.mark.parametrize(("items", "flaws"), [
    ([("open bookcase", 4, 1, "north")], [0]),
    ([("open bookcase", 2, 2, "south")], [Flaw.NO_WALL]),
    ([("open bookcase", 1, 2, "south")], [Flaw.NO_WALL]),  # before a window
    ([("tripod lamp", 2, 1, "south"), ("tripod lamp", 2, 6, "south")], [0, Flaw.NO_POWER]),
    ([("open bookcase", 4, 1, "north"), ("tripod lamp", 3, 1, "south")], [Flaw.BLOCKED, 0]),
    ([("tripod lamp", 1, 1, "south"), ("tripod lamp", 2, 1, "south"), ("open bookcase", 1, 2, "east")],
     [Flaw.UNREACHED, 0, Flaw.NO_WALL]),
    ([("single", 1, 1, "south")], None),
    ([("open bookcase", 4, 3, "north")], None),  # where the entrance opens
    ([("open bookcase", 4, 1, "north"), ("tripod lamp", 4, 2, "south")], None),
])  # fmt: skip
def test_an_item_is_of_use_or_says_why_not(items, flaws):
    env = flat()
    if flaws is None:
        with pytest.raises(UsageError, match="expected free floor|unknown thing"):
            planned(env, *items)
        return
    state = planned(env, *items)
    assert state.flaw[0, : len(items)].tolist() == flaws
    assert state.tally[0, Tally.FLAWED] == np.count_nonzero(flaws) and set(FLAWS) == set(Flaw)
    words = env.render_text(state, 0, DESIGNER)
    assert all(FLAWS[flaw] in words for flaw in flaws if flaw)


def test_daylight_pillars_stock_and_free_sides_count():
    dark = flat(ROOM.replace("W", "#"))
    assert planned(dark, ("rubber plant", 1, 3, "south")).flaw[0, 0] == Flaw.NO_DAYLIGHT
    assert planned(flat(), ("rubber plant", 1, 3, "south")).flaw[0, 0] == 0
    shelf = ("open bookcase", 4, 1, "north")
    assert planned(flat(), shelf, pillars=[[4, 1]]).flaw[0, 0] == Flaw.OVERLAP
    assert planned(flat(), shelf, out_of_stock=["open bookcase"]).flaw[0, 0] == Flaw.OUT_OF_STOCK
    wide = flat("########\n" + "#bbbbbb#\n" * 5 + "######E#\n")
    bed, lamps = ("steel bed", 1, 2, "south"), (("tripod lamp", 2, 1, "south"), ("tripod lamp", 2, 5, "south"))
    assert planned(wide, bed).flaw[0, 0] == planned(wide, bed, lamps[0]).flaw[0, 0] == 0
    assert planned(wide, bed, *lamps).flaw[0, 0] == Flaw.BLOCKED


@pytest.mark.parametrize(("drawing", "error"), [
    ("####\n#ll#\n####\n", "no entrance"),
    ("#E##\n#ll#\n#l##\n#xl#\n####\n", "line 4, column 2"),
    ("#E###\n#l#l#\n#####\n", "line 2, column 4: no way leads there"),
    ("#E##\nlll#\n####\n", "line 2, column 1: floor or a door at the border"),
    ("#E#\n" + "#l#\n" * 40 + "###\n", "at most 32 x 32"),
])  # fmt: skip
def test_a_drawing_that_is_no_flat_says_where(drawing, error):
    with pytest.raises(UsageError, match=re.escape(error)):
        load(drawing)


# -- who decides


def test_a_dear_plan_needs_both_and_a_wrong_one_is_final():
    env, shelf = flat(), ("open bookcase", 4, 1, "north")
    deal = env.describe(env.reset([1]))["deal"]
    for budget, meant in ((400, Finish.COMPLETED), (300, Finish.RUNNING), (100, Finish.RUNNING)):
        state = planned(env, shelf, deal=deal | {"budget": budget})  # 160 euros; the limit is half of the budget
        acted(env, state, designer=(Verb.PROPOSE, 0))
        assert acted(env, state, client=(Verb.APPROVE, 0)).done[0] == meant
        if meant == Finish.RUNNING:
            acted(env, state, accountant=(Verb.APPROVE, 0))
            assert state.done[0] == (Finish.COMPLETED if budget == 300 else Finish.STALLED)
    state = planned(env, ("rubber plant", 1, 3, "south"))
    acted(env, acted(env, state, designer=(Verb.PROPOSE, 0)), client=(Verb.APPROVE, 0))
    assert state.done[0] == Finish.STALLED, "no wish is met"


def test_only_the_client_knows_a_wish_that_is_not_told():
    env = flat()
    state = planned(env)
    knows = [env.observe(state).vector[0, agent, FIRST_WISH] > 0 for agent in range(3)]
    assert knows == [False, True, False]
    acted(env, state, designer=(Verb.ASK, 0))
    assert state.deal[0, Deal.ASKED] == 1
    acted(env, state, client=(Verb.TELL, 0))
    assert [env.observe(state).vector[0, agent, FIRST_WISH] > 0 for agent in range(3)] == [True, True, False]
    assert env.observe(state).vector[0, 0, FIRST_WISH + PER_WISH * 1 :][: PER_WISH * (WISHES - 1)].sum() == 0


def test_a_plan_that_changes_is_no_longer_proposed():
    env = flat()
    state = acted(env, planned(env, ("open bookcase", 4, 1, "north")), designer=(Verb.PROPOSE, 0))
    acted(env, state, designer=(Verb.REMOVE, 0), client=(Verb.APPROVE, 0))
    assert state.refused[0].tolist() == [0, 1, 0] and state.deal[0, Deal.PROPOSED] == 0 and not state.done[0]
    assert state.item[0, 0].tolist() == [0, 0, 0, 0]


def test_waiting_moves_nothing():
    env = flat()
    state = planned(env, ("open bookcase", 4, 1, "north"))
    assert acted(env, state).item[0, 0].tolist()[1:] == [4, 1, 2] and env.world.refresh is not None


def test_a_designer_alone_is_answered():
    env = flat(agents=1)
    state = planned(env, ("open bookcase", 4, 1, "north"))
    assert acted(env, state, designer=(Verb.ASK, 0)).wish[0, 0, Wish.TOLD] == 1
    assert acted(env, state, designer=(Verb.PROPOSE, 0)).done[0] == Finish.COMPLETED


# -- policies and quality


@pytest.mark.parametrize("layout", ["studio", "two-rooms", "family"])
def test_rules_and_oracle_furnish_every_flat_and_chance_does_not(layout):
    env = sandbox.make("rooms", layout=layout)
    done = {policy: env.play(range(40), policy)[0] for policy in ("rules", "oracle", "random")}
    right = {policy: (state.done == Finish.COMPLETED).sum() for policy, state in done.items()}
    assert right["oracle"] == 40 and right["rules"] >= 36 and right["random"] == 0
    found = quality(done["oracle"], 0, env.params)
    assert found["wishes_met"] == found["wishes"] and found["usable"] == found["items"] and not found["wrong"]
    assert found["cost"] <= found["budget"]


def test_a_wrong_plan_is_worth_what_it_is():
    env = flat()
    right, wrong = planned(env, ("open bookcase", 4, 1, "north")), planned(env, ("open bookcase", 2, 2, "south"))
    budget = f"{right.deal[0, Deal.BUDGET]:,}"
    assert worth(right, 0, env.params) == [f"plan   1 of 1 wishes met, 1 of 1 items of use, 160 of {budget} euros"]
    assert worth(wrong, 0, env.params) == [
        f"plan   0 of 1 wishes met, 0 of 1 items of use, 160 of {budget} euros",
        "wrong  open bookcase [0]: its back is not against a wall",
    ]
    told = env.world.info(wrong, 0, env.params)
    assert [told[key].tolist() for key in ("wishes_met", "usable", "cost")] == [[0], [0], [160]]


# -- the walk


@pytest.mark.parametrize("policy", ["oracle", "random"])
def test_the_walk_touches_nothing_and_looks_at_what_it_should(policy):
    env = sandbox.make("rooms", layout="studio", wishes=8)
    for seed in range(3):
        state, _ = env.play([seed], policy, ticks=100)
        walk = plan_walk(state, 0, env.params)
        assert len(walk.poses) > 60 or policy == "random"
        assert all(state.reach[(0, *cell_of(*pose.eye[:2]))] for pose in walk.poses)
        steps = np.linalg.norm(np.diff([pose.eye for pose in walk.poses], axis=0), axis=1)
        assert steps.max(initial=0) < 0.1, "it jumps"
        there = set(np.flatnonzero(state.item[0, :, Item.THING]).tolist())
        assert walk.looks.keys() == there if policy == "oracle" else walk.looks.keys() <= there
        for k, pose in walk.looks.items():
            way, to = np.subtract(pose.target, pose.eye), centre(env.params, state.item[0, k]) - pose.eye
            assert way @ to / np.linalg.norm(way) / np.linalg.norm(to) > 0.99
        assert len(walk.frames(7)) == 7 and walk.frames(1) == walk.poses[:1]


def test_every_thing_stands_where_the_plan_has_it():
    """Within its cells; chairs may stand in what is kept free before a desk or a table."""
    for entry, thing in zip(catalogue().entries, catalogue().thing, strict=True):
        made = parts(entry)
        low, high = (np.array([np.add(part.at, np.multiply(sign, part.half)) for part in made]) for sign in (-1, 1))
        half = np.array([thing[Thing.WIDTH], thing[Thing.DEPTH]]) / 4
        assert (high[:, :2] <= half + 0.01).all() and (low[:, 0] >= -half[0] - 0.01).all(), entry.name
        assert (low[:, 1] >= -half[1] - thing[Thing.CLEAR] / 2).all() and (low[:, 2] > -1e-6).all(), entry.name
        assert len(made) >= 4


def recorded(tmp_path, policy="oracle"):
    sandbox.run(
        {"world": {"name": "rooms", "layout": ROOM, "wishes": 1, "max_ticks": 40},
         "agents": [{"count": 3, "reasoner": policy}]}, seed=2, out=tmp_path / policy,
    )  # fmt: skip
    return tmp_path / policy


@RENDERED
def test_a_walk_is_rendered_goes_on_and_shows_every_item(tmp_path, capsys):
    run, film = recorded(tmp_path), tmp_path / "walk.gif"
    asked = ["walkthrough", run, "--video", film, "--frames", 2, "--size", "64x48", "--samples"]
    assert told(*asked, 1) == 0
    out = capsys.readouterr().out
    assert "1 of 1 wishes met" in out and "seen   1 of 1 things" in out
    first, second = sorted((tmp_path / "walk-frames").glob("*.png"))
    kept, lost = first.read_bytes(), second.read_bytes()
    second.unlink()  # as if it had been killed
    assert told(*asked, 1) == 0 and "1 of them from before" in capsys.readouterr().out
    assert (first.read_bytes(), second.read_bytes()) == (kept, lost) and film.exists()
    assert told(*asked, 2) == 2 and "frames of another walk" in capsys.readouterr().err


@SOLID
def test_in_three_dimensions_things_stand_on_the_floor_where_the_plan_has_them():
    env = flat()
    made = planned(env, ("open bookcase", 4, 1, "north"))
    meshes = env.world.scene(made, 0, env.params).geometry
    found = [mesh.bounds for name, mesh in meshes.items() if name.startswith("item-0-")]
    low, high = np.min([each[0] for each in found], axis=0), np.max([each[1] for each in found], axis=0)
    row, col, rows, cols = footprint(env.params, made.item[0, 0])
    assert (low[:2] >= np.array([col, -row - rows]) * METRE - 1e-6).all() and low[2] == pytest.approx(0, abs=1e-3)
    assert (high[:2] <= np.array([col + cols, -row]) * METRE + 1e-6).all() and high[2] > 1.5


def watched() -> Sandbox:
    return Sandbox(scenario({"world": {"name": "rooms", "layout": ROOM, "wishes": 1}, "agents": [{"count": 3}]}), 1)


@SOLID
def test_the_studio_shows_it_in_three_dimensions():
    model, modeller = watched(), Modeller()
    first = modeller.solid(model)
    assert "three" in first.page and modeller.solid(model) is first
    model.step()
    assert modeller.solid(model) is not first


def test_the_studio_says_what_is_missing_for_it(monkeypatch):
    monkeypatch.setattr(solid, "find_spec", lambda name: None)
    assert "pip install 'sandbox[walk]'" in Modeller().solid(watched()).problem


@RENDERED
def test_a_pretty_picture_of_a_wrong_plan_changes_nothing():
    env, found = flat(), []
    for place in ((4, 1, "north"), (2, 2, "south")):
        tour = env.world.tour(planned(env, ("open bookcase", *place)), 0, env.params)
        (view,) = tour.looks.values()
        picture, shown = tour.picture(view, (32, 24), 4), (tour.identities(view, (32, 24)) == 0).sum()
        found.append((picture.std() > 15, shown > 10, tour.worth[0][:12]))
        tour.close()
    assert found == [(True, True, "plan   1 of "), (True, True, "plan   0 of ")]


def test_a_walk_needs_a_size(tmp_path, capsys):
    assert told("walkthrough", tmp_path, "--size", "64", "--video", tmp_path / "a.gif") == 2
    assert "expected WIDTHxHEIGHT" in capsys.readouterr().err
