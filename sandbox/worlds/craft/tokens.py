"""Craft as tokens, for a learned world model.

Learned: whether a player moves and where it looks, its items, needs and their hidden counters, sleep and achievements,
what becomes of the cell ahead of it; where each creature near a player goes, whether it dies, shoots, or breaks what it
hits, its health and its clock; whether a plant is eaten or dies. A cell is seen with the 5 x 5 cells around it. What a
player holds and needs is a place of its own, beyond the cells, which sees what lies ahead of the player.

Known from the rules, and not learned: which actions are legal (players are told it), the balance of chunks, which lets
creatures appear and disappear out of reach, that plants age, the goal and the tick limit; that things stay on the map,
each in a cell of its own, and where they can walk. Whether an action was refused is not foretold. Not learned for the
perturbation scarcity.
"""

import numpy as np

from sandbox.core.tokens import Channel, Practice, Tokens, patches
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.kernels import _close, _known
from sandbox.worlds.craft.dynamics.mobs import BALANCED_EVERY, NEAR
from sandbox.worlds.craft.dynamics.players import (
    FATIGUE,
    HUNGER,
    RECOVER,
    REST,
    RIPE_AT,
    THIRST,
    WEAKEN,
    _ahead,
    _legal,
)
from sandbox.worlds.craft.dynamics.recipes import ENTERS, FLIES, WALKS
from sandbox.worlds.craft.dynamics.things import (
    DCOL,
    DROW,
    _nearest,
    add,
    free,
    put_material,
    relocate,
    remove,
)
from sandbox.worlds.craft.state import (
    ITEMS,
    MOST,
    Achievement,
    Body,
    Kind,
    Material,
    Mob,
    Params,
    Severity,
    Verb,
)

KINDS = 11  # tokens of things: none, a player, cow, zombie, skeleton, an arrow by its facing, a plant, a ripe one
ARROW, PLANT, RIPE = 5, 9, 10
FIERCEST, SLOWEST = 5, 5  # health and clock of creatures, at most
GROUND, THING, FACING, ACTION, SWORD, SLEEPS = range(6)  # input, of cells
HEALTH, CLOCK, DOWN, RIGHT, LONGER, FAR = range(6, 12)  # input, of creatures: the last four say where the player is
AHEAD, BEFORE, BITES, WAITS, ARROWS, HURT, DOES, NEEDS = range(12, 20)  # input, of players
STUFF = NEEDS + 4  # the first of the items
COUNTERS = (Body.HUNGER, Body.THIRST, Body.FATIGUE, Body.RECOVER)
LEAST = np.array([0, 0, REST - 1, WEAKEN - 2], np.int32)  # of the counters
SPAN = tuple(top - low + 5 for top, low in zip((HUNGER, THIRST, FATIGUE, RECOVER), LEAST.tolist(), strict=True))
SEEN = (
    Channel("ground", len(Material)), Channel("thing", KINDS), Channel("facing", 5), Channel("action", 1 + len(Verb)),
    Channel("sword", 4), Channel("sleeps", 2),
    Channel("health", 1 + FIERCEST, own=True), Channel("clock", 1 + SLOWEST, own=True), Channel("down", 3, own=True),
    Channel("right", 3, own=True), Channel("longer", 2, own=True), Channel("far", NEAR + 1, own=True),
    Channel("ahead", len(Material), own=True), Channel("before", KINDS, own=True), Channel("bites", 5, own=True),
    Channel("waits", 5, own=True), Channel("arrows", 5, own=True), Channel("hurt", MOST + 1, own=True),
    Channel("does", 1 + len(Verb), own=True),
    *(Channel(each.name.lower(), span, own=True) for each, span in zip(COUNTERS, SPAN, strict=True)),
    *(Channel(each.name.lower(), MOST + 1, own=True) for each in ITEMS),
)  # fmt: skip
OF_A_PLAYER, OF_A_CELL, OF_A_CREATURE, OF_A_PLANT = range(4)  # heads
GOES, LOOKS, SLEEPING, PAIN, REACHES, WAKES, COUNTER = range(7)  # channels of the first
ITEM = COUNTER + 4  # the first of the items
BECOMES, SPROUTS = range(2)  # of the second
WALKS_TO, SHOOTS, KEEPS, WAITING, BREAKS = range(5)  # of the third
GONE = 5  # after four ways
FATE = 0  # of the fourth
AGES, EATEN, DIES = range(3)
UP, UP_TWO, UP_FOUR, BACK, BACK_TWO, EMPTY, ONE, TWO = range(8)  # what a counter does: by how much, or to what
STEPS = np.array([1, 2, 4, -1, -2], np.int32)  # of the first five
HEADS = (
    (
        Channel("goes", 2), Channel("looks", 4), Channel("sleeping", 2), Channel("pain", MOST + 1),
        Channel("reaches", 1 + len(Achievement)), Channel("wakes", 2),
        *(Channel(f"counts_{each.name.lower()}", 8) for each in COUNTERS),
        *(Channel(f"has_{each.name.lower()}", MOST + 1) for each in ITEMS),
    ),
    (Channel("becomes", len(Material)), Channel("sprouts", 2)),
    (
        Channel("walks", 6), Channel("shoots", 5), Channel("keeps", 1 + FIERCEST), Channel("waiting", 1 + SLOWEST),
        Channel("breaks", 2),
    ),
    (Channel("fate", 3),),
)  # fmt: skip


@kernel
def _ground(material):
    """The token of a material: 0 for grass, which is the usual one."""
    return 0 if material == Material.GRASS else 2 if material == Material.UNKNOWN else abs(material)


@kernel
def _material(token):
    """The inverse of :func:`_ground`."""
    return np.int8(Material.GRASS.value if token == 0 else Material.UNKNOWN.value if token == 2 else token)


@kernel
def _thing(s, lane, thing):
    """The token of a thing, by its number on the map."""
    if thing <= s.pos.shape[1]:
        return int(thing > 0)
    mob = s.mobs[lane, thing - 1 - s.pos.shape[1]]
    if mob[Mob.KIND] == Kind.ARROW:
        return ARROW + mob[Mob.FACING]
    if mob[Mob.KIND] == Kind.PLANT:
        return RIPE if mob[Mob.CLOCK] > RIPE_AT else PLANT
    return mob[Mob.KIND]


@kernel
def _is_there(s, lane, agent):
    """Whether a player acts in this tick."""
    return s.body[lane, agent, Body.HEALTH] > 0 and s.pos[lane, agent, 0] >= 0


@kernel
def _sword(body):
    return 3 if body[Body.IRON_SWORD] else 2 if body[Body.STONE_SWORD] else 1 if body[Body.WOOD_SWORD] else 0


@kernel
def _around(s, lane, row, col, own):
    """Count the zombies beside a player, by whether they can bite now, and the arrows that fly at it."""
    for side in range(4):
        r, c = row + DROW[side], col + DCOL[side]
        if 0 <= r < s.grid.shape[1] and 0 <= c < s.grid.shape[2]:
            thing = s.object_at[lane, r, c] - 1 - s.pos.shape[1]
            if thing < 0:
                continue
            mob = s.mobs[lane, thing]
            if mob[Mob.KIND] == Kind.ZOMBIE:
                own[BITES] += mob[Mob.CLOCK] == 0
                own[WAITS] += mob[Mob.CLOCK] > 0
            elif mob[Mob.KIND] == Kind.ARROW and DROW[mob[Mob.FACING]] == -DROW[side]:
                own[ARROWS] += DCOL[mob[Mob.FACING]] == -DCOL[side]


@kernel
def _player(s, lane, agent, verb, tokens):
    """The tokens of a player, in its cell and in its own place; returns the cell ahead, -1: beyond the map."""
    body, width = s.body[lane, agent], s.grid.shape[2]
    cell, place = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1], s.grid[lane].size + agent
    tokens[cell, FACING], tokens[cell, ACTION] = 1 + body[Body.FACING], 1 + verb
    tokens[cell, SWORD], tokens[cell, SLEEPS] = _sword(body), body[Body.SLEEPING]
    own = tokens[place]
    row, col, material, thing = _ahead(s, lane, agent)
    own[AHEAD], own[BEFORE], own[DOES] = _ground(material), _thing(s, lane, thing), 1 + verb
    own[SLEEPS], own[FACING] = body[Body.SLEEPING], 1 + body[Body.FACING]
    own[HURT] = min(MOST, max(0, body[Body.FELT] - body[Body.HEALTH]))
    for k in range(4):
        own[NEEDS + k] = min(max(body[Body.HUNGER + k] - LEAST[k], 0), SPAN[k] - 1)
    for k in range(len(ITEMS)):
        own[STUFF + k] = min(MOST, max(0, body[Body.HEALTH + k]))
    _around(s, lane, s.pos[lane, agent, 0], s.pos[lane, agent, 1], own)
    return -1 if row < 0 or col < 0 or row >= s.grid.shape[1] or col >= width else row * width + col


@kernel
def _creature(s, lane, slot, far, who, own):
    """The tokens of a creature, in its cell."""
    mob = s.mobs[lane, slot]
    down, right = s.pos[lane, who, 0] - mob[Mob.ROW], s.pos[lane, who, 1] - mob[Mob.COL]
    own[HEALTH], own[CLOCK] = min(max(mob[Mob.HEALTH], 0), FIERCEST), min(mob[Mob.CLOCK], SLOWEST)
    own[DOWN], own[RIGHT] = (down > 0) + 2 * (down < 0), (right > 0) + 2 * (right < 0)
    own[LONGER], own[FAR] = abs(right) > abs(down), min(int(far), NEAR)


@kernel
def pack(s, lane, actions, params, tokens, asked):
    """See ``core.tokens``."""
    height, width = params.plan.shape
    for place in range(len(tokens)):
        for channel in range(tokens.shape[1]):
            tokens[place, channel] = 0
    for row in range(height):
        for col in range(width):
            tokens[row * width + col, GROUND] = _ground(s.grid[lane, row, col])
            tokens[row * width + col, THING] = _thing(s, lane, s.object_at[lane, row, col])
    tokens[len(tokens) - 1, GROUND], count = _ground(Material.UNKNOWN), 0
    for agent in range(params.agents):
        if not _is_there(s, lane, agent):
            continue
        verb = _known(actions, lane, agent)
        if not _legal(s, lane, agent, verb):
            verb = np.int32(Verb.NOOP)
        ahead = _player(s, lane, agent, verb, tokens)
        asked[count, 0], asked[count, 1] = height * width + agent, OF_A_PLAYER
        count += 1
        if ahead >= 0:
            asked[count, 0], asked[count, 1] = ahead, OF_A_CELL
            count += 1
    for slot in range(s.census[lane]):
        mob = s.mobs[lane, slot]
        far, who = _nearest(s.pos[lane], s.object_at[lane], mob[Mob.ROW], mob[Mob.COL])
        if far <= NEAR:  # who is at its edge may come near in this tick
            cell = mob[Mob.ROW] * width + mob[Mob.COL]
            _creature(s, lane, slot, far, who, tokens[cell])
            asked[count, 0], asked[count, 1] = cell, OF_A_PLANT if mob[Mob.KIND] == Kind.PLANT else OF_A_CREATURE
            count += 1
    return count


# -- what happened


@kernel
def _counted(before, after):
    """What a counter did."""
    for k in range(len(STEPS)):
        if after - before == STEPS[k]:
            return k
    return EMPTY if after <= 0 else ONE if after == 1 else TWO


@kernel
def _of_a_player(s, lane, after, to, agent, out):
    old, new = s.body[lane, agent], after.body[to, agent]
    out[GOES] = s.pos[lane, agent, 0] != after.pos[to, agent, 0] or s.pos[lane, agent, 1] != after.pos[to, agent, 1]
    out[LOOKS], out[SLEEPING] = new[Body.FACING], new[Body.SLEEPING]
    out[PAIN] = min(MOST, max(0, new[Body.FELT] - new[Body.HEALTH]))
    out[REACHES] = 0
    for k in range(s.achieved.shape[2] - 1):  # without the last
        if after.achieved[to, agent, k] > s.achieved[lane, agent, k]:
            out[REACHES] = 1 + k
    out[WAKES] = after.achieved[to, agent, Achievement.WAKE_UP] > s.achieved[lane, agent, Achievement.WAKE_UP]
    for k in range(4):
        out[COUNTER + k] = _counted(old[Body.HUNGER + k], new[Body.HUNGER + k])
    for k in range(len(ITEMS)):
        out[ITEM + k] = new[Body.HEALTH + k]


@kernel
def _successor(s, lane, slot, after, to, first):
    """The row of ``after`` that a mob has now, from ``first`` on; -1: it is gone. Mobs keep their order."""
    mob = s.mobs[lane, slot]
    if first >= after.census[to]:
        return -1
    new = after.mobs[to, first]
    far = abs(new[Mob.ROW] - mob[Mob.ROW]) + abs(new[Mob.COL] - mob[Mob.COL])
    turned = mob[Mob.KIND] == Kind.ARROW and new[Mob.FACING] != mob[Mob.FACING]
    return first if new[Mob.KIND] == mob[Mob.KIND] and far <= 1 and not turned else -1


@kernel
def _sent_away(s, lane, slot, after, to):
    """Whether a mob that is gone was removed by the balance of chunks, and by nobody's blow."""
    kind = s.mobs[lane, slot, Mob.KIND]
    if (s.tick[lane] + 1) % BALANCED_EVERY or kind > Kind.SKELETON or s.mobs[lane, slot, Mob.HEALTH] <= 0:
        return False
    for agent in range(s.pos.shape[1]):
        for k in (Achievement.EAT_COW.value, Achievement.DEFEAT_ZOMBIE.value, Achievement.DEFEAT_SKELETON.value):
            if after.achieved[to, agent, k] > s.achieved[lane, agent, k]:
                return False
    return True


@kernel
def _of_a_creature(s, lane, slot, after, to, now, out):
    mob = s.mobs[lane, slot]
    out[WALKS_TO], out[SHOOTS], out[KEEPS], out[WAITING], out[BREAKS] = GONE, 0, 0, 0, 0
    if now < 0:
        if _sent_away(s, lane, slot, after, to):
            out[WALKS_TO], out[KEEPS], out[WAITING] = 0, mob[Mob.HEALTH], mob[Mob.CLOCK]
        if mob[Mob.KIND] == Kind.ARROW:
            row, col = mob[Mob.ROW] + DROW[mob[Mob.FACING]], mob[Mob.COL] + DCOL[mob[Mob.FACING]]
            if 0 <= row < s.grid.shape[1] and 0 <= col < s.grid.shape[2]:
                out[BREAKS] = s.grid[lane, row, col] >= Material.TABLE and after.grid[to, row, col] == Material.PATH
        return
    new = after.mobs[to, now]
    out[WALKS_TO], out[KEEPS], out[WAITING] = 0, min(new[Mob.HEALTH], FIERCEST), min(new[Mob.CLOCK], SLOWEST)
    for side in range(4):
        if new[Mob.ROW] - mob[Mob.ROW] == DROW[side] and new[Mob.COL] - mob[Mob.COL] == DCOL[side]:
            out[WALKS_TO] = 1 + side
    if mob[Mob.KIND] == Kind.SKELETON and new[Mob.CLOCK] == 4:  # it has just shot, and did not move
        for side in range(4):
            row, col = mob[Mob.ROW] + DROW[side], mob[Mob.COL] + DCOL[side]
            if 0 <= row < s.grid.shape[1] and 0 <= col < s.grid.shape[2]:
                thing = after.object_at[to, row, col] - 1 - s.pos.shape[1]
                if thing >= 0 and after.mobs[to, thing, Mob.KIND] == Kind.ARROW:
                    if after.mobs[to, thing, Mob.FACING] == side:
                        out[SHOOTS] = 1 + side


@kernel
def outcome(s, lane, after, to, params, asked, count, out):
    """See ``core.tokens``."""
    cells, width, first, slot = s.grid[lane].size, s.grid.shape[2], 0, 0
    for k in range(count):
        place = asked[k, 0]
        if asked[k, 1] == OF_A_PLAYER:
            _of_a_player(s, lane, after, to, place - cells, out[k])
        elif asked[k, 1] == OF_A_CELL:
            row, col = place // width, place % width
            out[k, BECOMES] = _ground(after.grid[to, row, col])
            was, thing = s.object_at[lane, row, col], after.object_at[to, row, col] - 1 - s.pos.shape[1]
            out[k, SPROUTS] = was == 0 and thing >= 0 and after.mobs[to, thing, Mob.KIND] == Kind.PLANT
        else:
            mine = s.object_at[lane, place // width, place % width] - 1 - s.pos.shape[1]
            now = np.int64(-1)
            while slot <= mine:  # also those that are far away
                now = _successor(s, lane, slot, after, to, first)
                first, slot = first + (now >= 0), slot + 1
            if asked[k, 1] == OF_A_CREATURE:
                _of_a_creature(s, lane, mine, after, to, now, out[k])
            else:
                eaten = now >= 0 and after.mobs[to, now, Mob.CLOCK] < s.mobs[lane, mine, Mob.CLOCK]
                out[k, FATE] = DIES if now < 0 else EATEN if eaten else AGES


# -- the next tick


@kernel
def _live_on(s, lane, agent, out):
    """A player's next tick."""
    body, pos = s.body[lane, agent], s.pos[lane, agent]
    body[Body.FACING], body[Body.SLEEPING] = out[LOOKS], out[SLEEPING]
    if out[GOES]:
        row, col = pos[0] + DROW[out[LOOKS]], pos[1] + DCOL[out[LOOKS]]
        if free(s.grid[lane], s.object_at[lane], row, col, ENTERS):
            relocate(s.object_at[lane], s.chunks[lane], Kind.PLAYER, pos[0], pos[1], row, col)
            pos[0], pos[1] = row, col
    if out[REACHES]:
        s.achieved[lane, agent, out[REACHES] - 1] += 1
    s.achieved[lane, agent, Achievement.WAKE_UP] += out[WAKES]
    for k in range(4):
        does, counter = out[COUNTER + k], Body.HUNGER + k
        value = body[counter] + STEPS[does] if does < len(STEPS) else does - EMPTY
        body[counter] = min(max(value, LEAST[k]), LEAST[k] + SPAN[k] - 1)
    for k in range(len(ITEMS)):
        body[Body.HEALTH + k] = out[ITEM + k]
    body[Body.FELT] = min(MOST, body[Body.HEALTH] + out[PAIN])


@kernel
def _cell(s, lane, row, col, out):
    """The next tick of the cell ahead of a player."""
    material = _material(out[BECOMES])
    if s.object_at[lane, row, col] == 0 and out[SPROUTS] and s.grid[lane, row, col] == Material.GRASS:
        add(s, lane, Kind.PLANT, row, col, 1, 0)
    elif material != Material.UNKNOWN and material != s.grid[lane, row, col]:
        if s.object_at[lane, row, col] == 0 or WALKS[material]:
            put_material(s.grid[lane], s.chunks[lane], row, col, material)


@kernel
def _break(s, lane, mob):
    """What an arrow hits becomes a path, if it is a table or a furnace."""
    row, col = mob[Mob.ROW] + DROW[mob[Mob.FACING]], mob[Mob.COL] + DCOL[mob[Mob.FACING]]
    if 0 <= row < s.grid.shape[1] and 0 <= col < s.grid.shape[2] and s.grid[lane, row, col] >= Material.TABLE:
        put_material(s.grid[lane], s.chunks[lane], row, col, np.int8(Material.PATH))


@kernel
def _roam(s, lane, slot, out):
    """A creature's next tick; returns whether it is gone."""
    mob = s.mobs[lane, slot]
    row, col, kind = mob[Mob.ROW], mob[Mob.COL], mob[Mob.KIND]
    if out[WALKS_TO] == GONE:
        if kind == Kind.ARROW and out[BREAKS]:
            _break(s, lane, mob)
        remove(s, lane, slot)
        return True
    mob[Mob.HEALTH], mob[Mob.CLOCK] = out[KEEPS], out[WAITING]
    if out[WALKS_TO]:
        down, right = DROW[out[WALKS_TO] - 1], DCOL[out[WALKS_TO] - 1]
        if free(s.grid[lane], s.object_at[lane], row + down, col + right, FLIES if kind == Kind.ARROW else WALKS):
            relocate(s.object_at[lane], s.chunks[lane], kind, row, col, row + down, col + right)
            mob[Mob.ROW], mob[Mob.COL] = row + down, col + right
    elif out[SHOOTS] and kind == Kind.SKELETON:
        side = out[SHOOTS] - 1
        if free(s.grid[lane], s.object_at[lane], row + DROW[side], col + DCOL[side], FLIES):
            add(s, lane, Kind.ARROW, row + DROW[side], col + DCOL[side], 0, side)
    return False


@kernel
def unpack(out, asked, count, s, lane, params):
    """See ``core.tokens``."""
    cells, width, gone, players = s.grid[lane].size, s.grid.shape[2], False, s.pos.shape[1]
    s.tick[lane] += 1
    for agent in range(params.agents):
        s.refused[lane, agent] = 0
    for k in range(count):
        place, head = asked[k, 0], asked[k, 1]
        if head == OF_A_PLAYER:
            _live_on(s, lane, place - cells, out[k])
            continue
        row, col = place // width, place % width
        slot = s.object_at[lane, row, col] - 1 - players
        if head == OF_A_CELL:
            _cell(s, lane, row, col, out[k])
        elif head == OF_A_CREATURE and slot >= 0:
            gone |= _roam(s, lane, slot, out[k])
        elif slot >= 0:
            mob = s.mobs[lane, slot]
            mob[Mob.CLOCK] = 1 if out[k, FATE] == EATEN else min(mob[Mob.CLOCK] + 1, RIPE_AT + 1)
            if out[k, FATE] == DIES:
                remove(s, lane, slot)
                gone = True
    _close(s, lane, gone, params)


def _lacks(params: Params) -> str:
    return "scarcity changes how fast needs grow" if params.severity[Severity.SCARCITY] > 0 else ""


def _neighbours(params: Params) -> np.ndarray:
    """The 5 x 5 cells around each cell; the places of players see only themselves."""
    cells = patches(*params.plan.shape)
    outside = params.plan.size + params.agents
    own = np.full((params.agents, cells.shape[1]), outside, np.int32)
    own[:, 0] = params.plan.size + np.arange(params.agents)
    return np.concatenate([np.where(cells == params.plan.size, outside, cells).astype(np.int32), own])


PRACTICE = Practice(
    layouts=("crafter",),
    variants=({"agents": 1, "goal": "none"}, {"agents": 1, "goal": "none"}, {"agents": 2, "goal": "none"}),
    tests=({"layout": "crafter", "agents": 1, "goal": "none"},),
    policy="oracle",
    kept=(1.0, 1.0, 0.15, 0.05),
)
TOKENS = Tokens(
    practice=PRACTICE,
    seen=SEEN,
    heads=HEADS,
    neighbours=_neighbours,
    most=lambda params: 2 * params.agents + params.most_mobs,
    pack=pack,
    outcome=outcome,
    unpack=unpack,
    lacks=_lacks,
)
