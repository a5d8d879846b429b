"""The warehouse as text: an observation for a language model, and the verbs as tool schemas."""

from sandbox.core.world import Observation
from sandbox.worlds.warehouse.state import ORDERS, PER_ORDER, Cell, Channel, Column, Facing, Params, Verb

_MEANING = {
    Verb.NOOP: "Wait one tick.",
    Verb.FORWARD: "Move one cell in the direction you face, if it is free.",
    Verb.LEFT: "Turn left on the spot.",
    Verb.RIGHT: "Turn right on the spot.",
    Verb.TOGGLE_LOAD: "Take up what stands in your cell, or put down your shelf on an empty storage place.",
}


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; none takes an argument."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return [{"name": v.name.lower(), "description": _MEANING[v], "parameters": schema} for v in Verb]


def _offset(down: int, right: int) -> str:
    parts = [f"{abs(down)} {'south' if down > 0 else 'north'}"] if down else []
    parts += [f"{abs(right)} {'east' if right > 0 else 'west'}"] if right else []
    return " and ".join(parts) or "here"


def _things(window, i: int, j: int) -> list[str]:
    if window[Channel.OBSTACLE, i, j]:
        return ["no way through"]
    things = []
    if window[Channel.AGENT, i, j]:
        seen = window[Channel.FACING, i, j]
        facing = Facing(seen - 1).name.lower() if seen else "somewhere"
        things.append(f"a robot facing {facing}")
    if window[Channel.SHELF, i, j]:
        things.append("a requested load" if window[Channel.REQUESTED, i, j] else "a shelf")
    return things


def _surroundings(obs: Observation, lane: int, agent: int, params: Params) -> list[str]:
    window, sight = obs.window[lane, agent], params.sight
    lines = []
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            things = _things(window, i, j) if (i, j) != (sight, sight) else []
            if things:
                lines.append(f"- {_offset(i - sight, j - sight)}: {' and '.join(things)}")
    return lines or ["- nothing"]


def _board(vector, params: Params) -> list[str]:
    lines = ["Orders:"]
    for k in range(params.board):
        order = vector[ORDERS + PER_ORDER * k :][:PER_ORDER]
        row, col, waiting, shelf = (int(entry) for entry in order)  # see Order
        lines.append(f"- load {shelf} at ({row}, {col}), {'waiting' if waiting else 'on its way'}")
    if vector[Column.GOAL_ROW] >= 0:
        lines.append(f"Bring your load to ({int(vector[Column.GOAL_ROW])}, {int(vector[Column.GOAL_COL])}).")
    return lines


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one robot sees, in sentences. The text says nothing that is not in the arrays."""
    vector, window, sight = obs.vector[lane, agent], obs.window[lane, agent], params.sight
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    facing = next((f.name.lower() for f in Facing if vector[Column.NORTH + f]), "nowhere")
    under = window[Channel.REQUESTED, sight, sight] > 0
    load = ("a requested load" if under else "a load that is not requested") if vector[Column.CARRYING] else "nothing"
    place = "on a storage place" if params.plan[row, col] == Cell.SLOT else "in an aisle"
    lines = [f"You are robot {agent} at row {row}, column {col}, {place}, facing {facing}, carrying {load}."]
    if not vector[Column.CARRYING] and window[Channel.SHELF, sight, sight]:
        lines.append(f"You stand at {'a requested load' if under else 'a shelf'}.")
    lines += ["Around you:", *_surroundings(obs, lane, agent, params)]
    if params.board:
        lines += _board(vector, params)
    if len(params.goals):
        lines.append("Goals: " + ", ".join(f"({r}, {c})" for r, c in params.goals.tolist()) + ".")
    legal = [v.name.lower() for v in Verb if obs.mask[lane, agent, v]]
    return "\n".join([*lines, f"You can: {', '.join(legal)}."])
