"""Which robots move when several want to: RWARE's rule, without its graphs.

Robots that want to enter one another's cells form chains and cycles. A cycle of three or more moves as one. Two robots
cannot swap. Behind a robot that stays, all stay. The longest chain enters an empty cell.

Of chains of equal length, RWARE takes the first in the iteration order of a networkx subgraph, which is sometimes the
order of a Python set of (x, y) tuples. To be equal to RWARE, ``_python_set`` follows CPython (Objects/setobject.c,
tupleobject.c; the same in 3.8 to 3.13). The courier task is not RWARE's and takes the robot of the lowest number.
"""

import numpy as np

from sandbox.engine.kernel import allocating, kernel

SOLE = -1  # in ``agent_at``, of an empty cell: one robot wants to enter it; one less: several do
_P1, _P2 = np.uint64(11400714785074694791), np.uint64(14029467366897019727)
_P5 = np.uint64(2870177450012600261)
_LENGTH = np.uint64(2) ^ (_P5 ^ np.uint64(3527539))
_U1, _U5, _U31, _U33 = np.uint64(1), np.uint64(5), np.uint64(31), np.uint64(33)


@kernel
def _hash(x, y):
    """CPython's hash of the tuple (x, y) of small integers."""
    acc = _P5
    for item in (x, y):
        acc += np.uint64(item) * _P2
        acc = ((acc << _U31) | (acc >> _U33)) * _P1
    return acc + _LENGTH


@kernel
def _free_slot(table, hashed):
    """The slot in which CPython's set would put a new key: 9 linear probes, then a perturbed jump."""
    mask = np.uint64(len(table) - 1)
    perturb, i = hashed, hashed & mask
    while True:
        probes = 9 if i + np.uint64(9) <= mask else 0
        for k in range(probes + 1):
            if table[np.int64(i) + k] < 0:
                return np.int64(i) + k
        perturb >>= _U5
        i = (i * _U5 + _U1 + perturb) & mask


@allocating
def _python_set(cells, width):
    """Distinct ``cells`` in the iteration order of a CPython set of their (x, y) that was filled in this order."""
    table = np.full(8, -1, np.int64)
    for count in range(1, len(cells) + 1):
        cell = cells[count - 1]
        table[_free_slot(table, _hash(cell % width, cell // width))] = cell
        if count * 5 >= (len(table) - 1) * 3:
            size = 8
            while size <= count * (2 if count > 50000 else 4):
                size *= 2
            larger = np.full(size, -1, np.int64)
            for old in table:
                if old >= 0:
                    larger[_free_slot(larger, _hash(old % width, old // width))] = old
            table = larger
    order, at = np.empty(len(cells), np.int64), 0
    for cell in table:
        if cell >= 0:
            order[at] = cell
            at += 1
    return order


@kernel
def _beside(agent_at, aim, cell, side):
    """The agent on one side (a Facing) of ``cell`` that wants to enter it; -1: none."""
    height, width = agent_at.shape
    row, col = cell // width + (-1, 1, 0, 0)[side], cell % width + (0, 0, -1, 1)[side]
    if row < 0 or col < 0 or row >= height or col >= width:
        return -1
    agent = np.int64(agent_at[row, col]) - 1
    return agent if agent >= 0 and aim[agent] == cell else -1


@kernel
def _owner(agent_at, cell):
    return np.int64(agent_at[cell // agent_at.shape[1], cell % agent_at.shape[1]]) - 1


@kernel
def _component(agent_at, aim, own, first, cells, marks, mark):
    """Write the connected component of ``first`` in RWARE's graph to ``cells``, in networkx's breadth-first order.

    Sets ``marks`` of these cells to ``mark`` and returns how many there are.
    """
    cells[0], marks[first], count, at = first, mark, 1, 0
    while at < count:
        cell = cells[at]
        at += 1
        owner, after = _owner(agent_at, cell), -1
        if owner >= 0 and marks[aim[owner]] != mark:
            cells[count], marks[aim[owner]] = aim[owner], mark
            count += 1
        for _ in range(4):  # the robots that want to enter, by number: the order of the graph's edges
            follower = np.int64(len(aim))
            for side in range(4):
                agent = _beside(agent_at, aim, cell, side)
                if after < agent < follower:
                    follower = agent
            if follower == len(aim):
                break
            after = follower
            if marks[own[follower]] != mark:
                cells[count], marks[own[follower]] = own[follower], mark
                count += 1
    return count


@allocating
def _numbered(agent_at, aim, own):
    """The cells (H * W,) of RWARE's graph, numbered from 1 in RWARE's order, 0 for others; and their number."""
    number, count, nowhere = np.zeros(agent_at.size, np.int64), 0, 0
    for agent in range(len(aim)):
        if own[agent] < 0:
            nowhere = 1  # robots that are off the map of a belief share one cell, which no robot enters
            continue
        for cell in (own[agent], np.int64(aim[agent])):
            if number[cell] == 0:
                count += 1
                number[cell] = count
    return number, count + nowhere


@allocating
def _order(agent_at, aim, own, cell, number, count, place):
    """Write to ``place``, from 1, the order in which RWARE visits the cells connected with ``cell``."""
    cells, width = np.empty(2 * len(aim), np.int64), agent_at.shape[1]
    members, first = _component(agent_at, aim, own, cell, cells, place, -1), cell
    if 2 * members >= count:  # networkx then iterates over the whole graph
        for node in cells[:members]:
            place[node] = number[node]
        return
    for node in cells[:members]:
        if number[node] < number[first]:
            first = node
    _component(agent_at, aim, own, first, cells, place, -2)
    for k, node in enumerate(_python_set(_python_set(cells[:members], width), width)):
        place[node] = k + 1


@kernel
def _first_in_rware(agent_at, aim, own, cell, depth, longest, place):
    """Of the agents whose chains into ``cell`` are the longest, the one whose cell comes first."""
    best = np.int64(-1)
    for side in range(4):
        agent = _beside(agent_at, aim, cell, side)
        if agent >= 0 and depth[agent] == longest and (best < 0 or place[own[agent]] < place[own[best]]):
            best = agent
    return best


@kernel
def _head(agent_at, aim, cell, depth):
    """(agent, ties): the head of the longest chain into ``cell``, the lowest of ``ties`` such; -1: none."""
    best, longest, ties = np.int64(-1), 0, 0
    for side in range(4):
        agent = _beside(agent_at, aim, cell, side)
        if agent >= 0:
            if depth[agent] > longest:
                best, longest, ties = agent, depth[agent], 1
            elif depth[agent] == longest:
                best, ties = min(best, agent), ties + 1
    return best, ties


@kernel
def _depths(agent_at, aim, wants, depth, followers, ready):
    """For each agent that wants to move, the length of the longest chain that ends with it; 0 for agents in cycles.

    Fills ``depth``; ``followers`` and ``ready`` are scratch. All are (N,) int64 of zeros. Clears ``wants`` of agents
    that want a ``SOLE`` cell and that nobody follows.
    """
    n = len(aim)
    for agent in range(n):
        ahead = _owner(agent_at, aim[agent]) if wants[agent] else -1
        if ahead >= 0:
            followers[ahead] += 1
    count, at = 0, 0
    for agent in range(n):
        if wants[agent] and followers[agent] == 0:
            if agent_at.flat[aim[agent]] == SOLE:  # most robots of a large team: nobody is concerned
                wants[agent] = 0
                continue
            depth[agent], ready[count] = 1, agent
            count += 1
    while at < count:
        agent = ready[at]
        at += 1
        ahead = _owner(agent_at, aim[agent])
        if ahead >= 0 and wants[ahead]:
            depth[ahead] = max(depth[ahead], depth[agent] + 1)
            followers[ahead] -= 1
            if followers[ahead] == 0:
                ready[count] = ahead
                count += 1


@kernel
def _release_cycle(agent_at, aim, refused, agent, depth):
    """If ``agent`` is in a cycle of three or more, let the whole cycle move."""
    length, other = 0, agent
    while length == 0 or other != agent:
        depth[other] = -1  # seen
        other = _owner(agent_at, aim[other])
        length += 1
    for _ in range(length if length > 2 else 0):
        refused[other] = 0
        other = _owner(agent_at, aim[other])


@allocating
def resolve(agent_at, aim, pos, refused, as_rware):
    """Clear ``refused`` of the agents that move; on entry it is 1 for all that want to.

    ``agent_at`` (H, W) int32 agent + 1, SOLE or one less; ``aim`` (N,) int32 cells; ``pos`` (N, 2) int32; ``refused``
    (N,) int8.
    """
    n, width = len(aim), agent_at.shape[1]
    work = np.zeros((4, n), np.int64)  # one allocation, because it costs more than small teams' conflicts
    depth, own = work[0], work[1]
    _depths(agent_at, aim, refused, depth, work[2], work[3])
    for agent in range(n):
        own[agent] = pos[agent, 0] * width + pos[agent, 1]
    number, place, count = work[0, :0], work[0, :0], 0
    for agent in range(n):
        if not refused[agent] or depth[agent] < 0:
            continue
        if depth[agent] == 0:
            _release_cycle(agent_at, aim, refused, agent, depth)
            continue
        cell = np.int64(aim[agent])
        if _owner(agent_at, cell) >= 0:
            continue
        while True:
            head, ties = _head(agent_at, aim, cell, depth)
            if ties > 1 and as_rware:
                if len(place) == 0:
                    number, count = _numbered(agent_at, aim, own)
                    place = np.zeros(agent_at.size, np.int64)
                if place[cell] == 0:
                    _order(agent_at, aim, own, cell, number, count, place)
                head = _first_in_rware(agent_at, aim, own, cell, depth, depth[head], place)
            if head < 0 or not refused[head]:
                break
            refused[head] = 0
            cell = own[head]
