"""Cells and directions for policies."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import DCOL, DROW, Cook, Verb

STAY, INTERACT = np.int32(Verb.STAY), np.int32(Verb.INTERACT)
AT_HAND = 2  # ticks before a soup is ready at which a cook goes to its pot: a step and a turn


@kernel
def beside(cell, facing, width):
    """The next cell in a direction. It is on the map: the border of a kitchen is never floor."""
    return cell + DROW[facing] * width + DCOL[facing]


@kernel
def towards(cell, here, width):
    """The facing, which is also the verb, from a cell to its neighbour."""
    for facing in range(4):
        if beside(here, facing, width) == cell:
            return np.int32(facing)
    return STAY


@kernel
def at_target(cook, params):
    """The verb beside the target: turn towards it, interact, or wait."""
    facing = towards(cook[Cook.TARGET], cook[Cook.CELL], params.plan.shape[1])
    if facing != cook[Cook.FACING]:
        return facing
    return INTERACT if cook[Cook.WAIT] <= 0 else STAY
