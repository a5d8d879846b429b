"""The warehouse's kernels: reset, step, observe. They are equal to RWARE 2.0.0 at every step.

A tick: every robot acts; moves are resolved together (``conflicts``); then loads on goals are delivered and new
requests are drawn. The courier task differs only in its orders: each parcel has a pick-up cell and a destination.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.eight import EACH, put
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.dynamics.conflicts import SOLE, resolve
from sandbox.worlds.warehouse.dynamics.orders import deliver, draw_board, first_parcel, hand_over
from sandbox.worlds.warehouse.dynamics.seen import lift, look_ahead, refresh, see, set_down, step_ahead, write_board
from sandbox.worlds.warehouse.perturbations import block_aisles
from sandbox.worlds.warehouse.state import (
    ORDERS,
    PER_ORDER,
    Bit,
    Cell,
    Channel,
    Column,
    Facing,
    RewardType,
    Severity,
    Stream,
    Verb,
)  # fmt: skip

FIRST = np.array([Bit.AGENT, Bit.FACING, Bit.SHELF, Bit.REQUESTED, Bit.OPEN], np.uint64)  # by Channel
MASK, INVERTED = np.array([1, 7, 1, 1, 1], np.uint64), np.array([0, 0, 0, 0, 1], np.uint64)
HIGHWAY = np.array([cell != Cell.SLOT for cell in Cell], np.float32)
COMPASS = np.eye(4, dtype=np.float32)  # by Facing
TURN = np.array(  # by Verb and Facing
    [
        [Facing.NORTH, Facing.SOUTH, Facing.WEST, Facing.EAST],
        [Facing.NORTH, Facing.SOUTH, Facing.WEST, Facing.EAST],
        [Facing.WEST, Facing.EAST, Facing.SOUTH, Facing.NORTH],
        [Facing.EAST, Facing.WEST, Facing.NORTH, Facing.SOUTH],
        [Facing.NORTH, Facing.SOUTH, Facing.WEST, Facing.EAST],
    ],
    np.int8,
)


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
        refresh(s, lane, params)
        return
    for index in range(len(params.homes)):
        row, col = params.homes[index, 0], params.homes[index, 1]
        s.shelf[lane, index, 0], s.shelf[lane, index, 1] = row, col
        s.shelf_at[lane, row, col] = index + 1
    draw_board(s, lane, params)
    refresh(s, lane, params)


@kernel
def can_toggle(s, lane, agent, row, col, params):
    """Whether toggle_load would pick up or put down something; indices of the agent's cell are uint64."""
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
    see(s, lane, row, col, params)


@kernel
def _aim(s, lane, actions, params):
    """Write to ``aim`` the cell that each robot wants, and mark wanted cells that are empty in ``agent_at``.

    Until conflicts are resolved, ``refused`` marks the robots that want to move. Returns whether moves depend on each
    other: two robots want one cell, or one wants the cell of another that wants to move. In small teams this is rare.
    No branch depends on an action, because processors cannot predict it.
    """
    width, agent_at, shared, behind = params.plan.shape[1], s.agent_at[lane].flat, 0, 0
    for agent in range(params.agents):
        here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
        s.reward[lane, agent], s.refused[lane, agent], s.aim[lane, agent] = 0, 0, here
        if here < 0:
            continue
        wants = (actions[lane, agent, 0] == Verb.FORWARD) & (actions[lane, agent, 1] == 0)
        cell = here + wants * (s.ahead[lane, agent] - here)
        wants = cell != here
        there = agent_at[np.uint64(cell)]
        shared |= wants & (there < 0)
        behind |= wants & (there > 0)
        agent_at[np.uint64(cell)] = there - (wants & (there == 0 or there == SOLE))
        s.aim[lane, agent], s.refused[lane, agent] = cell, wants
    return shared != 0 or (behind != 0 and _in_line(s, lane, params))


@kernel
def _in_line(s, lane, params):
    """Whether a robot wants the cell of another that wants to move."""
    agent_at = s.agent_at[lane].flat
    for agent in range(params.agents):
        if s.refused[lane, agent] and agent_at[s.aim[lane, agent]] > 0:
            if s.refused[lane, agent_at[s.aim[lane, agent]] - 1]:
                return True
    return False


@kernel
def _resolve(s, lane, params):
    """Clear ``refused`` of the robots that move, and the marks of cells that nobody enters."""
    agent_at = s.agent_at[lane].flat
    resolve(s.agent_at[lane], s.aim[lane], s.pos[lane], s.refused[lane], not params.courier)
    for agent in range(params.agents):
        if s.refused[lane, agent]:
            agent_at[s.aim[lane, agent]] = max(agent_at[s.aim[lane, agent]], 0)


@kernel
def _moves(s, lane, agent, width):
    """Whether a robot wants to move to another cell and is allowed to."""
    here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
    return (s.aim[lane, agent] != here) & (s.refused[lane, agent] == 0)


@kernel
def _leave(s, lane, agent, width, params):
    """Take a robot off the map, and with it its load if it moves."""
    row, col = np.uint64(s.pos[lane, agent, 0]), np.uint64(s.pos[lane, agent, 1])
    s.agent_at[lane, row, col] = 0
    lift(s, lane, row, col, params)
    if s.carrying[lane, agent] and not params.courier and _moves(s, lane, agent, width):
        s.shelf_at[lane, row, col] = 0
        see(s, lane, row, col, params)


@kernel
def _arrive(s, lane, agent, verb, width, params):
    """Put a robot back on the map, in the cell that it wants if it moves, and let it turn, pick up or put down."""
    row, col, facing = s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.facing[lane, agent]
    moves = _moves(s, lane, agent, width)
    down, right = step_ahead(facing)
    row, col = row + moves * down, col + moves * right
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
    s.agent_at[lane, np.uint64(row), np.uint64(col)] = agent + 1
    s.facing[lane, agent] = TURN[np.uint64(verb), np.uint64(facing)]
    set_down(s, lane, agent, np.uint64(row), np.uint64(col), params)
    load = s.carrying[lane, agent]
    if load and moves:
        s.shelf[lane, load - 1, 0], s.shelf[lane, load - 1, 1] = row, col
        if not params.courier:
            s.shelf_at[lane, row, col] = load
            see(s, lane, row, col, params)
    elif verb == Verb.TOGGLE_LOAD and can_toggle(s, lane, agent, np.uint64(row), np.uint64(col), params):
        _toggle(s, lane, agent, params)


@kernel
def _known(actions, lane, agent):
    """An agent's verb; noop for an unknown verb or target."""
    verb = actions[lane, agent, 0]
    return verb if 0 <= verb < len(TURN) and actions[lane, agent, 1] == 0 else Verb.NOOP.value


@kernel
def close(s, lane, params):
    """The end of a tick."""
    s.tick[lane] += 1
    if params.deliveries and s.delivered[lane] >= params.deliveries:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as noop."""
    if s.done[lane] != Finish.RUNNING:
        return
    width, agent_at = params.plan.shape[1], s.agent_at[lane].flat
    if _aim(s, lane, actions, params):
        _resolve(s, lane, params)
        for agent in range(params.agents):  # all leave before any arrives, so that chains and cycles move at once
            if s.pos[lane, agent, 0] >= 0:
                _leave(s, lane, agent, width, params)
        for agent in range(params.agents):
            if s.pos[lane, agent, 0] >= 0:
                _arrive(s, lane, agent, _known(actions, lane, agent), width, params)
    else:
        for agent in range(params.agents):
            if s.pos[lane, agent, 0] >= 0:
                s.refused[lane, agent] &= agent_at[s.aim[lane, agent]] > 0
                _leave(s, lane, agent, width, params)
                _arrive(s, lane, agent, _known(actions, lane, agent), width, params)
    if params.courier:
        hand_over(s, lane, params)
    else:
        deliver(s, lane, params)
    look_ahead(s, lane, params)
    write_board(s, lane, params)
    close(s, lane, params)


@kernel
def _look(seen, top, left, window):
    """Fill one agent's window (C, K, K) int8 with the K x K cells of ``seen`` from (top, left)."""
    side = np.uint64(window.shape[1])
    if side == np.uint64(3):
        _look_near(seen, top, left, window)
        return
    for i in range(side):
        for j in range(side):
            entry = seen[top + i, left + j]
            window[Channel.AGENT, i, j] = entry & 1
            window[Channel.FACING, i, j] = (entry >> Bit.FACING) & 7
            window[Channel.SHELF, i, j] = (entry >> Bit.SHELF) & 1
            window[Channel.REQUESTED, i, j] = (entry >> Bit.REQUESTED) & 1
            window[Channel.OBSTACLE, i, j] = ~(entry >> Bit.OPEN) & 1


@kernel
def _look_near(seen, top, left, window):
    """The same for RWARE's window of 3 x 3 cells, eight cells at a time: three times as fast."""
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(seen[top + np.uint64(k // 3), left + np.uint64(k % 3)]) << np.uint64(8 * k)
    last, flat = np.uint64(seen[top + np.uint64(2), left + np.uint64(2)]), window.flat
    for channel in range(len(FIRST)):
        first, bits, inverted = FIRST[channel], MASK[channel], INVERTED[channel]
        put(window, 9 * channel, (word >> first ^ inverted * EACH) & (bits * EACH))
        flat[9 * channel + 8] = (last >> first ^ inverted) & bits


@kernel
def _read_goal(s, lane, agent, params, vector):
    """The agent's own goal, if it has one."""
    load = s.carrying[lane, agent]
    vector[Column.GOAL_ROW], vector[Column.GOAL_COL] = -1, -1
    if params.courier and load:
        vector[Column.GOAL_ROW], vector[Column.GOAL_COL] = s.drop[lane, load - 1, 0], s.drop[lane, load - 1, 1]


@kernel
def _read_board(board, slot, vector):
    """As many orders as the vector holds, beginning with the one of the agent's own number, ``slot``."""
    for at in range(ORDERS, len(vector), PER_ORDER):
        for k in range(PER_ORDER):
            vector[at + k] = board[slot, k]
        slot = slot + 1 if slot + 1 < len(board) else 0


@kernel
def observe(s, lane, params, obs):
    """The observation of each robot: RWARE's sensors and, if enabled, the order board."""
    slot = params.requests - 1
    for agent in range(params.agents):
        slot = slot + 1 if slot + 1 < params.requests else 0
        row, col, facing = s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.facing[lane, agent]
        mask = obs.mask[lane, agent]
        mask[Verb.NOOP], mask[Verb.LEFT], mask[Verb.RIGHT] = True, row >= 0, row >= 0
        if row < 0:
            mask[Verb.FORWARD], mask[Verb.TOGGLE_LOAD] = False, False
            continue
        _look(s.seen[lane], np.uint64(row), np.uint64(col), obs.window[lane, agent])
        vector = obs.vector[lane, agent]
        vector[Column.ROW], vector[Column.COL] = row, col
        vector[Column.CARRYING] = np.float32(min(s.carrying[lane, agent], np.int32(1)))
        for k in range(4):
            vector[Column.NORTH + k] = COMPASS[np.uint64(facing), np.uint64(k)]
        vector[Column.ON_HIGHWAY] = HIGHWAY[np.uint64(params.plan[np.uint64(row), np.uint64(col)])]
        if params.board:
            _read_goal(s, lane, agent, params, vector)
            _read_board(s.board[lane], slot, vector)
        mask[Verb.FORWARD] = s.ahead[lane, agent] != row * params.plan.shape[1] + col
        mask[Verb.TOGGLE_LOAD] = can_toggle(s, lane, agent, np.uint64(row), np.uint64(col), params)
