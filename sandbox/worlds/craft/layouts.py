"""Maps: crafter's generator, or a drawn map. Errors name line and column."""

from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.files import explained
from sandbox.core.maps import parse_grid, read_layout
from sandbox.worlds.craft.state import CHUNK, Kind, Material

NAMES = ("crafter",)
EXPECTED = "a map of craft, with a character for each cell"
SYMBOLS = {
    Material.UNKNOWN: "?", Material.WATER: "~", Material.GRASS: ".", Material.STONE: "#", Material.PATH: ",",
    Material.SAND: ":", Material.TREE: "T", Material.LAVA: "!", Material.COAL: "c", Material.IRON: "i",
    Material.DIAMOND: "d", Material.TABLE: "t", Material.FURNACE: "f",
}  # fmt: skip
MATERIALS = {symbol: int(material) for material, symbol in SYMBOLS.items()}
# on a drawn map: things, and the material below each
NATIVES = {
    "@": (Kind.PLAYER, Material.GRASS), "C": (Kind.COW, Material.GRASS), "Z": (Kind.ZOMBIE, Material.GRASS),
    "K": (Kind.SKELETON, Material.PATH), "P": (Kind.PLANT, Material.GRASS),
}  # fmt: skip


class Layout(NamedTuple):
    """A map in the form of ``Params``."""

    plan: np.ndarray  # (H, W) int8      all UNKNOWN: to be generated
    starts: np.ndarray  # (S, 2) int32
    natives: np.ndarray  # (K, 3) int32    kind, row, column


def load(layout: str, size: int) -> Layout:
    """``crafter``: a map of ``size`` x ``size`` is generated for each seed; else a path, or the map as text."""
    nobody, nothing = np.zeros((0, 2), np.int32), np.zeros((0, 3), np.int32)
    if layout in NAMES:
        return Layout(np.zeros((size, size), np.int8), nobody, nothing)
    text, where = read_layout(layout, NAMES, "world 'craft'")
    with explained(text, where, EXPECTED):
        return _parse(text, where)


def _parse(text: str, where: str) -> Layout:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    kinds = {symbol: number for symbol, number in MATERIALS.items() if number} | {
        symbol: 64 + k for k, symbol in enumerate(NATIVES)
    }
    plan = parse_grid(lines, kinds, where)
    if max(plan.shape) > 128 or min(plan.shape) < CHUNK:
        raise UsageError(f"{where}: a map of {plan.shape[0]} x {plan.shape[1]}; expected {CHUNK} to 128 cells a side")
    found = {}
    for k, (kind, ground) in enumerate(NATIVES.values()):
        found[kind] = np.argwhere(plan == 64 + k).astype(np.int32)
        plan[plan == 64 + k] = ground
    things = [(kind, *cell) for kind, cells in found.items() if kind != Kind.PLAYER for cell in cells.tolist()]
    natives = np.array(sorted(things, key=lambda thing: (thing[2], thing[1])), np.int32).reshape(-1, 3)
    return Layout(plan, np.ascontiguousarray(found[Kind.PLAYER]), natives)
