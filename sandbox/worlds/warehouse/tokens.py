"""The warehouse of shelves as tokens, for a learned world model.

Learned, from the patch of 5 x 5 cells around a robot: whether it moves ahead, where it then looks, whether it picks up
or puts down a shelf, and whether it delivers. Known from the rules, and not learned: the plan, which shelf is drawn
after a delivery, the number of deliveries that completes the task, the tick limit; that robots stay in the hall, each
in a cell of its own (of two that would be in one, both stay), that a loaded robot does not enter the place of a shelf,
that shelves are put down on slots only, and delivered on goals if the board has them. Only robots are asked for:
nothing changes without one. The courier task has no tokens.
"""

from sandbox.core.tokens import Channel, Practice, Tokens, patches
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.dynamics.kernels import close
from sandbox.worlds.warehouse.dynamics.orders import serve
from sandbox.worlds.warehouse.dynamics.seen import refresh, step_ahead
from sandbox.worlds.warehouse.state import Cell, Params, Verb

OUTSIDE = len(Cell)
KIND, SHELF, ROBOT, LOADED, ACTION = range(5)  # input
SEEN = (
    Channel("kind", OUTSIDE + 1), Channel("shelf", 3), Channel("robot", 5), Channel("loaded", 2),
    Channel("action", 1 + len(Verb)),
)  # fmt: skip
MOVES, FACES, LOADS, DELIVERS = range(4)  # output
HEADS = ((Channel("moves", 2), Channel("faces", 4), Channel("loads", 3), Channel("delivers", 2)),)
PICKS_UP, PUTS_DOWN = 1, 2


@kernel
def _present(s, lane, agent):
    """The next agent with a place, after ``agent``."""
    agent += 1
    while s.pos[lane, agent, 0] < 0:
        agent += 1
    return agent


@kernel
def pack(s, lane, actions, params, tokens, asked):
    """See ``core.tokens``."""
    height, width = params.plan.shape
    for cell in range(height * width):
        row, col = cell // width, cell % width
        shelf = s.shelf_at[lane, row, col]
        tokens[cell, KIND], tokens[cell, ROBOT] = s.grid[lane, row, col], 0
        tokens[cell, LOADED], tokens[cell, ACTION] = 0, 0
        tokens[cell, SHELF] = 1 + s.requested[lane, shelf - 1] if shelf > 0 else 0
    tokens[height * width, KIND], count = OUTSIDE, 0
    for agent in range(params.agents):
        if s.pos[lane, agent, 0] < 0:
            continue
        cell, verb = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1], actions[lane, agent, 0]
        if verb < 0 or verb >= params.verbs or actions[lane, agent, 1] != 0:
            verb = Verb.NOOP.value
        tokens[cell, ROBOT], tokens[cell, LOADED] = 1 + s.facing[lane, agent], s.carrying[lane, agent] > 0
        tokens[cell, ACTION] = 1 + verb
        asked[count, 0], asked[count, 1] = cell, 0
        count += 1
    return count


@kernel
def outcome(s, lane, after, to, params, asked, count, out):
    """See ``core.tokens``."""
    agent = -1
    for k in range(count):
        agent = _present(s, lane, agent)
        old, new = s.pos[lane, agent], after.pos[to, agent]
        before, now = s.carrying[lane, agent], after.carrying[to, agent]
        shelf = after.shelf_at[to, new[0], new[1]]
        out[k, MOVES] = old[0] != new[0] or old[1] != new[1]
        out[k, FACES] = after.facing[to, agent]
        out[k, LOADS] = PICKS_UP if now > 0 and before == 0 else PUTS_DOWN if before > 0 and now == 0 else 0
        out[k, DELIVERS] = 0
        if shelf > 0 and s.grid[lane, new[0], new[1]] == Cell.GOAL:
            # of two deliveries, the first may draw for the board the shelf of the second: ``unpack`` looks there
            served = after.delivered[to] - s.delivered[lane]
            out[k, DELIVERS] = served > 1 or (served > 0 and s.requested[lane, shelf - 1] > 0)


@kernel
def _goal(s, lane, agent, moves):
    """The cell in which a robot will be."""
    down, right = step_ahead(s.facing[lane, agent])
    return s.pos[lane, agent, 0] + moves * down, s.pos[lane, agent, 1] + moves * right


@kernel
def _can_enter(s, lane, agent, row, col, params):
    """Whether robots can enter a cell; another robot may be there."""
    if not (0 <= row < params.plan.shape[0] and 0 <= col < params.plan.shape[1]) or s.grid[lane, row, col] >= Cell.WALL:
        return False
    there = s.agent_at[lane, row, col] - 1
    stands = s.shelf_at[lane, row, col] > 0 and (there < 0 or s.carrying[lane, there] == 0)
    return not (stands and s.carrying[lane, agent] > 0)


@kernel
def _separate(s, lane, params, out, count):
    """Let robots stay that cannot go where they would, until each has a cell of its own."""
    agent = -1
    for k in range(count):
        agent = _present(s, lane, agent)
        row, col = _goal(s, lane, agent, out[k, MOVES])
        if out[k, MOVES] and not _can_enter(s, lane, agent, row, col, params):
            out[k, MOVES] = 0
    clash = True
    while clash:
        clash, a = False, -1
        for j in range(count):
            a, b = _present(s, lane, a), -1
            for k in range(j):
                b = _present(s, lane, b)
                if _goal(s, lane, a, out[j, MOVES]) == _goal(s, lane, b, out[k, MOVES]):
                    out[j, MOVES], out[k, MOVES], clash = 0, 0, True


@kernel
def _move(s, lane, params, out, count):
    """All robots leave their cells, with their loads, and then arrive."""
    agent = -1
    for _ in range(count):
        agent = _present(s, lane, agent)
        row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
        s.agent_at[lane, row, col] = 0
        if s.carrying[lane, agent] > 0:
            s.shelf_at[lane, row, col] = 0
    agent = -1
    for k in range(count):
        agent = _present(s, lane, agent)
        row, col = _goal(s, lane, agent, out[k, MOVES])
        load = s.carrying[lane, agent]
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
        s.agent_at[lane, row, col], s.aim[lane, agent] = agent + 1, row * params.plan.shape[1] + col
        if load > 0:
            s.shelf_at[lane, row, col] = load
            s.shelf[lane, load - 1, 0], s.shelf[lane, load - 1, 1] = row, col


@kernel
def _deliver(s, lane, params, out, count):
    """The deliveries that are predicted, goal by goal, as the rules have it: draws depend on their order."""
    for goal in range(len(params.goals)):
        row, col, agent = params.goals[goal, 0], params.goals[goal, 1], -1
        for k in range(count):
            agent = _present(s, lane, agent)
            if out[k, DELIVERS] and s.pos[lane, agent, 0] == row and s.pos[lane, agent, 1] == col:
                shelf = s.shelf_at[lane, row, col]
                if shelf > 0 and s.requested[lane, shelf - 1]:
                    serve(s, lane, row, col, params)


@kernel
def unpack(out, asked, count, s, lane, params):
    """See ``core.tokens``."""
    _separate(s, lane, params, out, count)
    _move(s, lane, params, out, count)
    agent = -1
    for k in range(count):
        agent = _present(s, lane, agent)
        row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
        shelf, load = s.shelf_at[lane, row, col], s.carrying[lane, agent]
        s.facing[lane, agent] = out[k, FACES]
        if out[k, LOADS] == PICKS_UP and load == 0:
            s.carrying[lane, agent] = shelf
        elif out[k, LOADS] == PUTS_DOWN and s.grid[lane, row, col] == Cell.SLOT:
            s.carrying[lane, agent] = 0
    _deliver(s, lane, params, out, count)
    refresh(s, lane, params)
    close(s, lane, params)


def lacks(params: Params) -> str:
    """Why a warehouse has no tokens."""
    return "the courier task of the warehouse has no tokens" if params.courier else ""


PRACTICE = Practice(
    layouts=("tiny", "small"),
    variants=tuple({"agents": agents, "deliveries": 0} for agents in (4, 6, 8)),
    tests=({"layout": "tiny", "agents": 6, "deliveries": 0},),
    policy="oracle",
)
TOKENS = Tokens(
    practice=PRACTICE,
    seen=SEEN,
    heads=HEADS,
    neighbours=lambda params: patches(*params.plan.shape),
    most=lambda params: params.agents,
    pack=pack,
    outcome=outcome,
    unpack=unpack,
    lacks=lacks,
)
