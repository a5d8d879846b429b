"""The order board: draw requests, deliver them, pay rewards."""

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import allocating, kernel
from sandbox.worlds.warehouse.dynamics.seen import see
from sandbox.worlds.warehouse.state import Bit, Cell, RewardType, Stream

DUE = 1 << Bit.AGENT | 1 << Bit.REQUESTED  # of a cell of ``seen``: a robot with a requested shelf, or above one
BLOCK = 256  # shelves that are counted together


@kernel
def _request(s, lane, slot, waiting, params):
    """Draw one of the ``waiting`` shelves that are not requested, uniformly, for place ``slot`` of the board."""
    pick = below(waiting, s.seed[lane], s.tick[lane], Stream.REQUEST, slot)
    index = 0
    while pick or s.requested[lane, index] or not params.fetchable[index]:
        pick -= params.fetchable[index] and not s.requested[lane, index]
        index += 1
    s.requested[lane, index] = 1
    s.request[lane, slot] = index + 1
    see(s, lane, s.shelf[lane, index, 0], s.shelf[lane, index, 1], params)


@allocating
def _draw_by_blocks(requested, request, seed, fetchable):
    """Draw the same board as ``_request`` at tick 0, in time that does not grow with shelves x requests."""
    shelves = len(requested)
    waiting = np.zeros(shelves // BLOCK + 1, np.int64)  # not requested shelves, by block
    for index in range(shelves):
        waiting[index // BLOCK] += fetchable[index]
    left = waiting.sum()
    for slot in range(len(request)):
        pick, block = below(left - slot, seed, 0, Stream.REQUEST, slot), 0
        while pick >= waiting[block]:
            pick -= waiting[block]
            block += 1
        waiting[block] -= 1
        index = block * BLOCK
        while pick or requested[index] or not fetchable[index]:
            pick -= fetchable[index] and not requested[index]
            index += 1
        requested[index] = 1
        request[slot] = index + 1


@kernel
def draw_board(s, lane, params):
    """Fill an empty board at tick 0."""
    if len(params.homes) > BLOCK:
        _draw_by_blocks(s.requested[lane], s.request[lane], s.seed[lane], params.fetchable)
        return
    waiting = _waiting(s, lane, params)
    for slot in range(params.requests):
        _request(s, lane, slot, waiting - slot, params)


@kernel
def _waiting(s, lane, params):
    """How many fetchable shelves are not requested."""
    count = 0
    for index in range(len(params.homes)):
        count += params.fetchable[index] and not s.requested[lane, index]
    return count


@kernel
def _free_cell(s, lane, params, stream, key):
    """A random cell that robots may enter and in which no parcel waits."""
    height, width = params.plan.shape
    attempt = 0
    while True:
        cell = below(height * width, s.seed[lane], s.tick[lane], stream, key * 20_000 + attempt)
        row, col = cell // width, cell % width
        if s.grid[lane, row, col] < Cell.WALL and s.shelf_at[lane, row, col] == 0:
            return row, col
        attempt += 1


@kernel
def first_parcel(s, lane, index, params):
    """The first parcel of order ``index`` of the courier task: as the .scen file says, or drawn."""
    if index >= len(params.errands):
        parcel(s, lane, index, params)
        return
    row, col = params.errands[index, 0], params.errands[index, 1]
    s.shelf[lane, index, 0], s.shelf[lane, index, 1], s.shelf_at[lane, row, col] = row, col, index + 1
    s.drop[lane, index, 0], s.drop[lane, index, 1] = params.errands[index, 2], params.errands[index, 3]


@kernel
def parcel(s, lane, index, params):
    """Draw a new parcel and a new destination for order ``index`` of the courier task."""
    row, col = _free_cell(s, lane, params, Stream.PARCEL, 2 * index)
    s.shelf[lane, index, 0], s.shelf[lane, index, 1] = row, col
    s.shelf_at[lane, row, col] = index + 1
    see(s, lane, row, col, params)
    to_row, to_col = _free_cell(s, lane, params, Stream.PARCEL, 2 * index + 1)  # the pick-up cell is taken
    s.drop[lane, index, 0], s.drop[lane, index, 1] = to_row, to_col


@kernel
def _award(s, lane, agent, params):
    if params.reward == RewardType.GLOBAL:
        for other in range(params.agents):
            s.reward[lane, other] += np.float32(1)
    elif params.reward == RewardType.INDIVIDUAL:
        s.reward[lane, agent] += np.float32(1)
    else:
        s.delivering[lane, agent] = 1
        s.reward[lane, agent] += np.float32(0.5)
    s.delivered[lane] += 1


@kernel
def serve(s, lane, row, col, params):
    """Deliver the requested shelf in a cell, by the robot there; draw a new request."""
    shelf, agent = s.shelf_at[lane, row, col], s.agent_at[lane, row, col] - 1
    for slot in range(params.requests):
        if s.request[lane, slot] == shelf:
            waiting = _waiting(s, lane, params)  # the old one still counts as requested
            _request(s, lane, slot, waiting, params)
            break
    s.requested[lane, shelf - 1] = 0
    see(s, lane, row, col, params)
    _award(s, lane, agent, params)


@kernel
def deliver(s, lane, params):
    """Deliver requested shelves that stand on a goal, goal by goal; draw a new request for each."""
    for goal in range(len(params.goals)):
        row, col = params.goals[goal, 0], params.goals[goal, 1]
        if s.seen[lane, row + params.sight, col + params.sight] & DUE != DUE:
            continue
        serve(s, lane, row, col, params)


@kernel
def _at(s, lane, agent, cell):
    return s.pos[lane, agent, 0] == cell[0] and s.pos[lane, agent, 1] == cell[1]


@kernel
def hand_over(s, lane, params):
    """Deliver the parcels that are at their destination; draw a new order for each."""
    for agent in range(params.agents):
        load = s.carrying[lane, agent]
        if load and _at(s, lane, agent, s.drop[lane, load - 1]):
            s.carrying[lane, agent] = 0
            see(s, lane, s.pos[lane, agent, 0], s.pos[lane, agent, 1], params)
            _award(s, lane, agent, params)
            parcel(s, lane, load - 1, params)
