"""What Craft says to people: what a player is doing, why an action came to nothing, charts and gauges."""

from typing import NamedTuple

import numpy as np

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.engine.kernel import twin
from sandbox.worlds.craft.dynamics.mobs import daylight
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.dynamics.recipes import NEARBY, RECEIVES, REQUIRES, STANDS_ON, USES, WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW
from sandbox.worlds.craft.policies.routes import Aim
from sandbox.worlds.craft.rendering.picture import LEGEND, NEED_COLOURS, THING_COLOURS
from sandbox.worlds.craft.state import (
    ITEMS,
    MOST,
    Body,
    Kind,
    Material,
    Mob,
    Note,
    Params,
    Severity,
    State,
    Verb,
)  # fmt: skip
from sandbox.worlds.craft.tasks import progress

NEEDS = (Body.HEALTH, Body.FOOD, Body.DRINK, Body.ENERGY)
ICONS = {Body.HEALTH: "♥", Body.FOOD: "●", Body.DRINK: "≈", Body.ENERGY: "☾"}
_AIMS = {
    Aim.FRONTIER: "explores the unknown", Aim.MEADOW: "explores the meadows", Aim.ROCK: "explores the mountains",
    Aim.BURROW: "looks for rock to sleep in", Aim.BENCH: "goes to a table", Aim.FORGE: "goes to a table and a furnace",
    Material.WATER: "goes to the water to drink", Material.TREE: "goes to a tree for wood",
    Material.GRASS: "goes to grass for a sapling",
}  # fmt: skip
_DAY = 0.5  # daylight below which it is called night


class Ahead(NamedTuple):
    """What is on one side of a player."""

    row: int
    col: int
    material: Material | None  # None: beyond the edge
    thing: Kind
    who: int  # the player there, -1 none
    ripe: bool


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _beside(s: State, agent: int, side: int) -> Ahead:
    row, col = int(s.pos[0, agent, 0] + DROW[side]), int(s.pos[0, agent, 1] + DCOL[side])
    if not (0 <= row < s.grid.shape[1] and 0 <= col < s.grid.shape[2]):
        return Ahead(row, col, None, Kind.NONE, -1, False)
    code, players = int(s.object_at[0, row, col]), s.pos.shape[1]
    material = Material(int(s.grid[0, row, col]))
    if code > players:
        mob = s.mobs[0, code - 1 - players]
        return Ahead(row, col, material, Kind(int(mob[Mob.KIND])), -1, bool(mob[Mob.CLOCK] > RIPE_AT))
    return Ahead(row, col, material, Kind.PLAYER if code else Kind.NONE, code - 1, False)


def _named(told: Transition, ahead: Ahead) -> str:
    """What is in a cell, in words."""
    if ahead.who >= 0:
        return told.names[ahead.who]
    if ahead.thing:
        return f"a{'n' if ahead.thing == Kind.ARROW else ''} {_words(ahead.thing.name)}"
    return "the edge of the map" if ahead.material is None else f"the {_words(ahead.material.name)}"


# -- what a player is doing


def doing(told: Transition, agent: int) -> str:
    """The errand of a player, from its needs and its notes."""
    policy, s = told.policy(agent), told.before
    body = s.body[0, agent]
    if s.pos[0, agent, 0] < 0:
        return "is nowhere on the map"
    if body[Body.HEALTH] <= 0:
        return "is dead"
    if body[Body.SLEEPING] and body[Body.ENERGY] < MOST:
        return "sleeps"
    if words := unplanned(told, agent, _acts):
        return words
    verb = told.action(agent)[0]
    if policy not in ("rules", "oracle") or not Verb.MOVE_LEFT <= verb <= Verb.MOVE_DOWN:
        return _acts(told, agent)
    errand = _errand(told, agent, verb - 1)
    blocked = told.because(agent, cause)
    return f"{errand}; was stopped: {blocked}" if blocked else errand


def _acts(told: Transition, agent: int) -> str:
    """The action of the tick, with what it does."""
    s, (verb, target) = told.before, told.action(agent)
    if not 0 <= verb < told.params.verbs or target:
        return "chose an action that does not exist"
    word, _, what = _words(Verb(verb).name).partition(" ")
    article = "an" if what[:1] in "aeiou" else "a"
    act = {"noop": "waits", "sleep": "lies down to sleep", "move": f"goes {what}"}.get(
        word, f"{word}s {article} {what}"
    )
    if verb == Verb.DO:
        act = _does(told, _beside(s, agent, int(s.body[0, agent, Body.FACING])))
    if told.outcome(agent):
        return f"{act}, in vain: {told.because(agent, cause)}"
    return act if word != "move" or told.moved(agent) else f"turns {what}"


def _does(told: Transition, ahead: Ahead) -> str:
    """What the verb ``do`` does to what is ahead."""
    if ahead.thing == Kind.PLANT:
        return "eats the ripe plant" if ahead.ripe else "touches the sapling"
    if ahead.thing:
        return f"hits {_named(told, ahead)}"
    if ahead.material is None or RECEIVES[ahead.material] < 0:
        return "reaches out"
    words = {Material.WATER: "drinks", Material.GRASS: "looks for a sapling in the grass"}
    return words.get(ahead.material) or f"collects {_words(Body(int(RECEIVES[ahead.material])).name)}"


def _errand(told: Transition, agent: int, side: int) -> str:
    """Why a player moves to one side; its route and its notes tell it."""
    s, note, width = told.before, told.memory.notes[0, agent], told.params.plan.shape[1]
    ahead = _beside(s, agent, side)
    if ahead.thing in (Kind.ZOMBIE, Kind.SKELETON):
        return f"turns to {_named(told, ahead)} to fight it"
    if note[Note.RESTING]:
        return "goes into its burrow to sleep"
    left = int(note[Note.LEFT])
    there = int(told.memory.route[0, agent, left - 1]) if left else -1
    if there == ahead.row * width + ahead.col:
        return _on_way(told, agent, int(note[Note.AIM]), int(note[Note.PLACE]))
    if ahead.thing or ahead.material is None or not WALKS[ahead.material]:
        return f"turns to {_named(told, ahead)}"
    return "steps aside"


def _on_way(told: Transition, agent: int, aim: int, place: int) -> str:
    """The aim of a route, in words."""
    if aim == Aim.BESIDE:
        row, col = divmod(place, told.params.plan.shape[1])
        if place == told.memory.notes[0, agent, Note.COW]:
            return f"goes to the cow at row {row}, column {col} to eat"
        code, players = int(told.before.object_at[0, row, col]), told.before.pos.shape[1]
        if code > players:
            return f"goes to the {_words(Kind(int(told.before.mobs[0, code - 1 - players, Mob.KIND])).name)} there"
        return f"explores towards row {row}, column {col}"
    key = Aim(aim) if aim >= Aim.FRONTIER else Material(aim)
    row, col = divmod(int(told.memory.route[0, agent, 0]), told.params.plan.shape[1])  # where the route ends
    return f"{_AIMS.get(key) or f'goes to fetch {_words(key.name)}'}, near row {row}, column {col}"


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What made a player's action impossible, or prevented it."""
    s, (verb, _) = told.before, told.action(agent)
    body = s.body[0, agent]
    if s.pos[0, agent, 0] < 0 or body[Body.HEALTH] <= 0:
        return "the player is dead" if s.pos[0, agent, 0] >= 0 else "the player is nowhere on the map"
    if body[Body.SLEEPING] and body[Body.ENERGY] < MOST:
        return "the player sleeps"
    facing = int(body[Body.FACING])
    ahead = _beside(s, agent, verb - 1 if Verb.MOVE_LEFT <= verb <= Verb.MOVE_DOWN else facing)
    if told.outcome(agent) == "failed":
        return _beaten(told, agent, ahead)
    if Verb.MOVE_LEFT <= verb <= Verb.MOVE_DOWN:
        return f"{_named(told, ahead)} is in the way"
    if verb == Verb.SLEEP:
        return "it is not tired: its energy is full"
    if verb == Verb.DO:
        return _useless(told, body, ahead)
    return _unmade(told, body, verb, ahead, _near(s, agent))


def _beaten(told: Transition, agent: int, ahead: Ahead) -> str:
    """Which player, acting before in the same tick, changed the cell ahead."""
    for other in range(agent):
        s, facing = told.before, int(told.before.body[0, other, Body.FACING])
        verb = told.action(other)[0]
        side = verb - 1 if Verb.MOVE_LEFT <= verb <= Verb.MOVE_DOWN else facing
        one = _beside(s, other, side)
        if (one.row, one.col) == (ahead.row, ahead.col):
            return f"{told.names[other]} was there first"
    return "another player had changed what was there"


def _useless(told: Transition, body: np.ndarray, ahead: Ahead) -> str:
    if ahead.thing == Kind.PLANT:
        return "the plant is not ripe"
    if ahead.thing:
        return f"nothing can be done to {_named(told, ahead)}"
    if ahead.material is None or RECEIVES[ahead.material] < 0:
        return f"there is nothing to collect from {_named(told, ahead)}"
    return f"{_words(ahead.material.name)} needs a {_words(Body(int(REQUIRES[ahead.material])).name)}"


def _near(s: State, agent: int) -> tuple[bool, bool]:
    """Whether a table and a furnace are within one cell; in row 0 and column 0 nothing is, as in crafter."""
    row, col = s.pos[0, agent].tolist()
    around = s.grid[0, max(0, row - 1) : row + 2, max(0, col - 1) : col + 2] if row > 0 and col > 0 else np.zeros(0)
    return bool((around == Material.TABLE).any()), bool((around == Material.FURNACE).any())


def _unmade(told: Transition, body: np.ndarray, verb: int, ahead: Ahead, near: tuple[bool, bool]) -> str:
    """Why nothing could be placed or made."""
    lacks = [f"{int(n)} {_words(Body(int(item)).name)}" for item, n in USES[verb] if n and body[item] < n]
    if lacks:
        return f"it needs {' and '.join(lacks)}"
    if verb >= Verb.MAKE_WOOD_PICKAXE:
        missing = [name for name, needed, is_near in zip(("table", "furnace"), NEARBY[verb], near, strict=True)
                   if needed and not is_near]  # fmt: skip
        return f"no {' and no '.join(missing)} is near"
    if ahead.thing or ahead.material is None:
        return f"{_named(told, ahead)} is in the way"
    if not STANDS_ON[verb, ahead.material]:
        return f"it cannot be placed on {_words(ahead.material.name)}"
    return "there are too many things on the map"


# -- charts and gauges


def _living(s: State, lane: int) -> np.ndarray:
    """(n, 4): health, food, drink and energy of the living."""
    body = s.body[lane, :, Body.HEALTH : Body.ENERGY + 1]
    return body[body[:, 0] > 0]


def _lowest(s: State, lane: int, params: Params) -> float:
    living = _living(s, lane)
    return float(living[:, 1:].min()) if len(living) else 0.0


CHARTS = (
    Chart(
        "Achievements", "of the goal, by any player", lambda s, lane, params: float(twin(progress)(s, lane, params)[0])
    ),
    Chart("Health", "of the weakest player, 0 to 9", lambda s, lane, params: float(s.body[lane, :, Body.HEALTH].min())),
    Chart("Lowest need", "food, drink or energy of the living, 0 to 9", _lowest),
)


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Achievements, clock and daylight; the needs and the items of a player."""
    if agent >= 0:
        body = s.body[lane, agent]
        needs = (
            Gauge("need", _words(need.name), int(body[need]), MOST, colour=NEED_COLOURS[need], icon=ICONS[need])
            for need in NEEDS
        )
        has = (item for item in ITEMS[len(NEEDS) :] if body[item])
        return *needs, *(Gauge("item", _words(i.name), int(body[i]), colour=THING_COLOURS[i]) for i in has)
    done, total = twin(progress)(s, lane, params)
    light = float(twin(daylight)(int(s.tick[lane]), params.severity[Severity.NIGHT]))
    sky = Gauge("fact", "sky", text="night" if light < _DAY else "day", icon="☾" if light < _DAY else "☀")
    clock = Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks)
    return Gauge("score", "achievements", int(done), int(total)), clock, sky


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    mobs = s.mobs[lane, : s.census[lane]]
    found = {_words(Material(code).name) for code in np.unique(s.grid[lane]).tolist()}
    found |= {_words(Kind(code).name) for code in np.unique(mobs[:, Mob.KIND]).tolist()}
    if (mobs[mobs[:, Mob.KIND] == Kind.PLANT, Mob.CLOCK] > RIPE_AT).any():
        found.add("ripe plant")
    alive = (s.pos[lane, :, 0] >= 0) & (s.body[lane, :, Body.HEALTH] > 0)
    return (found & {name for name, _ in LEGEND}) | ({"gatherer"} if alive.any() else set())
