"""Interventions in a running warehouse: block an aisle, or clear all aisles."""

from random import Random

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim, Intervention
from sandbox.worlds.warehouse.layouts import reached
from sandbox.worlds.warehouse.perturbations import can_spare
from sandbox.worlds.warehouse.state import Cell, Params

CAN_BE = "an aisle cell that can be spared, with nobody on it"


def _block(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """Block a cell such that a loaded robot can still reach all that it could."""
    grid = params.plan.copy()
    for row, col in given["closed"]:
        grid[row, col] = Cell.BLOCKED
    used = {(each["row"], each["col"]) for each in given["agents"]}
    if params.courier:
        used |= {(each["row"], each["col"]) for each in given["shelves"]} | set(map(tuple, given["goals"]))
    able = [cell for cell in map(tuple, np.argwhere(grid == Cell.FLOOR).tolist()) if cell not in used]
    for cell in dice.sample(able, len(able)) if aim.cell is None else [cell for cell in able if cell == aim.cell]:
        if _can_go(grid, cell):
            return {"closed": sorted([*given["closed"], list(cell)])}
    raise UsageError(f"{'there is no' if aim.cell is None else f'{aim.cell} is not'} {CAN_BE}")


def _can_go(grid: np.ndarray, cell: tuple[int, int]) -> bool:
    """Whether the aisles connected through a cell stay connected without it, and shelves beside it stay accessible."""
    aisles = (grid == Cell.FLOOR) | (grid == Cell.GOAL)
    before = reached(aisles, cell)
    before[cell] = aisles[cell] = False
    if not before.any() or not can_spare(grid, *cell):
        return False
    return bool((reached(aisles, tuple(np.argwhere(before)[0])) == before).all())


def _clear(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    if not given["closed"]:
        raise UsageError("no aisle is blocked")
    return {"closed": []}


INTERVENTIONS = (
    Intervention("block_aisle", "an aisle cell is blocked; all shelves and goals stay within reach", "cell", _block),
    Intervention("clear_aisles", "every blocked aisle cell is free again", "world", _clear),
)
