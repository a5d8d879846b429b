"""The wildfire's compiled policies: idle, random, rules (own observation and memory), oracle (the state)."""

import numpy as np

from sandbox.core.world import InboxColumn, TaskColumn
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.wildfire.policies.oracle import oracle
from sandbox.worlds.wildfire.state import Channel, Column, Kind, Note, Report, Verb

ROWS = np.array([0, -1, 1, 0, 0], np.int64)
COLS = np.array([0, 0, 0, -1, 1], np.int64)
FORGET = 12  # ticks without a sight of fire after which a crew forgets its last known fire
CROWDED = 6  # extra cost, in cells, of a fire to which another crew is nearer
FAR = 1 << 20


@kernel
def start(memory, lane, params):
    """Clear the memory of one lane."""
    for agent in range(params.agents):
        for k in range(memory.notes.shape[2]):
            memory.notes[lane, agent, k] = -1
        memory.notes[lane, agent, Note.LOST] = 0


@kernel
def _count(channel, value):
    """How many cells of a channel (K, K) have a value. Processors compare many cells at once; searching is slower."""
    flat, found = channel.flat, 0
    for k in range(channel.size):
        found += flat[k] == value
    return found


@kernel
def _crew_nearer(window, sight, i, j, way):
    """Whether another crew in sight is nearer to a cell of the window."""
    for a in range(max(0, i - 2), min(2 * sight + 1, i + 3)):
        for b in range(max(0, j - 2), min(2 * sight + 1, j + 3)):
            if window[Channel.CREW, a, b] and abs(a - i) + abs(b - j) < way:
                return True
    return False


@kernel
def _front(window, sight, i, j):
    """Whether a burning cell of the window could ignite something in sight."""
    for a in range(max(0, i - 1), min(2 * sight + 1, i + 2)):
        for b in range(max(0, j - 1), min(2 * sight + 1, j + 2)):
            fuel = Kind.GRASS + 1 <= window[Channel.KIND, a, b] <= Kind.BUILDING + 1
            if fuel and window[Channel.FIRE, a, b] == 0 and window[Channel.GROUND, a, b] == 0:
                return True
    return False


@kernel
def _nearest_fire(window, sight, agent):
    """Row and column in the window of the burning cell to attack; (-1, -1): none in sight."""
    best_i, best_j, least = -1, -1, FAR
    area = window[Channel.FIRE].size
    if _count(window[Channel.FIRE], 0) == area:
        return best_i, best_j
    alone = _count(window[Channel.CREW], 0) == area
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if window[Channel.FIRE, i, j]:
                way = abs(i - sight) + abs(j - sight)
                cost = 2 * way - (6 if window[Channel.KIND, i, j] == Kind.BUILDING + 1 else 0)
                cost = 4 * cost + (i + j + agent) % 4  # neighbouring crews choose different cells
                if cost >= least:  # what follows can only add to it
                    continue
                cost += 0 if _front(window, sight, i, j) else 4 * 12
                if not alone and cost < least and _crew_nearer(window, sight, i, j, way):
                    cost += 4 * CROWDED
                if cost < least:
                    best_i, best_j, least = i, j, cost
    return best_i, best_j


@kernel
def _hear(obs, lane, agent, note, row, col):
    """Note the nearest fire that other crews report."""
    least = FAR
    for message in obs.inbox[lane, agent]:
        if message[InboxColumn.SENDER] and message[InboxColumn.KIND] == Report.FIRE:
            fire_row, fire_col = message[InboxColumn.FIRST], message[InboxColumn.SECOND]
            way = abs(fire_row - row) + abs(fire_col - col)
            if way < least:
                least = way
                note[Note.FIRE_ROW], note[Note.FIRE_COL], note[Note.LOST] = fire_row, fire_col, 0


@kernel
def _seen_water(window, sight, row, col, width):
    """The nearest cell with water in sight; -1: none."""
    best, least = np.int64(-1), FAR
    if _count(window[Channel.KIND], Kind.WATER + 1) == 0:
        return best
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            way = abs(i - sight) + abs(j - sight)
            if window[Channel.KIND, i, j] == Kind.WATER + 1 and way < least:
                best, least = np.int64((row + i - sight) * width + col + j - sight), way
    return best


@kernel
def _walk(mask, row, col, to_row, to_col, spin):
    """The legal move that leads nearest to a cell; stay in the cell itself."""
    best, least = np.int32(Verb.STAY), FAR
    if row == to_row and col == to_col:
        return best
    for k in range(4):
        side = (k + spin) % 4
        if mask[Verb.NORTH + side]:
            way = abs(to_row - row - ROWS[side + 1]) + abs(to_col - col - COLS[side + 1])
            if way < least:
                best, least = np.int32(Verb.NORTH + side), way
    return best


@kernel
def _search(vector, task, note, agent, params, dice):
    """Where to go without fire in sight: to the team's task, else to a known fire, else around that place."""
    row, col = int(vector[Column.ALARM_ROW]), int(vector[Column.ALARM_COL])
    if task[TaskColumn.KIND] and task[TaskColumn.ROW] >= 0:
        row, col = int(task[TaskColumn.ROW]), int(task[TaskColumn.COL])
        if abs(row - vector[Column.ROW]) + abs(col - vector[Column.COL]) > params.sight:
            return row, col
    if note[Note.FIRE_ROW] >= 0:
        row, col = int(note[Note.FIRE_ROW]), int(note[Note.FIRE_COL])
    note[Note.LOST] += 1
    if abs(row - vector[Column.ROW]) + abs(col - vector[Column.COL]) <= params.sight or note[Note.LOST] > 4 * FORGET:
        note[Note.FIRE_ROW] = -1
    if note[Note.FIRE_ROW] < 0 and note[Note.LOST] > FORGET:
        wide = min(4 + note[Note.LOST] // 4, 24)
        row += below(2 * wide + 1, dice, 1, 0, agent) - wide
        col += below(2 * wide + 1, dice, 2, 0, agent) - wide
    return row, col


@kernel
def _fetch_water(obs, lane, agent, params, note, spin, dice):
    """The verb that leads to water: in sight, else seen before, else on the map."""
    vector, mask = obs.vector[lane, agent], obs.mask[lane, agent]
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    if mask[Verb.REFILL]:
        return np.int32(Verb.REFILL)
    water = _seen_water(obs.window[lane, agent], params.sight, row, col, params.width)
    if water < 0:
        water = np.int64(note[Note.WATER])
    if water >= 0:
        return _walk(mask, row, col, water // params.width, water % params.width, spin)
    to_row, to_col = int(vector[Column.WATER_ROW]), int(vector[Column.WATER_COL])
    if to_row >= 0 and abs(to_row - row) + abs(to_col - col) > 1:
        return _walk(mask, row, col, to_row, to_col, spin)
    return np.int32(Verb.NORTH + spin) if mask[Verb.NORTH + spin] else np.int32(Verb.STAY)


@kernel
def _burns_in_reach(window, sight):
    for k in range(5):
        if window[Channel.FIRE, sight + ROWS[k], sight + COLS[k]]:
            return True
    return False


@kernel
def _decide(obs, lane, agent, params, memory, dice):
    """One crew's verb: near fire, rescue households and put out what is in reach; else go to a known fire."""
    window, vector, mask = obs.window[lane, agent], obs.vector[lane, agent], obs.mask[lane, agent]
    note, sight = memory.notes[lane, agent], params.sight
    row, col, spin = int(vector[Column.ROW]), int(vector[Column.COL]), below(4, dice, 0, 0, agent)
    water = _seen_water(window, sight, row, col, params.width)
    if water >= 0:
        note[Note.WATER] = water
    i, j = _nearest_fire(window, sight, agent)
    if i >= 0:
        note[Note.FIRE_ROW], note[Note.FIRE_COL], note[Note.LOST] = row + i - sight, col + j - sight, 0
        if mask[Verb.RESCUE]:
            return np.int32(Verb.RESCUE)
        if mask[Verb.DOUSE] and _burns_in_reach(window, sight):
            return np.int32(Verb.DOUSE)
    if vector[Column.TANKS] == 0:
        return _fetch_water(obs, lane, agent, params, note, spin, dice)
    if i >= 0:
        return _walk(mask, row, col, row + i - sight, col + j - sight, spin)
    if mask[Verb.REFILL] and vector[Column.TANKS] < params.tanks // 2:
        return np.int32(Verb.REFILL)
    _hear(obs, lane, agent, note, row, col)
    to_row, to_col = _search(vector, obs.task[lane, agent], note, agent, params, dice)
    return _walk(mask, row, col, to_row, to_col, spin)


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Each crew acts alone on its window and its radio, and remembers where fire and water were."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.STAY, 0
        if obs.vector[lane, agent, Column.DOWN] == 0:
            actions[lane, agent, 0] = _decide(obs, lane, agent, params, memory, dice)


POLICIES = {"idle": idle, "random": random, "rules": rules, "oracle": oracle}
