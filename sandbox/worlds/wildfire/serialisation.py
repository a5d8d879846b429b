"""A lane as JSON values and back: ``place(describe(x)) = x``.

``terrain`` has a letter for each cell's kind (``layouts``; ``_`` is a fire break), ``ground`` one for its state:
``.`` fine, ``w`` wet, ``#`` burnt. ``burning`` lists the burning cells, in the order of the list, with their age.
"""

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.core.maps import parse_grid
from sandbox.worlds.wildfire.dynamics.kernels import count_up
from sandbox.worlds.wildfire.dynamics.terrain import dig_wells
from sandbox.worlds.wildfire.state import OLDEST, Count, Crew, Ground, Kind, Params, Report, State

KINDS, GROUNDS = ".=~gbfh_", ".w#"
GALE, TURNS = 100, 3600  # the strongest wind, m/s; degrees
FACING = ("north", "south", "west", "east")
CREW_KEYS = (
    "row", "col", "tanks", "facing", "work", "hurt", "down", "home", "alarm", "report", "report_at", "refused",
)  # fmt: skip
_HOUSEHOLD = (int(Ground.PEOPLE), int(Ground.WET_PEOPLE))


def _crew(s: State, lane: int, i: int) -> dict:
    crew = s.crew[lane, i].tolist()
    return {
        "row": int(s.pos[lane, i, 0]), "col": int(s.pos[lane, i, 1]), "tanks": crew[Crew.TANKS],
        "facing": FACING[crew[Crew.FACING]], "work": crew[Crew.WORK], "hurt": crew[Crew.HURT],
        "down": bool(crew[Crew.DOWN]), "home": crew[Crew.HOME_ROW : Crew.HOME_COL + 1],
        "alarm": crew[Crew.ALARM_ROW : Crew.ALARM_COL + 1], "report": Report(crew[Crew.REPORT]).name.lower(),
        "report_at": crew[Crew.REPORT_ROW : Crew.REPORT_COL + 1], "refused": bool(s.refused[lane, i]),
    }  # fmt: skip


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values. ``buildings`` and ``people`` are the cells with a building, with a household in it."""
    land, tally = s.land[lane], s.tally[lane].tolist()
    kind, ground = land & 7, land >> 3
    burns = ground >= Ground.FIRE
    people = burns & (ground >= Ground.FIRE_PEOPLE) | np.isin(ground, _HOUSEHOLD)
    signs = np.where(ground == Ground.BURNT, 2, ((ground == Ground.WET) | (ground == Ground.WET_PEOPLE)).astype(int))
    listed = tally[Count.BURNING] <= params.longest
    cells = s.fires[lane][: tally[Count.BURNING]] if listed else np.flatnonzero(burns)
    age = np.where(ground >= Ground.FIRE_PEOPLE, ground - np.uint8(Ground.FIRE_PEOPLE), ground - np.uint8(Ground.FIRE))
    return {
        "seed": int(s.seed[lane]),
        "tick": int(s.tick[lane]),
        "terrain": _rows(KINDS, kind),
        "ground": _rows(GROUNDS, signs),
        "people": np.argwhere(people).tolist(),
        "burning": [[int(c) // params.width, int(c) % params.width, int(age.flat[c])] for c in cells],
        "wind": {"towards": float(s.wind[lane, 0]), "speed": float(s.wind[lane, 1])},
        "crews": [_crew(s, lane, i) for i in range(params.agents)],
        "buildings": tally[Count.BUILDINGS],
        "lost": tally[Count.LOST],
        "households": tally[Count.HOUSEHOLDS],
        "perished": tally[Count.PERISHED],
        "rescued": tally[Count.RESCUED],
        "burnt": tally[Count.BURNT],
        "harm": tally[Count.HURT],
        "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }


def _rows(letters: str, codes: np.ndarray) -> list[str]:
    table = np.array([ord(letter) for letter in letters], np.uint8)
    return [row.tobytes().decode() for row in table[codes]]


def _cell(at, params: Params, what: str) -> tuple[int, int]:
    row, col = at
    if not (isinstance(row, int) and isinstance(col, int) and 0 <= row < params.height and 0 <= col < params.width):
        raise UsageError(f"place: {what} at ({row}, {col}): expected a cell of {params.height} x {params.width}")
    return row, col


def _grid(rows, letters: str, params: Params, what: str) -> np.ndarray:
    codes = parse_grid(list(rows), {letter: k for k, letter in enumerate(letters)}, f"place: {what}")
    if codes.shape != (params.height, params.width):
        size = f"{codes.shape[0]} x {codes.shape[1]}"
        raise UsageError(f"place: {what}: {size} cells, expected {params.height} x {params.width}")
    return codes.astype(np.uint8)


def _place_land(s: State, lane: int, params: Params, given: dict) -> None:
    land, ground = _grid(given["terrain"], KINDS, params, "terrain"), _grid(given["ground"], GROUNDS, params, "ground")
    people = {_cell(at, params, "people") for at in given["people"]}
    for at in people:
        if land[at] != Kind.BUILDING or ground[at] == 2:
            raise UsageError(f"place: people at {at}: expected a building that has not burnt out")
    state = np.array([Ground.FINE, Ground.WET, Ground.BURNT], np.uint8)[ground]
    for at in people:
        state[at] += 1  # PEOPLE, WET_PEOPLE
    cells = []
    for row, col, age in given["burning"]:
        at = _cell((row, col), params, "burning")
        if not Kind.GRASS <= land[at] <= Kind.BUILDING or ground[at] or not 1 <= age <= OLDEST:
            raise UsageError(f"place: burning at {at}, age {age}: expected dry fuel and an age of 1..{OLDEST}")
        state[at] = (Ground.FIRE_PEOPLE if at in people else Ground.FIRE) + age
        cells.append(row * params.width + col)
    if len(set(cells)) != len(cells):
        raise UsageError("place: burning: the same cell twice")
    s.land[lane] = land + 8 * state
    count_up(s.land[lane], s.fires[lane], s.tally[lane])
    if len(cells) <= params.longest:
        s.fires[lane, : len(cells)] = cells
    dig_wells(s.land[lane], s.wells[lane])


def _place_crew(s: State, lane: int, params: Params, i: int, given: dict) -> None:
    for key in given:
        if key not in CREW_KEYS:
            raise unknown("key", key, CREW_KEYS, f"place: crews[{i}]")
    row, col = given.get("row"), given.get("col")
    s.pos[lane, i] = (row, col) if row == col == -1 else _cell((row, col), params, f"crews[{i}]")
    for key, known in (("facing", FACING), ("report", [r.name.lower() for r in Report])):
        if given.get(key, known[0]) not in known:
            raise unknown(key, given[key], known, f"place: crews[{i}]")
    tanks = given.get("tanks", params.tanks)
    if not isinstance(tanks, int) or not 0 <= tanks <= params.tanks:
        raise UsageError(f"place: crews[{i}]: tanks {tanks!r}, expected 0..{params.tanks}")
    crew, here = s.crew[lane, i], (row, col)
    crew[Crew.TANKS], crew[Crew.FACING] = tanks, FACING.index(given.get("facing", "north"))
    crew[Crew.WORK], crew[Crew.HURT] = given.get("work", 0), given.get("hurt", 0)
    crew[Crew.DOWN], s.refused[lane, i] = given.get("down", False), given.get("refused", False)
    for key, first in (("home", Crew.HOME_ROW), ("alarm", Crew.ALARM_ROW)):
        at = tuple(given.get(key, here))
        crew[first : first + 2] = at if at == (-1, -1) else _cell(at, params, f"crews[{i}].{key}")
    crew[Crew.REPORT] = Report[given.get("report", "nothing").upper()]
    crew[Crew.REPORT_ROW : Crew.REPORT_COL + 1] = _cell(given.get("report_at", (0, 0)), params, f"crews[{i}].report_at")


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid."""
    if len(given["crews"]) != params.agents:
        raise UsageError(f"place: {len(given['crews'])} crews, expected {params.agents}")
    s.seed[lane], s.tick[lane] = given["seed"], given["tick"]
    s.done[lane], s.reward[lane] = Finish[given["finish"].upper()], given["reward"]
    towards, speed = given["wind"]["towards"], given["wind"]["speed"]
    if not (0 <= speed <= GALE and abs(towards) <= TURNS):
        raise UsageError(f"place: wind {towards}, {speed}: expected degrees, and a speed of 0..{GALE} m/s")
    s.wind[lane] = towards, speed
    _place_land(s, lane, params, given)
    for key in ("lost", "perished", "rescued", "burnt"):
        s.tally[lane, Count[key.upper()]] = given[key]
    s.tally[lane, Count.HURT] = given["harm"]
    s.tally[lane, Count.HOUSEHOLDS] += given["perished"] + given["rescued"]  # beside those still at home
    if not (s.land[lane] & 7 == Kind.BUILDING).any():
        s.tally[lane, Count.BUILDINGS] = given["buildings"]  # a classic forest: its trees at the start
    for i, crew in enumerate(given["crews"]):
        _place_crew(s, lane, params, i, crew)
