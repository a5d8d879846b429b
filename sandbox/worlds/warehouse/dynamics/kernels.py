"""The warehouse's kernels: reset, step, observe. They are equal to RWARE 2.0.0 at every step.

A tick: every robot acts; moves are resolved together (``conflicts``); then loads on goals are delivered and new
requests are drawn. The courier task differs only in its orders: each parcel has a pick-up cell and a destination.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.dynamics.conflicts import resolve
from sandbox.worlds.warehouse.dynamics.orders import deliver, draw_board, first_parcel, hand_over
from sandbox.worlds.warehouse.perturbations import block_aisles
from sandbox.worlds.warehouse.state import (
    ORDERS,
    PER_ORDER,
    Cell,
    Channel,
    Column,
    Facing,
    Order,
    RewardType,
    Severity,
    Stream,
    Verb,
)  # fmt: skip

DROW = np.array([-1, 1, 0, 0], np.int32)  # by Facing
DCOL = np.array([0, 0, -1, 1], np.int32)
TO_LEFT = np.array([Facing.WEST, Facing.EAST, Facing.SOUTH, Facing.NORTH], np.int8)
TO_RIGHT = np.array([Facing.EAST, Facing.WEST, Facing.NORTH, Facing.SOUTH], np.int8)


@kernel
def _first_place(s, lane, agent, params):
    """Where a robot begins: as the .scen file says, else in a free cell, drawn uniformly."""
    if agent < len(params.errands):
        return params.errands[agent, 0], params.errands[agent, 1]
    height, width = params.plan.shape
    attempt = 0
    while True:
        cell = below(height * width, s.seed[lane], 0, Stream.PLACE, agent * 20_000 + attempt)
        row, col = cell // width, cell % width
        if s.agent_at[lane, row, col] == 0 and s.grid[lane, row, col] < Cell.WALL:
            return np.int32(row), np.int32(col)
        attempt += 1


@kernel
def reset(s, lane, params):
    """Begin the episode of ``s.seed[lane]``: shelves at home, robots in random cells, requests drawn."""
    height, width = params.plan.shape
    s.tick[lane], s.done[lane], s.delivered[lane] = 0, Finish.RUNNING, 0
    for row in range(height):
        for col in range(width):
            s.grid[lane, row, col] = params.plan[row, col]
            s.agent_at[lane, row, col], s.shelf_at[lane, row, col] = 0, 0
    for index in range(len(params.homes)):
        s.requested[lane, index] = 0
    if params.severity[Severity.BLOCKED_AISLES] > 0:
        block_aisles(s.grid[lane], params.goals, s.seed[lane], params.severity[Severity.BLOCKED_AISLES])
        for index in range(len(params.errands)):
            for end in range(0, 4, 2):
                s.grid[lane, params.errands[index, end], params.errands[index, end + 1]] = Cell.FLOOR
    for agent in range(params.agents):
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
        s.carrying[lane, agent], s.delivering[lane, agent] = 0, 0
        row, col = _first_place(s, lane, agent, params)
        s.agent_at[lane, row, col] = agent + 1
        s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.aim[lane, agent] = row, col, row * width + col
        s.facing[lane, agent] = below(4, s.seed[lane], 0, Stream.TURN, agent)
    if params.courier:
        for index in range(params.requests):
            first_parcel(s, lane, index, params)
            s.requested[lane, index], s.request[lane, index] = 1, index + 1
        return
    for index in range(len(params.homes)):
        row, col = params.homes[index, 0], params.homes[index, 1]
        s.shelf[lane, index, 0], s.shelf[lane, index, 1] = row, col
        s.shelf_at[lane, row, col] = index + 1
    draw_board(s, lane, params)


@kernel
def aim_of(s, lane, agent, params):
    """The cell ahead (row * W + column) that ``agent`` can try to enter; its own cell if a wall or a shelf stops it."""
    height, width = params.plan.shape
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    facing = s.facing[lane, agent]
    to_row, to_col = row + DROW[facing], col + DCOL[facing]
    if to_row < 0 or to_col < 0 or to_row >= height or to_col >= width or s.grid[lane, to_row, to_col] >= Cell.WALL:
        return row * width + col
    if s.carrying[lane, agent] and not params.courier and s.shelf_at[lane, to_row, to_col]:
        other = s.agent_at[lane, to_row, to_col] - 1
        if other < 0 or not s.carrying[lane, other]:
            return row * width + col  # a shelf on the floor stops a loaded robot
    return to_row * width + to_col


@kernel
def can_toggle(s, lane, agent, params):
    """Whether toggle_load would pick up or put down something."""
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    if s.carrying[lane, agent]:
        return not params.courier and s.grid[lane, row, col] == Cell.SLOT
    return s.shelf_at[lane, row, col] > 0


@kernel
def _toggle(s, lane, agent, params):
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    if s.carrying[lane, agent]:
        s.carrying[lane, agent] = 0
        if s.delivering[lane, agent] and params.reward == RewardType.TWO_STAGE:
            s.reward[lane, agent] += np.float32(0.5)
        s.delivering[lane, agent] = 0
    else:
        s.carrying[lane, agent] = s.shelf_at[lane, row, col]
        if params.courier:
            s.shelf_at[lane, row, col] = 0


@kernel
def _leave(s, lane, agent, params):
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    s.agent_at[lane, row, col] = 0
    if s.carrying[lane, agent] and not params.courier:
        s.shelf_at[lane, row, col] = 0


@kernel
def _enter(s, lane, agent, params):
    width = params.plan.shape[1]
    row, col = s.aim[lane, agent] // width, s.aim[lane, agent] % width
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
    s.agent_at[lane, row, col] = agent + 1
    load = s.carrying[lane, agent]
    if load:
        s.shelf[lane, load - 1, 0], s.shelf[lane, load - 1, 1] = row, col
        if not params.courier:
            s.shelf_at[lane, row, col] = load


@kernel
def _contended(s, lane, params):
    """Whether any two moves conflict: a cell is wanted by two robots, or occupied. In small teams this is rare."""
    width = params.plan.shape[1]
    meet, last = False, 0
    for agent in range(params.agents):
        last = agent
        if s.refused[lane, agent]:
            row, col = s.aim[lane, agent] // width, s.aim[lane, agent] % width
            if s.agent_at[lane, row, col] != 0:
                meet = True
                break
            s.agent_at[lane, row, col] = -1
    for agent in range(last + 1):  # wipe the marks
        if s.refused[lane, agent]:
            row, col = s.aim[lane, agent] // width, s.aim[lane, agent] % width
            if s.agent_at[lane, row, col] == -1:
                s.agent_at[lane, row, col] = 0
    return meet


@kernel
def _aim(s, lane, actions, params):
    """Write to ``aim`` the cell that each robot wants; until conflicts are resolved, ``refused`` marks moves."""
    width = params.plan.shape[1]
    for agent in range(params.agents):
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
        here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
        s.aim[lane, agent] = here
        if actions[lane, agent, 0] == Verb.FORWARD and actions[lane, agent, 1] == 0 and here >= 0:
            s.aim[lane, agent] = aim_of(s, lane, agent, params)
            s.refused[lane, agent] = s.aim[lane, agent] != here


@kernel
def _moves(s, lane, agent, width):
    """Whether a robot wants to move to another cell and is allowed to."""
    here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
    return s.aim[lane, agent] != here and not s.refused[lane, agent]


@kernel
def _act(s, lane, agent, verb, params):
    """Turn, pick up or put down."""
    if s.pos[lane, agent, 0] < 0:
        return
    if verb == Verb.LEFT:
        s.facing[lane, agent] = TO_LEFT[s.facing[lane, agent]]
    elif verb == Verb.RIGHT:
        s.facing[lane, agent] = TO_RIGHT[s.facing[lane, agent]]
    elif verb == Verb.TOGGLE_LOAD and can_toggle(s, lane, agent, params):
        _toggle(s, lane, agent, params)


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as noop."""
    if s.done[lane] != Finish.RUNNING:
        return
    width = params.plan.shape[1]
    _aim(s, lane, actions, params)
    if _contended(s, lane, params):
        resolve(s.agent_at[lane], s.aim[lane], s.pos[lane], s.refused[lane], not params.courier)
    else:
        for agent in range(params.agents):
            s.refused[lane, agent] = 0
    for agent in range(params.agents):  # all robots leave before any enters, so that chains and cycles move at once
        if _moves(s, lane, agent, width):
            _leave(s, lane, agent, params)
    for agent in range(params.agents):
        if _moves(s, lane, agent, width):
            _enter(s, lane, agent, params)
        elif actions[lane, agent, 1] == 0:
            _act(s, lane, agent, actions[lane, agent, 0], params)
    if params.courier:
        hand_over(s, lane, params)
    else:
        deliver(s, lane, params)
    s.tick[lane] += 1
    if params.deliveries and s.delivered[lane] >= params.deliveries:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def _look(s, lane, agent, params, window):
    """Fill one agent's window (C, K, K) int8."""
    height, width = params.plan.shape
    top, left = s.pos[lane, agent, 0] - params.sight, s.pos[lane, agent, 1] - params.sight
    side = window.shape[1]
    for i in range(side):
        for j in range(side):
            row, col = top + i, left + j
            if row < 0 or col < 0 or row >= height or col >= width:
                window[Channel.AGENT, i, j], window[Channel.FACING, i, j] = 0, 0
                window[Channel.SHELF, i, j], window[Channel.REQUESTED, i, j] = 0, 0
                window[Channel.OBSTACLE, i, j] = 1
                continue
            other, shelf = s.agent_at[lane, row, col], s.shelf_at[lane, row, col]
            window[Channel.AGENT, i, j] = other > 0
            window[Channel.FACING, i, j] = s.facing[lane, other - 1] + 1 if other else 0
            window[Channel.SHELF, i, j] = shelf > 0
            window[Channel.REQUESTED, i, j] = s.requested[lane, shelf - 1] if shelf else 0
            window[Channel.OBSTACLE, i, j] = s.grid[lane, row, col] >= Cell.WALL


@kernel
def _read_board(s, lane, agent, params, vector):
    """The agent's own goal if it has one, then the orders, beginning with the one of its own number."""
    load = s.carrying[lane, agent]
    vector[Column.GOAL_ROW], vector[Column.GOAL_COL] = -1, -1
    if params.courier and load:
        vector[Column.GOAL_ROW], vector[Column.GOAL_COL] = s.drop[lane, load - 1, 0], s.drop[lane, load - 1, 1]
    slot = agent % params.requests
    for k in range(params.board):
        shelf = s.request[lane, slot]
        row, col = s.shelf[lane, shelf - 1, 0], s.shelf[lane, shelf - 1, 1]
        holder = s.agent_at[lane, row, col] - 1
        at = ORDERS + PER_ORDER * k
        vector[at + Order.ROW], vector[at + Order.COL] = row, col
        vector[at + Order.WAITING] = holder < 0 or s.carrying[lane, holder] != shelf
        vector[at + Order.ID] = shelf
        slot = slot + 1 if slot + 1 < params.requests else 0


@kernel
def observe(s, lane, params, obs):
    """The observation of each robot: RWARE's sensors and, if enabled, the order board."""
    for agent in range(params.agents):
        row, col, facing = s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.facing[lane, agent]
        mask = obs.mask[lane, agent]
        mask[Verb.NOOP], mask[Verb.FORWARD], mask[Verb.TOGGLE_LOAD] = True, False, False
        mask[Verb.LEFT], mask[Verb.RIGHT] = row >= 0, row >= 0
        if row < 0:
            continue
        _look(s, lane, agent, params, obs.window[lane, agent])
        vector = obs.vector[lane, agent]
        vector[Column.ROW], vector[Column.COL] = row, col
        vector[Column.CARRYING] = s.carrying[lane, agent] > 0
        for k in range(4):
            vector[Column.NORTH + k] = facing == k
        vector[Column.ON_HIGHWAY] = params.plan[row, col] != Cell.SLOT
        if params.board:
            _read_board(s, lane, agent, params, vector)
        mask[Verb.FORWARD] = aim_of(s, lane, agent, params) != row * params.plan.shape[1] + col
        mask[Verb.TOGGLE_LOAD] = can_toggle(s, lane, agent, params)
