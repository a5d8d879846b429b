"""A lane as JSON values and back: ``place(describe(x)) = x``."""

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.core.maps import parse_grid
from sandbox.worlds.craft.dynamics.things import add, count_materials, list_chunk
from sandbox.worlds.craft.layouts import MATERIALS, SYMBOLS
from sandbox.worlds.craft.state import ITEMS, Achievement, Body, Chunk, Facing, Kind, Mob, Params, State

COUNTERS = ("hunger", "thirst", "fatigue", "recover", "felt", "paid")
DEFAULTS = {"cow": 3, "zombie": 5, "skeleton": 3, "arrow": 0, "plant": 1}
PLAYER = ("row", "col", "facing", "sleeping", *COUNTERS, "inventory", "achievements", "refused", "reward")
MOB = ("kind", "row", "col", "health", "facing", "clock")


def _player(s: State, lane: int, i: int) -> dict:
    body = s.body[lane, i]
    return {
        "row": int(s.pos[lane, i, 0]), "col": int(s.pos[lane, i, 1]),
        "facing": Facing(body[Body.FACING]).name.lower(), "sleeping": bool(body[Body.SLEEPING]),
        **{name: int(body[Body[name.upper()]]) for name in COUNTERS},
        "inventory": {item.name.lower(): int(body[item]) for item in ITEMS},
        "achievements": {a.name.lower(): int(s.achieved[lane, i, a]) for a in Achievement if s.achieved[lane, i, a]},
        "refused": bool(s.refused[lane, i]), "reward": float(s.reward[lane, i]),
    }  # fmt: skip


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values. ``layouts`` has the symbols of the terrain; ``chunks`` are listed in crafter's order."""
    used, chunks = s.census[lane], s.chunks[lane, :, Chunk.ORDER]
    return {
        "seed": int(s.seed[lane]),
        "tick": int(s.tick[lane]),
        "terrain": ["".join(SYMBOLS[cell] for cell in row) for row in s.grid[lane].tolist()],
        "players": [_player(s, lane, i) for i in range(params.agents)],
        "mobs": [
            {
                "kind": Kind(mob[Mob.KIND]).name.lower(), "row": mob[Mob.ROW], "col": mob[Mob.COL],
                "health": mob[Mob.HEALTH], "facing": Facing(mob[Mob.FACING]).name.lower(), "clock": mob[Mob.CLOCK],
            }
            for mob in s.mobs[lane, :used].tolist()
        ],
        "chunks": chunks[chunks >= 0].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }  # fmt: skip


def _cell(row, col, params: Params, what: str) -> tuple[int, int]:
    height, width = params.plan.shape
    whole = isinstance(row, int) and isinstance(col, int)
    if not whole or not (0 <= row < height and 0 <= col < width):
        raise UsageError(f"place: {what} at ({row}, {col}): expected a cell of {height} x {width}")
    return row, col


def _known(given: dict, keys, where: str) -> None:
    for key in given:
        if key not in keys:
            raise unknown("key", key, keys, where)


def _named(kind: type, name, what: str, where: str):
    if str(name).upper() not in kind.__members__:
        raise unknown(what, name, [member.name.lower() for member in kind], where)
    return kind[str(name).upper()]


def _place_player(s: State, lane: int, params: Params, i: int, given: dict) -> None:
    where = f"place: players[{i}]"
    _known(given, PLAYER, where)
    row, col = given.get("row"), given.get("col")
    if (row, col) != (-1, -1):
        _cell(row, col, params, f"players[{i}]")
    body = s.body[lane, i]
    body[:] = 0
    inventory = given.get("inventory", {})
    _known(inventory, [item.name.lower() for item in ITEMS], f"{where}.inventory")
    for item in ITEMS:
        amount = inventory.get(item.name.lower(), 9 if item <= Body.ENERGY else 0)
        if not isinstance(amount, int) or not 0 <= amount <= 9:
            raise UsageError(f"{where}.inventory.{item.name.lower()}: {amount!r}, expected 0..9")
        body[item] = amount
    for name in COUNTERS:
        body[Body[name.upper()]] = given.get(name, body[Body.HEALTH] if name in ("felt", "paid") else 0)
    body[Body.FACING] = _named(Facing, given.get("facing", "down"), "facing", where)
    body[Body.SLEEPING] = given.get("sleeping", False)
    s.achieved[lane, i] = 0
    for name, count in given.get("achievements", {}).items():
        s.achieved[lane, i, _named(Achievement, name, "achievement", where)] = count
    body[Body.UNLOCKED] = (s.achieved[lane, i] > 0).sum()
    s.pos[lane, i] = row, col
    s.refused[lane, i], s.reward[lane, i] = given.get("refused", False), given.get("reward", 0)
    if row >= 0 and body[Body.HEALTH] > 0:
        if s.object_at[lane, row, col]:
            raise UsageError(
                f"place: players[{i}] at ({row}, {col}): players[{s.object_at[lane, row, col] - 1}] is there"
            )
        s.object_at[lane, row, col] = i + 1


def _place_mob(s: State, lane: int, params: Params, i: int, given: dict) -> None:
    where = f"place: mobs[{i}]"
    _known(given, MOB, where)
    name = str(given.get("kind"))
    if name not in DEFAULTS:
        raise unknown("kind", name, DEFAULTS, where)
    row, col = _cell(given.get("row"), given.get("col"), params, f"mobs[{i}]")
    if s.object_at[lane, row, col]:
        raise UsageError(f"{where} at ({row}, {col}): something is there already")
    facing = _named(Facing, given.get("facing", "left"), "facing", where)
    add(s, lane, int(Kind[name.upper()]), row, col, given.get("health", DEFAULTS[name]), int(facing))
    s.mobs[lane, i, Mob.CLOCK] = given.get("clock", 0)


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid. Occupied chunks are always listed."""
    if len(given["players"]) != params.agents:
        raise UsageError(f"place: {len(given['players'])} players, expected {params.agents}")
    if len(given["mobs"]) > params.most_mobs:
        raise UsageError(f"place: {len(given['mobs'])} mobs, expected {params.most_mobs} at most")
    grid = parse_grid(list(given["terrain"]), MATERIALS, "place: terrain")
    if grid.shape != params.plan.shape:
        raise UsageError(f"place: terrain of {grid.shape[0]} x {grid.shape[1]}, expected {params.plan.shape}")
    s.seed[lane], s.tick[lane], s.done[lane] = given["seed"], given["tick"], Finish[given["finish"].upper()]
    s.grid[lane], s.object_at[lane], s.mobs[lane], s.census[lane] = grid, 0, 0, 0
    count_materials(s.grid[lane], s.chunks[lane])
    for chunk in given["chunks"]:
        if not isinstance(chunk, int) or not 0 <= chunk < s.chunks.shape[1]:
            raise UsageError(f"place: chunks: {chunk!r}, expected a number of 0..{s.chunks.shape[1] - 1}")
        list_chunk(s.chunks[lane], chunk)
    for i, player in enumerate(given["players"]):
        _place_player(s, lane, params, i, player)
    for i, mob in enumerate(given["mobs"]):
        _place_mob(s, lane, params, i, mob)


assert set(DEFAULTS) == {kind.name.lower() for kind in Kind} - {"none", "player", "ripe"}
