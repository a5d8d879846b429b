"""A lane as JSON values and back: ``place(describe(x)) = x``."""

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.worlds.warehouse.state import Cell, Facing, Params, State

AGENT_KEYS = ("row", "col", "facing", "carrying", "delivering", "aim", "refused")


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values. Ids of shelves count from 1; courier: ``goals`` are destinations in order of id."""
    width = params.plan.shape[1]
    goals = s.drop[lane] if params.courier else params.goals
    agents = [
        {
            "row": int(s.pos[lane, i, 0]), "col": int(s.pos[lane, i, 1]),
            "facing": Facing(s.facing[lane, i]).name.lower(),
            "carrying": int(s.carrying[lane, i]) or None,
            "delivering": bool(s.delivering[lane, i]),
            "aim": [int(s.aim[lane, i]) // width, int(s.aim[lane, i]) % width],
            "refused": bool(s.refused[lane, i]),
        }
        for i in range(params.agents)
    ]  # fmt: skip
    return {
        "seed": int(s.seed[lane]),
        "tick": int(s.tick[lane]),
        "agents": agents,
        "shelves": [{"id": k + 1, "row": int(r), "col": int(c)} for k, (r, c) in enumerate(s.shelf[lane])],
        "requests": s.request[lane].tolist(),
        "goals": goals.tolist(),
        "closed": np.argwhere(s.grid[lane] == Cell.BLOCKED).tolist(),
        "delivered": int(s.delivered[lane]),
        "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }


def _cell(row, col, params: Params, what: str) -> tuple[int, int]:
    height, width = params.plan.shape
    whole = isinstance(row, int) and isinstance(col, int)
    if not whole or not (0 <= row < height and 0 <= col < width) or params.plan[row, col] == Cell.WALL:
        raise UsageError(f"place: {what} at ({row}, {col}): expected an open cell of {height} x {width}")
    return row, col


def _shelf_id(value, params: Params, what: str) -> int:
    if not isinstance(value, int) or not 1 <= value <= len(params.homes):
        raise UsageError(f"place: {what}: {value!r} is not a shelf; expected an id of 1..{len(params.homes)}")
    return value


def _place_agent(s: State, lane: int, params: Params, i: int, given: dict) -> None:
    for key in given:
        if key not in AGENT_KEYS:
            raise unknown("key", key, AGENT_KEYS, f"place: agents[{i}]")
    row, col = _cell(given.get("row"), given.get("col"), params, f"agents[{i}]")
    if s.agent_at[lane, row, col]:
        raise UsageError(f"place: agents[{i}] at ({row}, {col}): agents[{s.agent_at[lane, row, col] - 1}] is there")
    facing = str(given.get("facing", "north")).upper()
    if facing not in Facing.__members__:
        raise unknown("facing", facing.lower(), [f.name.lower() for f in Facing], f"place: agents[{i}]")
    s.pos[lane, i], s.facing[lane, i], s.agent_at[lane, row, col] = (row, col), Facing[facing], i + 1
    load = given.get("carrying")
    s.carrying[lane, i] = 0 if load is None else _shelf_id(load, params, f"agents[{i}].carrying")
    if load is not None and load in s.carrying[lane, :i]:
        raise UsageError(f"place: agents[{i}].carrying: {load}: another robot carries it")
    if load is not None:
        s.shelf[lane, load - 1] = row, col
    aim_row, aim_col = _cell(*given.get("aim", (row, col)), params, f"agents[{i}].aim")
    s.aim[lane, i] = aim_row * params.plan.shape[1] + aim_col
    s.delivering[lane, i], s.refused[lane, i] = given.get("delivering", False), given.get("refused", False)


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid."""
    if len(given["agents"]) != params.agents:
        raise UsageError(f"place: {len(given['agents'])} agents, expected {params.agents}")
    s.seed[lane], s.tick[lane], s.delivered[lane] = given["seed"], given["tick"], given["delivered"]
    s.done[lane], s.reward[lane] = Finish[given["finish"].upper()], given["reward"]
    s.grid[lane] = params.plan
    for row, col in given["closed"]:
        s.grid[lane][_cell(row, col, params, "closed")] = Cell.BLOCKED
    if params.courier:
        s.drop[lane] = [_cell(row, col, params, "goals") for row, col in given["goals"]]
    elif sorted(map(list, given["goals"])) != sorted(params.goals.tolist()):
        raise UsageError(f"place: goals {given['goals']}: the layout's goals {params.goals.tolist()} cannot be moved")
    for shelf in given["shelves"]:
        index = _shelf_id(shelf["id"], params, "shelves") - 1
        s.shelf[lane, index] = _cell(shelf["row"], shelf["col"], params, f"shelf {index + 1}")
    s.agent_at[lane], s.shelf_at[lane], s.requested[lane] = 0, 0, 0
    for i, agent in enumerate(given["agents"]):
        _place_agent(s, lane, params, i, agent)
    carried = set(s.carrying[lane].tolist()) if params.courier else set()
    for index, (row, col) in enumerate(s.shelf[lane]):
        if index + 1 in carried:
            continue
        if s.shelf_at[lane, row, col]:
            raise UsageError(f"place: shelves {s.shelf_at[lane, row, col]} and {index + 1} are both at ({row}, {col})")
        s.shelf_at[lane, row, col] = index + 1
    requests = [_shelf_id(k, params, "requests") for k in given["requests"]]
    if len(requests) != params.requests or len(set(requests)) != len(requests):
        raise UsageError(f"place: requests {requests}: expected {params.requests} different shelves")
    s.request[lane] = requests
    s.requested[lane, s.request[lane] - 1] = 1
