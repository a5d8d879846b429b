"""What the wildfire says to people: what a crew is doing, why an action came to nothing, charts and gauges."""

from collections.abc import Iterator
from math import degrees

import numpy as np

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.core.world import TaskColumn
from sandbox.engine.kernel import twin
from sandbox.worlds.wildfire.dynamics.crews import COLS, ROWS
from sandbox.worlds.wildfire.dynamics.terrain import heading
from sandbox.worlds.wildfire.policies.oracle import NEAR
from sandbox.worlds.wildfire.state import Channel, Column, Count, Crew, Ground, Kind, Note, Params, State, Verb

DANGER = 5  # cells: a building is in danger if it burns within them
_MOVES = {Verb.NORTH: "north", Verb.SOUTH: "south", Verb.WEST: "west", Verb.EAST: "east"}
_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def _place(row: float, col: float) -> str:
    return f"row {int(row)}, column {int(col)}"


def _reach(s: State, agent: int) -> np.ndarray:
    """(n,) int: the codes of the cells in reach of a crew."""
    rows, cols = s.pos[0, agent, 0] + ROWS, s.pos[0, agent, 1] + COLS
    inside = (rows >= 0) & (cols >= 0) & (rows < s.land.shape[1]) & (cols < s.land.shape[2])
    return s.land[0, rows[inside], cols[inside]].astype(np.int64)


def _is_home(codes: np.ndarray) -> np.ndarray:
    """Whether there is a household in each cell."""
    ground = codes >> 3
    return (ground == Ground.PEOPLE) | (ground == Ground.WET_PEOPLE) | (ground >= Ground.FIRE_PEOPLE)


# -- what a crew is doing


def doing(told: Transition, agent: int) -> str:
    """The errand of a crew, from its notes and what it sees."""
    policy, s = told.policy(agent), told.before
    if s.pos[0, agent, 0] < 0:
        return "is nowhere on the map"
    if s.crew[0, agent, Crew.DOWN]:
        return "is broken down for good"
    if words := unplanned(told, agent, _acts):
        return words
    verb = told.action(agent)[0]
    if policy not in ("rules", "oracle") or not (verb in _MOVES or verb == Verb.STAY):
        return _acts(told, agent)
    errand = _by_rules(told, agent) if policy == "rules" else _by_oracle(told, agent)
    if told.outcome(agent):
        return f"{errand}; was stopped: {told.because(agent, cause)}"
    return errand if verb in _MOVES else f"{errand}; waits"


def _acts(told: Transition, agent: int) -> str:
    """The action of the tick, with what it does."""
    s, (verb, target) = told.before, told.action(agent)
    if not 0 <= verb < told.params.verbs or target:
        return "chose an action that does not exist"
    codes = _reach(s, agent)
    burning, homes = int((codes >> 3 >= Ground.FIRE).sum()), int(_is_home(codes).sum())
    words = {
        Verb.STAY: "waits", Verb.CUT: "cuts a fire break in its cell", Verb.REFILL: "fills its tanks",
        Verb.DOUSE: f"puts out {_many(burning, 'burning cell')}" if burning else "wets the ground around it",
        Verb.RESCUE: f"rescues {_many(homes, 'household')}" if homes else "looks for households to rescue",
    }  # fmt: skip
    act = words.get(Verb(verb)) or f"goes {_MOVES[Verb(verb)]}"
    return f"{act}, in vain: {told.because(agent, cause)}" if told.outcome(agent) else act


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _by_rules(told: Transition, agent: int) -> str:
    """Where a crew goes that acts on what it sees (``policies.rules``)."""
    obs, note, params = told.obs, told.memory.notes[0, agent], told.params
    vector, task = obs.vector[0, agent], obs.task[0, agent]
    if vector[Column.TANKS] == 0:
        if note[Note.WATER] >= 0:
            return f"goes for water at {_place(*divmod(int(note[Note.WATER]), params.width))}"
        known = vector[Column.WATER_ROW] >= 0
        where = _place(vector[Column.WATER_ROW], vector[Column.WATER_COL])
        return f"goes for water, on its map at {where}" if known else "looks for water"
    if obs.window[0, agent, Channel.FIRE].any():
        return f"goes to the fire at {_place(note[Note.FIRE_ROW], note[Note.FIRE_COL])}"
    far = abs(task[TaskColumn.ROW] - vector[Column.ROW]) + abs(task[TaskColumn.COL] - vector[Column.COL])
    if task[TaskColumn.KIND] and task[TaskColumn.ROW] >= 0 and far > params.sight:
        return f"goes to its team's sector at {_place(task[TaskColumn.ROW], task[TaskColumn.COL])}"
    if note[Note.FIRE_ROW] >= 0:
        return f"goes to where fire was last known, at {_place(note[Note.FIRE_ROW], note[Note.FIRE_COL])}"
    alarm = vector[[Column.ALARM_ROW, Column.ALARM_COL]].astype(int)
    was, now = (np.abs(state.pos[0, agent] - alarm).sum() for state in (told.before, told.after))
    return f"goes to the fire that it was called to, at {_place(*alarm)}" if now < was else "looks for fire"


def _by_oracle(told: Transition, agent: int) -> str:
    """Where a crew goes that sees all (``policies.oracle``)."""
    s, params, crew = told.before, told.params, told.before.crew[0, agent]
    target, tanks = int(told.memory.notes[0, agent, Note.TARGET]), crew[Crew.TANKS]
    if tanks == 0 or (2 * tanks <= params.tanks and _fire_near(s, crew[Crew.HOME_ROW], crew[Crew.HOME_COL], params)):
        return "goes for water"
    if target < 0:
        return "has nothing to put out"
    burns = int(s.land[0].flat[target]) >> 3 >= Ground.FIRE
    what = "attacks the fire at" if burns else "goes to wet buildings from"
    return f"{what} {_place(*divmod(target, params.width))}"


def _fire_near(s: State, row: int, col: int, params: Params) -> bool:
    """Whether anything burns within NEAR cells of a place, as the oracle asks."""
    burning = int(s.tally[0, Count.BURNING])
    if burning > params.longest:
        return True
    rows, cols = np.divmod(s.fires[0, :burning], params.width)
    return bool((abs(rows - row) + abs(cols - col) <= NEAR).any())


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What made a crew's action impossible, or prevented it."""
    s, (verb, _) = told.before, told.action(agent)
    if s.pos[0, agent, 0] < 0:
        return "the crew is nowhere on the map"
    if s.crew[0, agent, Crew.DOWN]:
        return "the crew is broken down for good"
    if told.outcome(agent) == "failed":
        return _beaten(told, agent)
    if verb in _MOVES:
        row, col = int(s.pos[0, agent, 0] + ROWS[verb]), int(s.pos[0, agent, 1] + COLS[verb])
        inside = 0 <= row < s.land.shape[1] and 0 <= col < s.land.shape[2]
        return "the cell ahead burns" if inside else "the map ends there"
    if verb == Verb.REFILL and s.crew[0, agent, Crew.TANKS] >= told.params.tanks:
        return "its tanks are full"
    words = {
        Verb.DOUSE: "its tanks are empty", Verb.CUT: f"there is no fuel to cut: {_ground(s, agent)}",
        Verb.REFILL: "there is no water in reach", Verb.RESCUE: "there is no household in reach",
    }  # fmt: skip
    return words.get(Verb(verb), "")


def _ground(s: State, agent: int) -> str:
    """What a crew stands on, in words."""
    code = int(s.land[0, s.pos[0, agent, 0], s.pos[0, agent, 1]])
    kind, ground = Kind(code & 7), code >> 3
    if ground >= Ground.FIRE:
        return "its cell burns"
    if ground == Ground.BURNT:
        return "its cell is burnt"
    named = {Kind.BARE: "bare ground", Kind.BREAK: "a fire break already"}
    return f"its cell is {named.get(kind, f'a {kind.name.lower()}' if kind != Kind.WATER else 'water')}"


def _beaten(told: Transition, agent: int) -> str:
    """Which crew rescued the households first."""
    pos = told.before.pos[0]
    for other in range(agent):
        if told.action(other)[0] == Verb.RESCUE and np.abs(pos[other] - pos[agent]).sum() <= 2:
            return f"{told.names[other]} rescued them first"
    return "the households were gone"


# -- charts and gauges


def _burnt(s: State, lane: int, params: Params) -> float:
    return float(s.tally[lane, Count.BURNT] + s.tally[lane, Count.BURNING])


def saved(s: State, lane: int, params: Params) -> float:
    """The buildings that fire came within DANGER cells of, and that stand while it burns there no more.

    In the end, when nothing burns, all that stand; on a map without buildings, all fuel that is left.
    """
    tally, land = s.tally[lane], s.land[lane]
    if not tally[Count.BURNING]:
        return float(tally[Count.BUILDINGS] - tally[Count.LOST])
    if not tally[Count.BURNT]:
        return 0.0
    rows, cols = np.nonzero(((land & 7) == Kind.BUILDING) & (land >> 3 < Ground.BURNT))
    height, width, side = *land.shape, 2 * DANGER + 1
    ground = np.zeros((height + 2 * DANGER, width + 2 * DANGER), np.uint8)
    ground[DANGER:-DANGER, DANGER:-DANGER] = land >> 3
    window = (np.arange(side)[:, None] * ground.shape[1] + np.arange(side)).ravel()
    around = ground.ravel()[(rows * ground.shape[1] + cols)[:, None] + window]
    met, burns = (around == Ground.BURNT).any(axis=1), (around >= Ground.FIRE).any(axis=1)
    return float((met & ~burns).sum())


CHARTS = (
    Chart("Area burnt", "cells that burn or have burnt", _burnt),
    Chart("Buildings saved", "that fire came near, and left; in the end, all that stand", saved),
    Chart("On fire", "cells that burn now", lambda s, lane, params: float(s.tally[lane, Count.BURNING])),
)


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Buildings, area, people, wind and clock; the tanks of a crew."""
    if agent >= 0:
        return tuple(_of_crew(s.crew[lane, agent], params))
    tally, village = s.tally[lane], bool(((s.land[lane] & 7) == Kind.BUILDING).any())
    score = Gauge(
        "score", "buildings saved" if village else "trees saved", saved(s, lane, params), int(tally[Count.BUILDINGS])
    )
    return score, Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks), *_of_fire(s, lane, village, params)


def _of_crew(crew: np.ndarray, params: Params) -> Iterator[Gauge]:
    yield Gauge("need", "water", int(crew[Crew.TANKS]), params.tanks, "tanks", colour="#3f88c5", icon="≈")
    if crew[Crew.HURT]:
        yield Gauge("fact", "in the fire", int(crew[Crew.HURT]), unit="ticks")
    if crew[Crew.DOWN]:
        yield Gauge("fact", "state", text="broken down")


def _of_fire(s: State, lane: int, village: bool, params: Params) -> Iterator[Gauge]:
    tally = s.tally[lane]
    yield Gauge("fact", "area burnt", _burnt(s, lane, params), params.height * params.width, "cells")
    if village:
        yield Gauge("fact", "buildings lost", int(tally[Count.LOST]), int(tally[Count.BUILDINGS]))
    if tally[Count.HOUSEHOLDS]:
        yield Gauge("fact", "households rescued", int(tally[Count.RESCUED]), int(tally[Count.HOUSEHOLDS]))
    if not params.classic:
        towards = degrees(twin(heading)(s.seed[lane], int(s.tick[lane]), float(s.wind[lane, 0]), params))
        yield Gauge("fact", "wind", text=f"{s.wind[lane, 1]:.0f} m/s, to the {_WINDS[round(towards / 45) % 8]}")


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    land, tally = s.land[lane], s.tally[lane]
    kinds, grounds = (set(np.unique(part).tolist()) for part in (land & 7, land >> 3))
    there = {
        "crew": (s.pos[lane, :, 0] >= 0).any(), "fire": tally[Count.BURNING] > 0, "burnt": Ground.BURNT in grounds,
        "wet": bool(grounds & {Ground.WET, Ground.WET_PEOPLE}), "fire break": Kind.BREAK in kinds,
        "household": _is_home(np.array([*grounds]) << 3).any(), "broken down": (s.crew[lane, :, Crew.DOWN] > 0).any(),
        "bare ground": Kind.BARE in kinds,
    } | {kind.name.lower(): kind in kinds for kind in list(Kind)[Kind.ROAD : Kind.BREAK]}  # fmt: skip
    return {name for name, found in there.items() if found}
