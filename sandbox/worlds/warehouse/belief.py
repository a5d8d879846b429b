"""What a robot believes: a lane of imagined state, made from its own observation and memory."""

import numpy as np

from sandbox.core.maps import around
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.dynamics.kernels import reset
from sandbox.worlds.warehouse.dynamics.seen import refresh
from sandbox.worlds.warehouse.state import ORDERS, PER_ORDER, Cell, Channel, Column, Note, Order, Params, State

# -- facts: a lane as a list of facts, and which of them a robot sees. The prediction error is measured on them.


def ground_truth(s: State, lane: int, params: Params) -> np.ndarray:
    """(4 H W + N,) int64: for each cell robot (Facing + 1), shelf, request, Cell; for each robot its load."""
    who, shelf = s.agent_at[lane], s.shelf_at[lane]
    robot = np.where(who > 0, s.facing[lane][who - 1] + 1, 0)
    wanted = np.where(shelf > 0, s.requested[lane][shelf - 1], 0)
    layers = robot, shelf > 0, wanted, s.grid[lane]
    return np.concatenate([*(np.ravel(layer) for layer in layers), s.carrying[lane] > 0]).astype(np.int64)


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """(4 H W + N,) bool: robots, shelves and requests in its window, and its own load; never closed cells."""
    near = around(params.plan.shape, s.pos[lane, agent], params.sight, params.sight).ravel()
    return np.concatenate([near, near, near, np.zeros_like(near), np.arange(params.agents) == agent])


# -- belief


@kernel
def _believe_shelf(out, to, shelf, row, col):
    """Move a shelf to its believed cell, if that has no shelf."""
    if out.shelf_at[to, row, col] == 0:
        old = out.shelf[to, shelf - 1]
        if out.shelf_at[to, old[0], old[1]] == shelf:
            out.shelf_at[to, old[0], old[1]] = 0
        out.shelf[to, shelf - 1, 0], out.shelf[to, shelf - 1, 1] = row, col
        out.shelf_at[to, row, col] = shelf


@kernel
def _is_open(grid, row, col):
    """Whether a robot can stand there. Sensor noise may show a robot in a wall."""
    return 0 <= row < grid.shape[0] and 0 <= col < grid.shape[1] and grid[row, col] < Cell.WALL


@kernel
def _stray(row, col, load, wanted, params, out, to):
    """Id of a shelf not believed to be in sight, on the board (``wanted`` 1) or not (0); 0: none."""
    for shelf in range(1, out.shelf.shape[1] + 1):
        at = out.shelf[to, shelf - 1]
        near = abs(at[0] - row) <= params.sight and abs(at[1] - col) <= params.sight
        known = shelf == load or (near and out.shelf_at[to, at[0], at[1]] == shelf)
        if out.requested[to, shelf - 1] == wanted and not known:
            return shelf
    return 0


@kernel
def _believe_stock(window, row, col, load, params, out, to):
    """Make the cells in sight agree with the window: remove shelves that are not seen, move others to where one is."""
    for turn in range(2):
        for i in range(2 * params.sight + 1):
            for j in range(2 * params.sight + 1):
                r, c = row + i - params.sight, col + j - params.sight
                if not _is_open(out.grid[to], r, c):
                    continue
                if (window[Channel.SHELF, i, j] > 0) == (out.shelf_at[to, r, c] > 0):
                    continue
                if turn == 0 and not window[Channel.SHELF, i, j]:
                    out.shelf_at[to, r, c] = 0
                elif turn == 1:
                    shelf = _stray(row, col, load, window[Channel.REQUESTED, i, j], params, out, to)
                    if shelf:
                        _believe_shelf(out, to, shelf, r, c)


@kernel
def _believe_agent(out, to, agent, row, col, facing, load, params):
    """Put a robot in the cell where it is believed to be."""
    out.pos[to, agent, 0], out.pos[to, agent, 1] = row, col
    out.aim[to, agent] = row * params.plan.shape[1] + col
    out.agent_at[to, row, col] = agent + 1
    out.facing[to, agent], out.carrying[to, agent] = facing, load
    if load and params.courier:
        at = out.shelf[to, load - 1]
        if out.shelf_at[to, at[0], at[1]] == load:
            out.shelf_at[to, at[0], at[1]] = 0
        out.shelf[to, load - 1, 0], out.shelf[to, load - 1, 1] = row, col


@kernel
def _believe_board(vector, out, to, agent, params):
    """The orders that the agent's board shows."""
    for k in range(params.board):
        order = ORDERS + PER_ORDER * k
        shelf = int(vector[order + Order.ID])
        if not params.courier:
            slot = (agent + k) % params.requests
            for other in range(params.requests):  # the board shows it: remove it from the drawn orders
                if out.request[to, other] == shelf:
                    out.request[to, other] = out.request[to, slot]
            if not out.requested[to, shelf - 1]:
                out.requested[to, out.request[to, slot] - 1] = 0
                out.requested[to, shelf - 1] = 1
            out.request[to, slot] = shelf
        elif vector[order + Order.WAITING]:
            at = out.shelf[to, shelf - 1]
            out.shelf_at[to, at[0], at[1]] = 0
            _believe_shelf(out, to, shelf, int(vector[order + Order.ROW]), int(vector[order + Order.COL]))


@kernel
def _believe_robots(window, row, col, agent, params, out, to):
    """Put the robots of the window on the map, numbered in reading order, without loads."""
    sight, other = params.sight, 0
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            at_row, at_col = row + i - sight, col + j - sight
            if window[Channel.AGENT, i, j] and (i != sight or j != sight) and _is_open(out.grid[to], at_row, at_col):
                other += other == agent
                if other < params.agents:
                    _believe_agent(out, to, other, at_row, at_col, max(0, window[Channel.FACING, i, j] - 1), 0, params)
                    other += 1


@kernel
def believe(obs, lane, agent, memory, params, seed, out, to):
    """Fill lane ``to`` of ``out`` with what ``agent`` believes; ``seed`` (uint64) keys its draws.

    It knows the plan, what it sees, its own load, the closed cells it met, and its board. Shelves out of sight are
    believed at home, requests that it cannot read are drawn, and robots out of sight are off the map (row -1).
    """
    width = params.plan.shape[1]
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    out.seed[to] = seed
    reset(out, to, params)
    for other in range(params.agents):
        at = out.pos[to, other]
        out.agent_at[to, at[0], at[1]] = 0
        at[0], at[1], out.aim[to, other] = -1, -1, -width - 1
    for cell in range(params.plan.size):
        out.grid[to, cell // width, cell % width] = params.plan[cell // width, cell % width]
    for cell in memory.closed[lane, agent]:
        if cell >= 0:
            out.grid[to, cell // width, cell % width] = Cell.BLOCKED
    _believe_board(vector, out, to, agent, params)
    load = 0
    if vector[Column.CARRYING]:
        load = max(1, memory.notes[lane, agent, Note.LOAD])
        if not params.courier:
            _believe_shelf(out, to, load, row, col)
        elif vector[Column.GOAL_ROW] >= 0:
            out.drop[to, load - 1, 0] = int(vector[Column.GOAL_ROW])
            out.drop[to, load - 1, 1] = int(vector[Column.GOAL_COL])
    facing = 0
    while vector[Column.NORTH + facing] == 0:
        facing += 1
    _believe_agent(out, to, agent, row, col, facing, load, params)
    _believe_stock(window, row, col, load, params, out, to)
    _believe_robots(window, row, col, agent, params, out, to)
    refresh(out, to, params)
