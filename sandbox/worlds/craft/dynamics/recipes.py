"""The recipes of crafter 1.8.3 as data, and as the arrays that kernels read."""

import numpy as np

from sandbox.worlds.craft.state import Achievement, Body, Material, Verb

# material: required item, received item, chance, remaining material
COLLECT = {
    "tree": (None, "wood", 1.0, "grass"),
    "stone": ("wood_pickaxe", "stone", 1.0, "path"),
    "coal": ("wood_pickaxe", "coal", 1.0, "path"),
    "iron": ("stone_pickaxe", "iron", 1.0, "path"),
    "diamond": ("iron_pickaxe", "diamond", 1.0, "path"),
    "water": (None, "drink", 1.0, "water"),
    "grass": (None, "sapling", 0.1, "grass"),
}
# placed thing: used items, and grounds on which it can be placed
PLACE = {
    "stone": ({"stone": 1}, ("grass", "sand", "path", "water", "lava")),
    "table": ({"wood": 2}, ("grass", "sand", "path")),
    "furnace": ({"stone": 4}, ("grass", "sand", "path")),
    "plant": ({"sapling": 1}, ("grass",)),
}
# made item: used items, and things that must be near
MAKE = {
    "wood_pickaxe": ({"wood": 1}, ("table",)),
    "stone_pickaxe": ({"wood": 1, "stone": 1}, ("table",)),
    "iron_pickaxe": ({"wood": 1, "coal": 1, "iron": 1}, ("table", "furnace")),
    "wood_sword": ({"wood": 1}, ("table",)),
    "stone_sword": ({"wood": 1, "stone": 1}, ("table",)),
    "iron_sword": ({"wood": 1, "coal": 1, "iron": 1}, ("table", "furnace")),
}
WALKABLE = ("grass", "path", "sand")


def _material(name: str) -> int:
    return int(Material[name.upper()])


def _item(name: str) -> int:
    return int(Body[name.upper()])


def _walkable(*more: str) -> np.ndarray:
    table = np.zeros(len(Material), np.bool_)
    table[[_material(name) for name in WALKABLE + more]] = True
    return table


WALKS = _walkable()  # (13,) bool: cows, zombies, skeletons
ENTERS = _walkable("lava")  # players: they can walk into lava, and die
FLIES = _walkable("water", "lava")  # arrows

REQUIRES = np.full(len(Material), -1, np.int32)  # (13,) item that collecting needs; -1 none
RECEIVES = np.full(len(Material), -1, np.int32)  # (13,) item that collecting gives; -1: cannot be collected
CHANCE = np.zeros(len(Material))  # (13,)
LEAVES = np.zeros(len(Material), np.int8)  # (13,) material that is left
COLLECTED = np.zeros(len(Material), np.int32)  # (13,) achievement
for _name, (_require, _receive, _chance, _leave) in COLLECT.items():
    _m = _material(_name)
    REQUIRES[_m] = -1 if _require is None else _item(_require)
    RECEIVES[_m], CHANCE[_m], LEAVES[_m] = _item(_receive), _chance, _material(_leave)
    COLLECTED[_m] = Achievement[f"COLLECT_{_receive.upper()}"]

USES = np.zeros((len(Verb), 3, 2), np.int32)  # items used and how many of each; 0: no item
STANDS_ON = np.zeros((len(Verb), len(Material)), np.bool_)
NEARBY = np.zeros((len(Verb), 2), np.bool_)  # needs a table, a furnace
MADE = np.zeros(len(Verb), np.int32)  # item that making gives
REACHED = np.zeros(len(Verb), np.int32)  # achievement of placing and making
for _verb in Verb:
    _word, _, _what = _verb.name.lower().partition("_")
    if _word in ("place", "make"):
        _uses, _where = (PLACE if _word == "place" else MAKE)[_what]
        for _k, (_name, _amount) in enumerate(_uses.items()):
            USES[_verb, _k] = _item(_name), _amount
        REACHED[_verb] = Achievement[_verb.name]
        if _word == "place":
            STANDS_ON[_verb, [_material(name) for name in _where]] = True
        else:
            NEARBY[_verb], MADE[_verb] = ("table" in _where, "furnace" in _where), _item(_what)
