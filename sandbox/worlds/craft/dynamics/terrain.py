"""Generated maps, as crafter's ``worldgen``: noise of several scales, thresholds, tunnels, a clearing for players."""

from math import exp, sqrt

import numpy as np

from sandbox.engine.draw import draw, uniform
from sandbox.engine.kernel import allocating, kernel
from sandbox.worlds.craft.dynamics.mobs import COW_HEALTH, SKELETON_HEALTH, ZOMBIE_HEALTH
from sandbox.worlds.craft.dynamics.noise import POINTS, noise
from sandbox.worlds.craft.dynamics.recipes import WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW, add
from sandbox.worlds.craft.state import Kind, Material, Stream

ATTEMPTS = 500  # maps that are tried until one has what the goal needs
CLEARING = 16.0  # cells from the centre beyond which the clearing has no effect: sigmoid(4 - 16 + 2) < 5e-5
_ONE = np.uint64(1)
# Plain numbers of Material, so that one kernel returns one type
(WATER, GRASS, STONE, PATH, SAND, TREE, LAVA, COAL, IRON, DIAMOND) = np.arange(1, 11).astype(np.int8)
TUNNEL = np.int8(-PATH)  # a path in a tunnel, where skeletons live; marked only while a map is made


@kernel
def _rock(key, dice, cell, x, y, mountain, terms):
    """The material of a cell in the mountains: caves, tunnels, ores, lava, stone."""
    if mountain > 0.3 and noise(key, x / 7, y / 7, 6.0, terms) > 0.15:
        return PATH
    if noise(key, 2 * x / 3, y / 15, 7.0, terms) > 0.4 or noise(key, x / 15, 2 * y / 3, 7.0, terms) > 0.4:
        return TUNNEL
    if uniform(dice, 0, Stream.TERRAIN, 4 * cell) > 0.85 and noise(key, x / 8, y / 8, 1.0, terms) > 0:
        return COAL
    if uniform(dice, 0, Stream.TERRAIN, 4 * cell + 1) > 0.75 and noise(key, x / 6, y / 6, 2.0, terms) > 0.4:
        return IRON
    if mountain > 0.18 and uniform(dice, 0, Stream.TERRAIN, 4 * cell + 2) > 0.994:
        return DIAMOND
    if mountain > 0.3 and noise(key, x / 5, y / 5, 6.0, terms) > 0.35:
        return LAVA
    return STONE


@kernel
def _ground(key, dice, cell, x, y, off, terms):
    """The material of one cell, ``off`` cells from the centre."""
    start = 4.0 - off
    if off < CLEARING:
        start += 2 * noise(key, x / 3, y / 3, 8.0, terms)
    start = 1 / (1 + exp(-start))
    if start > 0.5:
        return GRASS
    water = noise(key, x / 15, y / 15, 3.0, terms) + 0.15 * noise(key, x / 5, y / 5, 3.0, terms) + 0.1 - 2 * start
    mountain = (noise(key, x / 15, y / 15, 0.0, terms) + 0.3 * noise(key, x / 5, y / 5, 0.0, terms)) / 1.3
    mountain -= 4 * start + 0.3 * water
    if mountain > 0.15:
        return _rock(key, dice, cell, x, y, mountain, terms)
    if 0.25 < water <= 0.35 and noise(key, x / 9, y / 9, 4.0, terms) > -0.2:
        return SAND
    if water > 0.3:
        return WATER
    if uniform(dice, 0, Stream.TERRAIN, 4 * cell + 3) > 0.8 and noise(key, x / 7, y / 7, 5.0, terms) > 0:
        return TREE
    return GRASS


@allocating
def raise_land(grid, seed, attempt):
    """Fill a map (H, W) int8 with Material; paths in tunnels are ``TUNNEL``."""
    (height, width), terms = grid.shape, np.empty(POINTS)
    dice = draw(seed, attempt, Stream.NOISE, 0)
    key = draw(dice, 0, Stream.NOISE, 1)
    for row in range(height):
        for col in range(width):
            down, right = row - height // 2, col - width // 2
            off = sqrt(float(down * down + right * right))
            grid[row, col] = _ground(key, dice, row * width + col, float(col), float(row), off, terms)


@allocating
def holds(grid, needed):
    """Whether enough cells of each needed material can be reached: trees and water on foot, others by digging."""
    height, width = grid.shape
    stack, seen = np.empty(grid.size, np.int32), np.zeros((height, width), np.int8)
    found = np.zeros(len(needed), np.int32)
    for digging in range(2):
        count = 1
        stack[0] = height // 2 * width + width // 2
        seen[height // 2, width // 2] = 2 * digging + 1
        while count:
            count -= 1
            at_row, at_col = stack[count] // width, stack[count] % width
            for side in range(4):
                row, col = at_row + DROW[side], at_col + DCOL[side]
                if row < 0 or col < 0 or row >= height or col >= width or seen[row, col] > 2 * digging:
                    continue
                material = abs(grid[row, col])
                by_hand = material <= GRASS or material == TREE
                if seen[row, col] != 2 and by_hand != (digging == 1):
                    found[material] += 1
                passes = WALKS[material] or (digging and material != WATER and material != LAVA)
                seen[row, col] = 2 * digging + 1 if passes else 2 * digging + 2
                if passes:
                    stack[count] = row * width + col
                    count += 1
    for material in range(len(needed)):
        if found[material] < needed[material]:
            return False
    return True


@kernel
def generate(grid, seed, needed, plain):
    """The first map of the seed that has what is needed in reach; ``plain``: nothing is needed."""
    for attempt in range(ATTEMPTS):
        raise_land(grid, seed, attempt)
        if plain or holds(grid, needed):
            return


@kernel
def populate(s, lane, mobs):
    """The first cows, zombies and skeletons, column by column as in crafter; tunnels become paths."""
    grid, seed = s.grid[lane], s.seed[lane]
    height, width = grid.shape
    for col in range(width):
        for row in range(height):
            material, cell = grid[row, col], 4 * (row * width + col)
            if material == TUNNEL:
                grid[row, col] = PATH
            if not mobs or s.object_at[lane, row, col] or not WALKS[abs(material)]:
                continue
            down, right = row - height // 2, col - width // 2
            off = sqrt(float(down * down + right * right))
            if off > 3 and material == GRASS and uniform(seed, 0, Stream.POPULATE, cell) > 0.985:
                add(s, lane, Kind.COW, row, col, COW_HEALTH, 0)
            elif off > 10 and uniform(seed, 0, Stream.POPULATE, cell + 1) > 0.993:
                add(s, lane, Kind.ZOMBIE, row, col, ZOMBIE_HEALTH, 0)
            elif material == TUNNEL and uniform(seed, 0, Stream.POPULATE, cell + 2) > 0.95:
                add(s, lane, Kind.SKELETON, row, col, SKELETON_HEALTH, 0)


assert (int(DIAMOND), int(GRASS)) == (Material.DIAMOND, Material.GRASS)
