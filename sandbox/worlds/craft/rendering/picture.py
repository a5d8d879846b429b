"""Craft as a picture, in the shapes that all worlds share.

Layers from below: ground, what grows or was built on it, trails, mobs, players, night. Below 5 pixels a cell only
tones and spots are drawn. Lengths are in pixels unless they are named as shares of a cell.
"""

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.draw import mix
from sandbox.engine.kernel import kernel
from sandbox.engine.shapes import (
    AGENTS,
    BOX,
    DETAIL,
    DIAMOND,
    DISC,
    WEDGE,
    between,
    blend,
    draw_bar,
    draw_line,
    draw_shape,
    draw_trails,
    fill_cell,
    palette,
)  # fmt: skip
from sandbox.worlds.craft.dynamics.mobs import daylight
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.state import ITEMS, Body, Kind, Material, Mob, Severity

# Rows of PALETTE; the first thirteen are the grounds by Material
GROUNDS = (
    "#2a2f36", "#5b9bd0", "#a9cf8b", "#a6a8ad", "#d9cfbd", "#ecdfae", "#a9cf8b", "#e8763a", "#a6a8ad", "#a6a8ad",
    "#a6a8ad", "#d9cfbd", "#d9cfbd",
)  # fmt: skip
_MARKS = {
    "leaf": "#3f7d4a", "leaf light": "#5a9c5f", "trunk": "#7a5a3a", "coal": "#33373d", "iron": "#d9a078",
    "diamond": "#cdf3ff", "table": "#8a5a2b", "table top": "#b98046", "furnace": "#5e3640", "fire": "#f5b83d",
    "lava": "#f8c14a",
    "wave": "#86b9e2", "stone": "#8f9299", "cow": "#6b4a3a", "cow spot": "#f3ece2", "zombie": "#7d9a1a",
    "skeleton": "#f0ebe0",
    "dark": shapes.DARK, "white": shapes.WHITE, "plant": "#6cc04a", "ripe": "#e4375e", "night": "#101a3a",
}  # fmt: skip
(
    LEAF, LEAF_LIGHT, TRUNK, COAL, IRON, DIAMOND_INK, TABLE, TABLE_TOP, FURNACE, FIRE, LAVA, WAVE, CRACK, COW, COW_SPOT,
    ZOMBIE, SKELETON, DARK, WHITE, PLANT, RIPE, NIGHT,
) = np.arange(13, 13 + len(_MARKS))  # fmt: skip
PALETTE, PLAYERS = palette(*GROUNDS, *_MARKS.values()), palette(*AGENTS)
BRIGHT = PLAYERS @ np.array([0.299, 0.587, 0.114]) > 145  # (8,) bool: dark marks are visible on it
TURNED = np.array([2, 3, 0, 1])  # Facing to the wedges' order: north, south, west, east
MOB_INK = np.array([0, 0, COW, ZOMBIE, SKELETON, DARK, PLANT])  # by Kind
DIM_AT_MOST = 0.5  # weight of the colour of night at the darkest
LEGEND = (
    ("gatherer", AGENTS[0]), ("grass", GROUNDS[2]), ("tree", _MARKS["leaf"]), ("stone", GROUNDS[3]),
    ("path", GROUNDS[4]), ("water", GROUNDS[1]), ("coal", _MARKS["coal"]), ("iron", _MARKS["iron"]),
    ("table", _MARKS["table"]), ("furnace", _MARKS["furnace"]), ("lava", GROUNDS[7]), ("sand", GROUNDS[5]),
    ("diamond", _MARKS["diamond"]), ("cow", _MARKS["cow"]), ("zombie", _MARKS["zombie"]),
    ("skeleton", _MARKS["skeleton"]), ("plant", _MARKS["plant"]), ("ripe plant", _MARKS["ripe"]),
    ("arrow", _MARKS["dark"]),
)  # fmt: skip
_ITEM = {"wood": "trunk", "stone": "stone", "coal": "coal", "iron": "iron", "diamond": "wave", "sapling": "plant"}
THING_COLOURS = {item: _MARKS[_ITEM[item.name.lower().split("_")[0]]] for item in ITEMS[4:]}  # by Body, of gauges
NEED_COLOURS = {Body.HEALTH: "#d0402b", Body.FOOD: _MARKS["cow"], Body.DRINK: GROUNDS[1], Body.ENERGY: _MARKS["lava"]}


@kernel
def _speck(image, y, x, cell, material, salt):
    """A small mark for the material of a cell."""
    if material == Material.TREE:
        draw_bar(image, y + 0.1 * cell, x - 0.07 * cell, y + 0.44 * cell, x + 0.07 * cell, PALETTE[TRUNK], 1.0)
        draw_shape(image, DISC, y - 0.08 * cell, x, 0.35 * cell, 0.0, PALETTE[LEAF], 1.0)
        draw_shape(image, DISC, y - 0.16 * cell, x - 0.08 * cell, 0.17 * cell, 0.0, PALETTE[LEAF_LIGHT], 0.9)
    elif material == Material.WATER:
        if salt % 3 == 0:
            draw_line(image, y, x - 0.22 * cell, y, x + 0.22 * cell, 0.09 * cell, PALETTE[WAVE], 0.8)
    elif material == Material.STONE:
        if salt % 2 == 0:
            off = (salt // 2 % 5 - 2) * 0.1 * cell
            draw_line(
                image, y + off, x - 0.18 * cell, y + off - 0.1 * cell, x + 0.16 * cell, 0.06 * cell, PALETTE[CRACK], 0.7
            )
    elif material == Material.LAVA:
        wide = 0.12 * cell
        draw_line(image, y + wide, x - 0.25 * cell, y - 0.08 * cell, x + 0.2 * cell, wide, PALETTE[LAVA], 0.9)
    elif material == Material.COAL or material == Material.IRON:
        ink = PALETTE[COAL if material == Material.COAL else IRON]
        draw_shape(image, DISC, y - 0.16 * cell, x - 0.15 * cell, 0.15 * cell, 0.0, ink, 1.0)
        draw_shape(image, DISC, y + 0.14 * cell, x - 0.06 * cell, 0.13 * cell, 0.0, ink, 1.0)
        draw_shape(image, DISC, y - 0.05 * cell, x + 0.2 * cell, 0.14 * cell, 0.0, ink, 1.0)
    elif material == Material.DIAMOND:
        draw_shape(image, DIAMOND, y, x, 0.32 * cell, 0.0, PALETTE[DIAMOND_INK], 1.0)
        draw_shape(image, DIAMOND, y, x, 0.16 * cell, 0.0, PALETTE[WAVE], 1.0)
    elif material == Material.TABLE:
        draw_shape(image, BOX, y, x, 0.42 * cell, 0.0, PALETTE[TABLE], 1.0)
        draw_shape(image, BOX, y, x, 0.3 * cell, 0.0, PALETTE[TABLE_TOP], 1.0)
    elif material == Material.FURNACE:
        draw_shape(image, BOX, y, x, 0.42 * cell, 0.0, PALETTE[FURNACE], 1.0)
        draw_shape(image, DISC, y + 0.1 * cell, x, 0.18 * cell, 0.0, PALETTE[FIRE], 1.0)


@kernel
def _ground(grid, cell, image):
    """The tone of every cell, and its marks."""
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            material = grid[row, col]
            tone = PALETTE[material]
            if cell < DETAIL:
                if material == Material.TREE:
                    tone = PALETTE[LEAF]
                elif material == Material.COAL:
                    tone = PALETTE[COAL]
                elif material == Material.IRON:
                    tone = PALETTE[IRON]
                elif material == Material.DIAMOND:
                    tone = PALETTE[DIAMOND_INK]
                elif material >= Material.TABLE:
                    tone = PALETTE[TABLE]
            fill_cell(image, row * cell, col * cell, cell, tone)
    for row in range(grid.shape[0] if cell >= DETAIL else 0):
        for col in range(grid.shape[1]):
            salt = np.int64(mix(np.uint64(row * 4096 + col)) >> np.uint64(40))
            _speck(image, (row + 0.5) * cell, (col + 0.5) * cell, cell, grid[row, col], salt)


@kernel
def _mob(image, mob, cell):
    """A cow is brown with a spot, a zombie a green block with eyes, a skeleton a pale one, an arrow a line."""
    kind, y, x = mob[Mob.KIND], (mob[Mob.ROW] + 0.5) * cell, (mob[Mob.COL] + 0.5) * cell
    ink = PALETTE[MOB_INK[kind]]
    if cell < DETAIL:
        fill_cell(image, mob[Mob.ROW] * cell, mob[Mob.COL] * cell, cell, ink)
    elif kind == Kind.COW:
        draw_shape(image, DISC, y, x, 0.36 * cell, 0.0, ink, 1.0)
        draw_shape(image, DISC, y - 0.08 * cell, x + 0.1 * cell, 0.15 * cell, 0.0, PALETTE[COW_SPOT], 1.0)
    elif kind == Kind.ARROW:
        side = mob[Mob.FACING]
        down, right = (0.0, 0.0, -1.0, 1.0)[side] * 0.3 * cell, (-1.0, 1.0, 0.0, 0.0)[side] * 0.3 * cell
        draw_line(image, y - down, x - right, y + down, x + right, max(1.0, 0.09 * cell), ink, 1.0)
        draw_shape(image, WEDGE + TURNED[side], y + 0.6 * down, x + 0.6 * right, 0.24 * cell, 0.0, ink, 1.0)
    elif kind == Kind.PLANT:
        draw_shape(image, DISC, y + 0.1 * cell, x - 0.14 * cell, 0.16 * cell, 0.0, PALETTE[LEAF], 1.0)
        draw_shape(image, DISC, y + 0.1 * cell, x + 0.14 * cell, 0.16 * cell, 0.0, PALETTE[LEAF], 1.0)
        ripe = mob[Mob.CLOCK] > RIPE_AT
        draw_shape(image, DISC, y - 0.12 * cell, x, 0.2 * cell, 0.0, PALETTE[RIPE if ripe else PLANT], 1.0)
    else:
        draw_shape(image, BOX, y, x, 0.38 * cell, 0.0, PALETTE[DARK], 1.0)
        draw_shape(image, BOX, y, x, 0.38 * cell - max(0.7, 0.04 * cell), 0.0, ink, 1.0)
        for side in (-1, 1):
            draw_shape(image, DISC, y - 0.08 * cell, x + side * 0.14 * cell, 0.08 * cell, 0.0, PALETTE[DARK], 1.0)


@kernel
def _player(image, y, x, agent, body, cell):
    """A disc in the player's hue with a wedge in its direction; asleep, a closed eye instead."""
    hue, radius = agent % 8, max(0.42 * cell, 2.5)
    draw_shape(image, DISC, y, x, radius + max(1.0, 0.06 * cell), 0.0, PALETTE[WHITE], 1.0)
    draw_shape(image, DISC, y, x, radius, 0.0, PALETTE[DARK], 1.0)
    draw_shape(image, DISC, y, x, radius - max(0.7, 0.04 * cell), 0.0, PLAYERS[hue], 1.0)
    mark = PALETTE[DARK if BRIGHT[hue] else WHITE]
    if cell >= DETAIL:
        if body[Body.SLEEPING]:
            draw_line(image, y, x - 0.2 * cell, y, x + 0.2 * cell, 0.1 * cell, mark, 1.0)
        else:
            draw_shape(image, WEDGE + TURNED[body[Body.FACING]], y, x, 0.8 * radius, 0.0, mark, 1.0)


@kernel
def _night(image, light):
    """Blend in the colour of night, by darkness."""
    alpha = DIM_AT_MOST * (1.0 - light)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            blend(image, y, x, PALETTE[NIGHT], alpha)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    cell, pos = image.shape[0] // s.grid.shape[1], s.pos[lane]
    _ground(s.grid[lane], cell, image)
    for slot in range(s.census[lane]):
        _mob(image, s.mobs[lane, slot], cell)
    _night(image, daylight(s.tick[lane], params.severity[Severity.NIGHT]))
    draw_trails(pos, trail, blend, cell, PLAYERS, image)
    for agent in range(params.agents):
        if pos[agent, 0] >= 0 and s.body[lane, agent, Body.HEALTH] > 0:
            row, col = between(pos, agent, trail, blend)
            _player(image, (row + 0.5) * cell, (col + 0.5) * cell, agent, s.body[lane, agent], cell)
