"""The map as windows show it: ``State.seen`` has an entry of bits (see ``Bit``) for each cell, 0 in the margin around.

A window is then a few bytes of one array, and a step looks at one entry. Nothing here branches on what is in a cell,
because processors cannot predict it.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import OF_CELL, Bit, Cell, Facing, Order


@kernel
def _robot(s, lane, agent):
    """The bits of a robot."""
    loaded = np.int32(s.carrying[lane, agent] > 0)
    return 1 | (s.facing[lane, agent] + 1) << Bit.FACING | loaded << Bit.LOADED


@kernel
def see(s, lane, row, col, params):
    """Write what windows show of a cell; after each change of the cell."""
    row, col = np.uint64(row), np.uint64(col)
    other, shelf = s.agent_at[lane, row, col], s.shelf_at[lane, row, col]
    known = shelf > 0
    entry = (s.grid[lane, row, col] < Cell.WALL) << Bit.OPEN
    entry |= known << Bit.SHELF | (known & s.requested[lane, np.uint64(shelf - known)]) << Bit.REQUESTED
    if other > 0:
        entry |= _robot(s, lane, np.uint64(other - 1))
    s.seen[lane, row + np.uint64(params.sight), col + np.uint64(params.sight)] = entry


@kernel
def lift(s, lane, row, col, params):
    """Remove a robot from its cell; indices are uint64."""
    s.seen[lane, row + np.uint64(params.sight), col + np.uint64(params.sight)] &= OF_CELL


@kernel
def set_down(s, lane, agent, row, col, params):
    """Put a robot into an empty cell; indices are uint64."""
    s.seen[lane, row + np.uint64(params.sight), col + np.uint64(params.sight)] |= _robot(s, lane, agent)


@kernel
def step_ahead(facing):
    """(down, right): the step to the cell ahead; computed, because a processor cannot predict which it is."""
    down = np.int32(facing == Facing.SOUTH) - np.int32(facing == Facing.NORTH)
    return down, np.int32(facing == Facing.EAST) - np.int32(facing == Facing.WEST)


@kernel
def _aim_of(s, lane, agent, params):
    """The cell ahead (row * W + column) that ``agent`` can try to enter; its own cell if a wall or a shelf stops it."""
    width = params.plan.shape[1]
    row, col, facing = s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.facing[lane, agent]
    down, right = step_ahead(facing)
    ahead = s.seen[lane, np.uint64(row + down + params.sight), np.uint64(col + right + params.sight)]
    loaded = np.int32(s.carrying[lane, agent] > 0) & np.int32(not params.courier)
    stands = (ahead >> Bit.SHELF) & ~(ahead >> Bit.LOADED)  # a shelf on the floor stops a loaded robot
    is_open = np.int32(ahead >> Bit.OPEN & ~(stands & loaded)) & np.int32(1)
    return (row + is_open * down) * width + col + is_open * right


@kernel
def refresh(s, lane, params):
    """Write ``seen``, ``ahead`` and ``board`` from the other fields."""
    height, width = params.plan.shape
    rows, cols = s.seen.shape[1], s.seen.shape[2]
    for row in range(rows):
        for col in range(cols):
            s.seen[lane, row, col] = 0
    for row in range(height):
        for col in range(width):
            see(s, lane, row, col, params)
    look_ahead(s, lane, params)
    write_board(s, lane, params)


@kernel
def look_ahead(s, lane, params):
    """Write ``ahead`` of every robot; after all changes of a tick."""
    for agent in range(params.agents):
        on_map = s.pos[lane, agent, 0] >= 0
        s.ahead[lane, agent] = _aim_of(s, lane, agent, params) if on_map else -params.plan.shape[1] - 1


@kernel
def write_board(s, lane, params):
    """Write the orders as agents read them; after all changes of a tick."""
    for slot in range(s.board.shape[1]):
        shelf = s.request[lane, slot]
        row, col = s.shelf[lane, shelf - 1, 0], s.shelf[lane, shelf - 1, 1]
        holder, order = s.agent_at[lane, row, col], s.board[lane, slot]
        order[Order.ROW], order[Order.COL], order[Order.ID] = row, col, shelf
        order[Order.WAITING] = holder <= 0 or s.carrying[lane, holder - 1] != shelf
