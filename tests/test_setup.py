"""Setting up by hand, without a browser: it becomes a scenario that begins so, in both tiers and in records."""

import json
import tomllib
from random import Random

import pytest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.plain import without_nulls
from sandbox.core.setup import place_of
from sandbox.record import Log
from sandbox.running import intervene
from sandbox.running.batch import batch
from sandbox.running.replay import verify
from sandbox.running.trial import closing_events, opening, outcome_of, record_step
from sandbox.scenario import load
from sandbox.scenario.capabilities import page
from sandbox.scenario.load import as_toml
from sandbox.studio.backend.setup import Brush, Draft, Drawn, from_address, to_address

YARD = "type octile\nheight 4\nwidth 6\nmap\n......\n.@@...\n......\n......\n"
WORLDS = {
    "shelves": {"name": "warehouse", "layout": "tiny"},
    "yard": {"name": "warehouse", "layout": YARD},
    "kitchen": {"name": "kitchen", "layout": "cramped_room"},
    "wildfire": {"name": "wildfire", "layout": "village"},
    "craft": {"name": "craft", "size": 32},
    "web": {"name": "web", "layout": "fill-form"},
    "office": {"name": "office", "cases": 4},
    "rooms": {"name": "rooms", "layout": "studio"},
}  # fmt: skip


def draft_of(world: str, agents: int = 2) -> Draft:
    count = 1 if world == "web" else agents
    return Draft(load({"world": WORLDS[world], "agents": [{"count": count, "reasoner": "rules"}]}), 3)


def brush(draft: Draft, name: str) -> Brush:
    return next(each for each in draft.brushes if each.name == name)


def edited(draft: Draft, edits: int = 25) -> int:
    """Edit at random, off the map too; returns how many edits were possible. The others say why, and change nothing."""
    dice, made = Random(1), 0
    rows, cols = draft.cells or (1, 1)
    for _ in range(edits):
        cell, to = ((dice.randrange(-1, rows + 1), dice.randrange(-1, cols + 1)) for _ in range(2))
        part = dice.choice(draft.things) if draft.things else None
        entries = draft.description[part.key] if part else []
        before = draft.drawn
        try:
            what = dice.choice(["move", "paint", "erase", "set"])
            if what == "move" and entries:
                draft.move(place_of(dice.choice(entries)), to)
            elif what == "paint" and draft.brushes:
                draft.paint(dice.choice(draft.brushes), [cell, to])
            elif what == "erase":
                draft.erase([cell])
            else:
                key = dice.choice(draft.others)
                draft.set(key, draft.description[key])
            made += 1
        except UsageError as error:
            assert "\n" not in str(error) and draft.drawn == before
    return made


@pytest.mark.parametrize("world", WORLDS)
def test_what_is_set_up_is_saved_and_begins_so(world, tmp_path):
    """Edited at random, saved as TOML, run, verified, replayed; both tiers, in all trials of a batch."""
    draft = draft_of(world)
    assert edited(draft) > 5 and draft.drawn != Drawn()
    file = tmp_path / "own.toml"
    file.write_text(as_toml({**draft.scenario.as_dict(), "seed": 3}))
    again = load(file)
    env = again.env()
    first = env.reset([3])
    assert env.digest(first) == draft.env.digest(draft.env.reset([3]))
    told = without_nulls(json.loads(json.dumps(env.describe(first))))
    assert {key: told[key] for key in draft.env.start if key in {part.key for part in draft.parts}}.items() <= (
        without_nulls(draft.env.start).items()
    )
    outcome = sandbox.run(file, out=tmp_path / "run")
    assert verify(tmp_path / "run").passed
    batch(file, tmp_path / "batch", trials=2, workers=1)
    found = sandbox.results(tmp_path / "batch")
    assert list(found["digest"])[0] == outcome.digest and not found["error"].notna().any()
    assert Drawn.read(draft.drawn.text) == draft.drawn


@pytest.mark.parametrize("world", WORLDS)
def test_each_step_can_be_taken_back_and_made_again(world):
    draft = draft_of(world)
    edited(draft)
    last = draft.drawn
    while draft.can[0]:
        draft.undo()
    assert draft.drawn == Drawn() and draft.can == (False, True)
    while draft.can[1]:
        draft.redo()
    assert draft.drawn == last
    draft.clear()
    assert draft.env.start == {} and draft.can == (True, False)


@pytest.mark.parametrize("world", ["shelves", "yard", "kitchen", "wildfire", "craft", "rooms"])
def test_the_map_is_saved_as_text_that_the_layout_takes(world, tmp_path):
    draft = draft_of(world)
    edited(draft)
    (tmp_path / "own.map").write_text(draft.layout())
    table = {"world": {"name": WORLDS[world]["name"], "layout": str(tmp_path / "own.map")}}
    again = Draft(load({**table, "agents": [{"count": 2, "reasoner": "rules"}]}), 3)
    assert again.cells == draft.cells
    assert again.layout().splitlines()[-1] == draft.layout().splitlines()[-1] or world in ("craft", "wildfire")


def test_drag_paint_and_erase_do_what_they_say():
    draft = draft_of("wildfire")
    crew = place_of(draft.description["crews"][0])
    draft.move(crew, (0, 0), "crews")
    assert place_of(draft.description["crews"][0]) == (0, 0)
    draft.paint(brush(draft, "building"), [(5, 5), (5, 6)])
    draft.paint(brush(draft, "household"), [(5, 5)])
    draft.paint(brush(draft, "fire"), [(5, 6)])
    assert draft.words((5, 6)) == "fire, building, fine"
    draft.paint(brush(draft, "water"), [(5, 5), (5, 6)])
    assert draft.notice == "burning and people: what stood there is gone"
    assert draft.words((5, 6)) == "water, fine"
    draft.undo()
    draft.erase([(5, 6)])
    assert draft.words((5, 6)) == "building, fine" and draft.words((5, 5)) == "household, building, fine"


def test_a_map_that_is_a_constant_is_painted_and_things_stay_where_they_can():
    draft = draft_of("kitchen")
    cooks = draft.description["players"]
    draft.paint(brush(draft, "onion"), [(1, 0) if draft.words((1, 0)) == "counter" else (3, 0)])
    draft.move((0, 2), (0, 1))  # the pot
    assert draft.words((0, 1)) == "pot" and draft.words((0, 2)) == "counter"
    assert draft.description["players"] == cooks
    draft.move(place_of(cooks[0]), (2, 1) if place_of(cooks[1]) != (2, 1) else (2, 2))
    with pytest.raises(UsageError, match=r"cook 1 stands at|floor at the border"):
        draft.paint(brush(draft, "counter"), [place_of(cooks[1])])


@pytest.mark.parametrize(("world", "start", "words"), [
    ("shelves", {"agents": [{"row": 99, "col": 0}, {"row": 0, "col": 0}]}, r"start: agents\[0\] at \(99, 0\)"),
    ("shelves", {"agents": [{"row": 0, "col": 0}] * 2}, r"agents\[1\] at \(0, 0\): agents\[0\] is there"),
    ("shelves", {"agents": [{"row": 0, "col": 0, "aim": [99, 0]}, {"row": 1, "col": 0}]}, r"aim at \(99, 0\)"),
    ("shelves", {"agents": [{"row": k, "col": 0, "carrying": 1} for k in (0, 1)]}, "another robot carries it"),
    ("shelves", {"closed": [[-1, 0]]}, r"closed at \(-1, 0\)"),
    ("shelves", {"closed": [[0.5, 0]]}, "start: .*whole number|expected"),
    ("kitchen", {"players": [{"row": 1, "col": 1}] * 2}, r"players\[0\] is there"),
    ("kitchen", {"objects": [{"row": 0, "col": 0, "name": "stone"}]}, "unknown thing 'stone'"),
    ("wildfire", {"crews": [{"row": 0, "col": 0, "home": [4000, 0]}] * 2}, r"home at \(4000, 0\)"),
    ("wildfire", {"wind": {"towards": 0.0, "speed": 1e300}}, "wind"),
    ("wildfire", {"terrain": ["?"]}, "'\\?' is not a cell"),
    ("craft", {"players": [{"row": 1, "col": 1}] * 2}, "is there"),
    ("craft", {"mobs": [{"kind": "dragon", "row": 1, "col": 1}]}, "unknown kind 'dragon'"),
    ("web", {"theme": 99}, "theme 99"),
    ("web", {"seed": 4}, "start: seed"),
    ("web", {"elements": []}, "0 elements"),
])  # fmt: skip
def test_an_impossible_start_says_where_and_why(world, start, words, tmp_path):
    """In one line, before anything is played; also before the first trial of a batch."""
    count = 1 if world == "web" else 2
    table = {"world": WORLDS[world], "agents": [{"count": count, "reasoner": "rules"}], "start": start}
    for play in (lambda: sandbox.run(table, seed=3), lambda: batch(table, tmp_path / "b", trials=2, workers=1)):
        with pytest.raises(UsageError, match=words) as error:
            play()
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [
    "x", "eJw", "~", "A" * 9000, Drawn("map", {"a": [[[[]]]]}).text[:-3], Drawn(start={"x": "y" * 5_000_000}).text,
    Drawn.text.fget(Drawn(layout={"no": "text"})), Drawn.text.fget(Drawn(start=[1])),
])  # fmt: skip
def test_a_strange_set_up_in_an_address_says_so(text):
    with pytest.raises(UsageError, match="setup: "):
        Drawn.read(text)


def test_an_address_reads_no_file_of_this_machine(tmp_path):
    (tmp_path / "secret.map").write_text("x.g\n.x.\n")
    table = {"world": WORLDS["shelves"], "agents": [{"count": 2, "reasoner": "rules"}]}
    draft = Draft(load(table, origin=page()), 3)
    with pytest.raises(UsageError, match="reads no file"):
        draft.open(Drawn(layout=str(tmp_path / "secret.map")))
    assert draft.drawn == Drawn()


def test_a_large_set_up_is_only_named_in_an_address():
    small, large = Drawn("map\n"), Drawn(start={"noise": [hash((k, "x")) % 1000 for k in range(9_000)]})
    assert from_address(to_address(small)) == small and len(to_address(large)) < 40
    assert from_address(to_address(large)) == large
    with pytest.raises(UsageError, match="forgotten"):
        from_address("~nothing")


def test_a_start_can_be_swept_and_is_part_of_the_scenario(tmp_path):
    table = {"world": WORLDS["wildfire"], "agents": [{"count": 2, "reasoner": "rules"}]}
    calm, storm = ({"towards": 90.0, "speed": speed} for speed in (0.0, 20.0))
    one, other = (load({**table, "start": {"wind": wind}}) for wind in (calm, storm))
    assert len({one.hash, other.hash, load(table).hash}) == 3 and load(tomllib.loads(as_toml(one.as_dict()))) == one
    batch({**table, "sweep": {"start.wind": [calm, storm]}}, tmp_path / "batch", trials=1, workers=1)
    played = [each.env().play([0], ["rules"] * 2)[0] for each in (one, other)]
    digests = [each.env().digest(state) for each, state in zip((one, other), played, strict=True)]
    assert list(sandbox.results(tmp_path / "batch")["digest"]) == digests and digests[0] != digests[1]


@pytest.mark.parametrize(("world", "option", "value"), [
    ("shelves", "deliveries", 1), ("kitchen", "soups", 1), ("wildfire", "save", 0.2), ("craft", "goal", "diamond"),
    ("craft", "mobs", False), ("web", "max_ticks", 12),
])  # fmt: skip
def test_an_option_changes_while_it_runs_and_is_replayed(world, option, value, tmp_path):
    model = sandbox.Sandbox(draft_of(world).scenario, rng=3)
    with pytest.raises(UsageError, match="cannot change in the middle"):
        intervene.change(model, {"world.layout": "tiny"})
    with Log.create(tmp_path / "run") as log:
        log.extend(opening(model))
        for tick in range(20):
            if tick == 10:
                log.extend(intervene.change(model, {f"world.{option}": value}))
                assert getattr(model.env.options, option) == value
            if model.running:
                record_step(model, log)
        stopped = model.running
        model.stop()
        log.extend(closing_events(outcome_of(model, 0.0), stopped))
    verdict = verify(tmp_path / "run")
    assert verdict.passed, verdict.summary
    assert f"world.{option}" in verdict.summary or "changed" in verdict.summary
