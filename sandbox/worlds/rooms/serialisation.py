"""A lane as JSON values, and back."""

from typing import Any

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.core.plain import whole
from sandbox.engine.kernel import twin
from sandbox.worlds.rooms.catalogue import catalogue, room_name
from sandbox.worlds.rooms.dynamics.geometry import extent, survey
from sandbox.worlds.rooms.rendering.text import FACES
from sandbox.worlds.rooms.state import ITEMS, SLOTS, Cell, Deal, Params, Room, State, Wish

MOST = 1_000_000  # euros
ROOMS = [room_name(room) for room in Room]
ANY = "any"


def _wish(wish: np.ndarray) -> dict:
    category, room, style, daylight, told = wish.tolist()
    return {
        "category": catalogue().categories[category - 1], "room": ROOMS[room] if room else ANY,
        "style": catalogue().styles[style - 1] if style else ANY, "daylight": bool(daylight), "told": bool(told),
    }  # fmt: skip


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values. Rows and columns count from 0; an item is placed by its north-western cell."""
    names = [entry.name for entry in catalogue().entries]
    items = [
        {"thing": names[thing - 1], "row": row, "col": col, "faces": FACES[turn]} if thing else None
        for thing, row, col, turn in s.item[lane].tolist()
    ]  # fmt: skip
    while items and items[-1] is None:
        items.pop()
    return {
        "seed": int(s.seed[lane]), "tick": int(s.tick[lane]),
        "pencil": {"row": int(s.pos[lane, 0, 0]), "col": int(s.pos[lane, 0, 1]), "faces": FACES[s.turn[lane]]},
        "items": [item or {"thing": "nothing", "row": -1, "col": -1, "faces": FACES[0]} for item in items],
        "wishes": [_wish(wish) for wish in s.wish[lane, : params.wishes]],
        "prices": {name: abs(int(price)) for name, price in zip(names, s.price[lane], strict=True)},
        "out_of_stock": [name for name, price in zip(names, s.price[lane], strict=True) if price < 0],
        "pillars": np.argwhere(s.grid[lane] == Cell.PILLAR).tolist(),
        "deal": {column.name.lower(): int(s.deal[lane, column]) for column in Deal},
        "refused": s.refused[lane].tolist(), "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }  # fmt: skip


# -- back


def _index(name: Any, known: Any, kind: str, where: str) -> int:
    if name not in [*known]:
        raise unknown(kind, name, known, f"place: {where}")
    return [*known].index(name)


def _place_items(s: State, lane: int, params: Params, given: list) -> None:
    """Each on floor that no door needs, or on a pillar that came later; no two in one cell."""
    names, taken = [entry.name for entry in catalogue().entries], np.zeros(params.plan.shape, bool)
    if len(given) > ITEMS:
        raise UsageError(f"place: {len(given)} items, expected at most {ITEMS}")
    s.item[lane] = 0
    for k, item in enumerate(given):
        where = f"items[{k}]"
        if item["thing"] == "nothing":
            continue
        thing, turn = _index(item["thing"], names, "thing", where), _index(item["faces"], FACES, "side", where)
        row, col = (whole(item[key], f"place: {where}.{key}", 0, SLOTS) for key in ("row", "col"))
        rows, cols = twin(extent)(params, thing, turn)
        part = slice(row, row + rows), slice(col, col + cols)
        free = (params.plan[part] == Cell.FLOOR) & (params.kept[part] == 0) & ~taken[part]
        if free.shape != (rows, cols) or not free.all():
            raise UsageError(f"place: {where}: {item['thing']} at ({row}, {col}): expected free floor, {rows} x {cols}")
        taken[part] = True
        s.item[lane, k] = thing + 1, row, col, turn


def _place_wishes(s: State, lane: int, params: Params, given: list) -> None:
    if len(given) != params.wishes:
        raise UsageError(f"place: {len(given)} wishes, expected {params.wishes}")
    s.wish[lane] = 0
    for k, wish in enumerate(given):
        where = f"wishes[{k}]"
        row = s.wish[lane, k]
        row[Wish.CATEGORY] = _index(wish["category"], catalogue().categories, "category", where) + 1
        row[Wish.ROOM] = _index(wish["room"], [ANY, *ROOMS[1:]], "room", where)
        row[Wish.STYLE] = _index(wish["style"], [ANY, *catalogue().styles], "style", where)
        row[Wish.DAYLIGHT], row[Wish.TOLD] = bool(wish["daylight"]), bool(wish["told"])
    categories = s.wish[lane, : params.wishes, Wish.CATEGORY].tolist()
    if len(set(categories)) < len(categories):
        raise UsageError("place: wishes: two of one category; expected each once")


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid."""
    height, width = params.plan.shape
    s.seed[lane], s.tick[lane] = given["seed"], given["tick"]
    pencil, s.pos[lane] = given["pencil"], -1
    s.pos[lane, 0, 0] = whole(pencil["row"], "place: pencil.row", 0, height - 1)
    s.pos[lane, 0, 1] = whole(pencil["col"], "place: pencil.col", 0, width - 1)
    s.turn[lane] = _index(pencil["faces"], FACES, "side", "pencil")
    s.grid[lane] = params.plan
    for k, (row, col) in enumerate(given["pillars"]):
        inside = 0 <= row < height and 0 <= col < width
        if not inside or params.plan[row, col] != Cell.FLOOR:
            raise UsageError(f"place: pillars[{k}] at ({row}, {col}): expected a cell of floor")
        s.grid[lane, row, col] = Cell.PILLAR
    _place_items(s, lane, params, given["items"])
    _place_wishes(s, lane, params, given["wishes"])
    for k, entry in enumerate(catalogue().entries):
        price = whole(given["prices"][entry.name], f"place: prices.{entry.name}", 1, MOST)
        s.price[lane, k] = -price if entry.name in given["out_of_stock"] else price
    for column in Deal:
        most = {Deal.ASKED: params.wishes, Deal.REVISIONS: MOST, Deal.BUDGET: MOST}.get(column, 1)
        key = column.name.lower()
        s.deal[lane, column] = whole(given["deal"][key], f"place: deal.{key}", 0, most)
    s.refused[lane], s.reward[lane] = given["refused"], given["reward"]
    s.done[lane] = Finish[given["finish"].upper()]
    survey(
        s.grid[lane], s.item[lane], s.price[lane], s.wish[lane], s.cover[lane], s.reach[lane], s.flaw[lane],
        s.tally[lane], params,
    )  # fmt: skip
