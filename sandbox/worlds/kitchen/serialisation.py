"""A lane as JSON values and back: ``place(describe(x)) = x``; and the first state of a layout."""

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.worlds.kitchen.dynamics.orders import INGREDIENTS, LONGEST
from sandbox.worlds.kitchen.layouts import Layout, facing_of
from sandbox.worlds.kitchen.state import Cell, Params, Pot, State, Thing, Verb

PLAYER_KEYS = ("row", "col", "facing", "holding", "refused", "sparse", "shaped")
OBJECT_KEYS = ("row", "col", "name", "ingredients")
POT_KEYS = ("row", "col", "ingredients", "cooking_ticks", "extra_ticks", "ready")
FACINGS = [Verb(k).name.lower() for k in range(4)]
PLAIN = {"onion": Thing.ONION, "tomato": Thing.TOMATO, "dish": Thing.DISH}
NAMES = {code: name for name, code in PLAIN.items()}


def ingredients(mix: int) -> list[str]:
    """The ingredients of a mix, onions first."""
    return ["onion"] * (mix % 4) + ["tomato"] * (mix // 4)


def thing_words(code: int):
    """A thing as a JSON value: None, "onion", "tomato", "dish", or {"name": "soup", "ingredients": [...]}."""
    if code >= Thing.SOUP:
        return {"name": "soup", "ingredients": ingredients(code - Thing.SOUP)}
    return NAMES.get(code)


def _mix(given, params: Params, what: str) -> int:
    good = isinstance(given, list | tuple) and len(given) <= params.most and all(name in INGREDIENTS for name in given)
    if not good:
        expected = f"a list of at most {params.most} of {', '.join(INGREDIENTS)}"
        raise UsageError(f"place: {what}: ingredients {given!r}, expected {expected}")
    return sum(4 if name == "tomato" else 1 for name in given)


def _thing(given, params: Params, what: str) -> int:
    """The inverse of ``thing_words``."""
    if given is None:
        return Thing.NOTHING
    name = given.get("name") if isinstance(given, dict) else given
    if name == "soup" and isinstance(given, dict) and given.get("ingredients"):
        return Thing.SOUP + _mix(given["ingredients"], params, what)
    if name == "soup":
        raise UsageError(
            f"place: {what}: a soup without ingredients; expected {{'name': 'soup', 'ingredients': [...]}}"
        )
    if name not in PLAIN:
        raise unknown("thing", name, [*PLAIN, "soup"], f"place: {what}")
    return PLAIN[name]


def _check_keys(given: dict, known: tuple, what: str) -> None:
    for key in given:
        if key not in known:
            raise unknown("key", key, known, f"place: {what}")


def _cell(given: dict, params: Params, kind: Cell, what: str) -> tuple[int, int]:
    """Row and column, checked to be a cell of one kind."""
    height, width = params.plan.shape
    row, col = given.get("row"), given.get("col")
    whole = isinstance(row, int) and isinstance(col, int) and 0 <= row < height and 0 <= col < width
    if not whole or params.plan[row, col] != kind:
        raise UsageError(f"place: {what} at ({row}, {col}): expected a {kind.name.lower()} cell of {height} x {width}")
    return row, col


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values. Rows and columns count from 0; ``cooking_ticks`` is -1 before cooking begins."""
    width = params.plan.shape[1]
    players = [
        {
            "row": int(s.pos[lane, i, 0]), "col": int(s.pos[lane, i, 1]), "facing": FACINGS[s.facing[lane, i]],
            "holding": thing_words(int(s.holding[lane, i])), "refused": bool(s.refused[lane, i]),
            "sparse": float(s.sparse[lane, i]), "shaped": float(s.shaped[lane, i]),
        }
        for i in range(params.agents)
    ]  # fmt: skip
    objects = []
    for row, col in np.argwhere(s.items[lane] != Thing.NOTHING).tolist():
        words = thing_words(int(s.items[lane, row, col]))
        objects.append({"row": row, "col": col, **(words if isinstance(words, dict) else {"name": words})})
    pots = []
    for cell, pot in zip(params.pot_cell.tolist(), s.pots[lane], strict=True):
        mix, ticks, extra = int(pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]), int(pot[Pot.TICKS]), int(pot[Pot.EXTRA])
        pots.append({
            "row": cell // width, "col": cell % width, "ingredients": ingredients(mix), "cooking_ticks": ticks,
            "extra_ticks": extra, "ready": ticks >= 0 and ticks >= int(params.cook_time[mix]) + extra,
        })  # fmt: skip
    return {
        "seed": int(s.seed[lane]),
        "tick": int(s.tick[lane]),
        "players": players,
        "objects": objects,
        "pots": pots,
        "served": int(s.served[lane]),
        "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }


def _place_player(s: State, lane: int, params: Params, i: int, given: dict) -> None:
    what = f"players[{i}]"
    _check_keys(given, PLAYER_KEYS, what)
    cell = _cell(given, params, Cell.FLOOR, what)
    for other in range(i):
        if tuple(s.pos[lane, other]) == cell:
            raise UsageError(f"place: {what} at {cell}: players[{other}] is there")
    facing = given.get("facing", "north")
    if facing not in FACINGS:
        raise unknown("facing", facing, FACINGS, f"place: {what}")
    s.pos[lane, i], s.facing[lane, i] = cell, FACINGS.index(facing)
    s.holding[lane, i] = _thing(given.get("holding"), params, what)
    s.refused[lane, i] = given.get("refused", False)
    s.sparse[lane, i], s.shaped[lane, i] = given.get("sparse", 0), given.get("shaped", 0)


def _place_pot(s: State, lane: int, params: Params, given: dict) -> None:
    """Write one pot. Without ``cooking_ticks``, a pot that is ``ready`` became so just now; any other does not cook."""
    _check_keys(given, POT_KEYS, "pots")
    row, col = _cell(given, params, Cell.POT, "pot")
    what = f"pot at ({row}, {col})"
    mix, extra = _mix(given.get("ingredients", []), params, what), given.get("extra_ticks", 0)
    full = int(params.cook_time[mix]) + extra
    ticks = given.get("cooking_ticks", full if given.get("ready") else -1)
    if not -1 <= ticks <= full or (ticks >= 0 and mix == 0) or extra < 0:
        raise UsageError(f"place: {what}: cooking_ticks {ticks}, expected -1, or 0..{full} with something in it")
    if given.get("ready", ticks == full) != (ticks == full):
        raise UsageError(f"place: {what}: ready {given['ready']} with cooking_ticks {ticks}; it takes {full}")
    s.pots[lane, params.pot_at[row, col]] = mix % 4, mix // 4, ticks, extra


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; counters and pots that it omits are empty. UsageError if it is invalid."""
    if len(given["players"]) != params.agents:
        raise UsageError(f"place: {len(given['players'])} players, expected {params.agents}")
    s.seed[lane], s.tick[lane], s.served[lane] = given["seed"], given["tick"], given["served"]
    s.done[lane], s.reward[lane] = Finish[given["finish"].upper()], given["reward"]
    for i, player in enumerate(given["players"]):
        _place_player(s, lane, params, i, player)
    s.items[lane] = Thing.NOTHING
    for thing in given["objects"]:
        _check_keys(thing, OBJECT_KEYS, "objects")
        row, col = _cell(thing, params, Cell.COUNTER, f"object {thing.get('name')!r}")
        if s.items[lane, row, col]:
            raise UsageError(f"place: two objects at ({row}, {col}); expected one on a counter")
        s.items[lane, row, col] = _thing(thing, params, f"objects at ({row}, {col})")
    s.pots[lane] = 0, 0, -1, 0
    for pot in given["pots"]:
        _place_pot(s, lane, params, pot)


def first(layout: Layout, agents: int, pot_at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cooks (N, 4), counters (H, W), pots (P, 4) int32 at the start: empty, or start_state of a ``.layout`` file."""
    cooks = np.zeros((agents, 4), np.int32)
    cooks[:, :2] = layout.starts[:agents]
    items = np.zeros(layout.plan.shape, np.int32)
    pots = np.tile(np.array([0, 0, -1, 0], np.int32), (pot_at.max() + 1, 1))
    state = layout.given.get("start_state") or {}
    try:
        for cook, player in zip(cooks, state.get("players", ()), strict=False):
            row, col = _peer_cell(player["position"], layout.plan)
            cook[:] = row, col, facing_of(player["orientation"]), _peer_thing(player["held_object"])
            if layout.plan[row, col] != Cell.FLOOR:
                raise ValueError(f"a player at {player['position']} is not on the floor")
        for thing in state.get("objects", ()):
            row, col = _peer_cell(thing["position"], layout.plan)
            code = _peer_thing(thing)
            if pot_at[row, col] >= 0:
                mix, ticks = code - Thing.SOUP, thing["_cooking_tick"]
                if mix <= 0 or not isinstance(ticks, int) or not -1 <= ticks <= LONGEST:
                    raise ValueError(f"a pot at {thing['position']} with {thing!r}")
                pots[pot_at[row, col]] = mix % 4, mix // 4, ticks, 0
            elif layout.plan[row, col] == Cell.COUNTER:
                items[row, col] = code
            else:
                raise ValueError(f"an object at {thing['position']} is neither on a counter nor in a pot")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"{layout.where}: start_state: {error!r}; expected overcooked-ai's own form") from None
    return cooks, items, pots


def _peer_cell(position, plan: np.ndarray) -> tuple[int, int]:
    """Row and column of overcooked-ai's (x, y)."""
    col, row = position
    if not (isinstance(row, int) and isinstance(col, int) and 0 <= row < plan.shape[0] and 0 <= col < plan.shape[1]):
        raise ValueError(f"({col}, {row}) is outside")
    return row, col


def _peer_thing(given: dict | None) -> int:
    """A thing in the form of overcooked-ai's ``to_dict``."""
    if given is None:
        return Thing.NOTHING
    if given["name"] == "soup":
        names = [part["name"] for part in given["_ingredients"]]
        if not 0 < len(names) <= 3 or {*names} - {*INGREDIENTS}:
            raise ValueError(f"a soup of {names}")
        return Thing.SOUP + sum(4 if name == "tomato" else 1 for name in names)
    return PLAIN[given["name"]]
