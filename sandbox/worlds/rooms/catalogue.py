"""The catalogue: what can be bought, and what clients can wish for (``catalogue.toml``)."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from sandbox.core.files import read_toml
from sandbox.worlds.rooms.state import CELL, Room, Thing, Wish


class Entry(NamedTuple):
    """A thing of the catalogue."""

    name: str
    category: str
    style: str
    size: tuple[int, int, int]  # width, depth, height in centimetres


class Catalogue(NamedTuple):
    """The catalogue as names and as arrays."""

    entries: tuple[Entry, ...]
    categories: tuple[str, ...]
    styles: tuple[str, ...]
    thing: np.ndarray  # (K, 10) int32  see Thing
    wants: np.ndarray  # (T, 4) int32   the first columns of Wish


def _cells(length: int) -> int:
    return -(-length // CELL)


def room_name(room: int) -> str:
    """A kind of room in words."""
    return Room(room).name.lower().replace("_", " ")


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the world."""
    read = read_toml(files(__package__).joinpath("catalogue.toml").read_text("utf-8"))
    entries = tuple(Entry(row["name"], row["category"], row["style"], tuple(row["size"])) for row in read["thing"])
    categories, styles = tuple(dict.fromkeys(entry.category for entry in entries)), tuple(read["styles"])
    thing = np.zeros((len(entries), len(Thing)), np.int32)
    for row, given in zip(thing, read["thing"], strict=True):
        row[Thing.CATEGORY], row[Thing.STYLE] = categories.index(given["category"]), styles.index(given["style"])
        row[Thing.WIDTH], row[Thing.DEPTH] = _cells(given["size"][0]), _cells(given["size"][1])
        row[Thing.PRICE], row[Thing.CLEAR] = given["price"], _cells(given.get("clear", 0))
        for column, key in ((Thing.SIDE, "side"), (Thing.WALL, "wall"), (Thing.POWER, "power"),
                            (Thing.DAYLIGHT, "daylight")):  # fmt: skip
            row[column] = given.get(key, False)
    wants = np.zeros((len(read["wish"]), Wish.DAYLIGHT + 1), np.int32)
    rooms = {room_name(room): int(room) for room in Room}
    for row, given in zip(wants, read["wish"], strict=True):
        row[Wish.CATEGORY] = categories.index(given["category"]) + 1
        row[Wish.ROOM], row[Wish.DAYLIGHT] = rooms[given.get("room", "none")], given.get("daylight", False)
    return Catalogue(entries, categories, styles, thing, wants)
