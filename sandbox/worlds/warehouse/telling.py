"""What the warehouse says to people: what a robot is doing, why an action came to nothing, charts and gauges."""

from collections.abc import Iterator
from typing import Any

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.engine.shapes import ALARM
from sandbox.worlds.warehouse.dynamics.seen import step_ahead
from sandbox.worlds.warehouse.state import Cell, Note, Params, State, Verb

_STANDS = {Cell.WALL: "a wall", Cell.BLOCKED: "a closed aisle"}
_ACTS = {
    Verb.NOOP: "waits", Verb.FORWARD: "drives forward", Verb.LEFT: "turns left", Verb.RIGHT: "turns right",
    Verb.TOGGLE_LOAD: "loads or unloads",
}  # fmt: skip


def place(cell: int, params: Params) -> str:
    """A cell (row * W + column) in words."""
    return "row {}, column {}".format(*divmod(cell, params.plan.shape[1]))


def _load(params: Params) -> str:
    return "parcel" if params.courier else "shelf"


def _here(s: State, agent: int, params: Params) -> int:
    return int(s.pos[0, agent, 0]) * params.plan.shape[1] + int(s.pos[0, agent, 1])


def _ahead(s: State, agent: int, params: Params) -> int | None:
    """The cell ahead of a robot; None beyond the edge."""
    down, right = step_ahead(s.facing[0, agent])
    row, col = int(s.pos[0, agent, 0] + down), int(s.pos[0, agent, 1] + right)
    inside = 0 <= row < params.plan.shape[0] and 0 <= col < params.plan.shape[1]
    return row * params.plan.shape[1] + col if inside else None


def _robot(s: State, cell: int | None) -> int:
    """The robot in a cell, -1 without."""
    return int(s.agent_at[0].flat[cell]) - 1 if cell is not None else -1


# -- what a robot is doing


def doing(told: Transition, agent: int) -> str:
    """The errand of a robot, from its notes and its load, and for whom it waits."""
    if told.before.pos[0, agent, 0] < 0:
        return "is nowhere on the map"
    if words := unplanned(told, agent, _acts):
        return words
    if told.policy(agent) not in ("rules", "oracle") or told.action(agent)[0] == Verb.TOGGLE_LOAD:
        return _acts(told, agent)
    errand, halted = _errand(told, agent), _halted(told, agent)
    return f"{errand}; {halted}" if halted else errand


def _acts(told: Transition, agent: int) -> str:
    """The action of the tick, with what it has changed."""
    s, after, params = told.before, told.after, told.params
    verb, target = told.action(agent)
    if verb not in _ACTS or target:
        return "chose an action that does not exist"
    had, has = int(s.carrying[0, agent]), int(after.carrying[0, agent])
    if verb == Verb.TOGGLE_LOAD and not told.outcome(agent):
        what, there = _load(params), place(_here(s, agent, params), params)
        return f"puts down {what} {had} at {there}" if had else f"takes up {what} {has or _found(s, agent)} at {there}"
    blocked = told.because(agent, cause)
    return f"{_ACTS[Verb(verb)]}, in vain: {blocked}" if blocked else _ACTS[Verb(verb)]


def _found(s: State, agent: int) -> int:
    """The shelf or parcel in the robot's cell."""
    row, col = s.pos[0, agent]
    return int(s.shelf_at[0, row, col])


def _errand(told: Transition, agent: int) -> str:
    """What it is on the way for; its target is a cell of its notes."""
    s, params, note = told.before, told.params, told.memory.notes[0, agent]
    load, target, what = int(s.carrying[0, agent]), int(note[Note.TARGET]), _load(params)
    to = place(target, params) if target >= 0 else ""
    if load and params.courier:
        return f"brings parcel {load} to its destination at {to}"
    if load and s.requested[0, load - 1]:
        return f"brings shelf {load} to the goal at {to}"
    if load:
        return f"takes shelf {load} back to a storage place at {to}" if to else f"holds shelf {load}"
    wanted = int(s.shelf_at[0].flat[target]) if target >= 0 else 0
    if wanted and s.requested[0, wanted - 1] and not _is_held(s, target, wanted):
        order = "the order that its team gave it" if told.obs.task[0, agent, 0] else "an order"
        return f"fetches {what} {wanted} at {to} for {order}"
    if target < 0 or not note[Note.LEFT]:
        return "has no order to fetch"
    return f"goes to {to} and looks for an order"


def _is_held(s: State, cell: int, load: int) -> bool:
    robot = _robot(s, cell)
    return robot >= 0 and int(s.carrying[0, robot]) == load


def _halted(told: Transition, agent: int) -> str:
    """For whom or what it waits, if it is on its way and did not get on."""
    s, params, names, verb = told.before, told.params, told.names, told.action(agent)[0]
    note = told.memory.notes[0, agent]
    if told.outcome(agent):
        return f"could not drive on: {told.because(agent, cause)}"
    if told.policy(agent) == "oracle":
        there, wanted = int(note[Note.NEXT]), int(note[Note.WANTED])
        other = int(told.memory.taken[0, wanted]) - 1 if wanted >= 0 else -1
        if verb == Verb.NOOP and wanted not in (-1, _here(s, agent, params)):
            other = other if other not in (-1, agent) else _robot(s, wanted)
            return f"waits for {names[other]}" if other not in (-1, agent) else "waits"
        return "steps aside" if there >= 0 and there not in (wanted, _here(s, agent, params)) else ""
    if verb != Verb.NOOP or not note[Note.LEFT]:
        return ""
    other = _robot(s, _ahead(s, agent, params))
    return f"gives way to {names[other]}" if other >= 0 else "waits"


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What stood in the way of a robot's action."""
    s, params, (verb, _) = told.before, told.params, told.action(agent)
    if s.pos[0, agent, 0] < 0:
        return "the robot is nowhere on the map"
    if told.outcome(agent) == "failed":
        return _lost(told, agent)
    if verb == Verb.TOGGLE_LOAD:
        if s.carrying[0, agent]:
            return "a parcel can be left at its destination only" if params.courier else "an aisle takes no shelf"
        return f"there is no {_load(params)} to take up"
    if verb == Verb.FORWARD:
        return _stands(s, _ahead(s, agent, params), params)
    return ""


def _stands(s: State, cell: int | None, params: Params) -> str:
    """What a robot can never drive into."""
    if cell is None:
        return "the map ends there"
    kind = Cell(int(s.grid[0].flat[cell]))
    return f"the cell ahead is {_STANDS[kind]}" if kind in _STANDS else "a loaded robot cannot pass under a shelf"


def _lost(told: Transition, agent: int) -> str:
    """Which robot was in the way of a legal move."""
    cell = _ahead(told.before, agent, told.params)
    if (other := _robot(told.before, cell)) >= 0:
        return f"{told.names[other]} was in the cell ahead"
    other = _robot(told.after, cell)
    return f"{told.names[other]} took the cell ahead first" if other >= 0 else ""


# -- charts and gauges


CHARTS = (
    Chart("Deliveries", "orders served", lambda s, lane, params: float(s.delivered[lane])),
    Chart("Robots held up", "moves that another robot prevented", lambda s, lane, params: float(s.refused[lane].sum())),
    Chart("Robots with a load", "robots", lambda s, lane, params: float((s.carrying[lane] > 0).sum())),
)


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Deliveries, clock and orders; the load of a robot."""
    if agent >= 0:
        load = int(s.carrying[lane, agent])
        to = tuple(s.drop[lane, load - 1].tolist()) if load and params.courier else None
        return (Gauge("item", _load(params), 1, text=str(load), colour=ALARM, icon="▣", at=to),) if load else ()
    delivered = Gauge("score", "delivered", int(s.delivered[lane]), params.deliveries)
    return delivered, Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks), *_orders(s, lane, params)


LISTED = 8  # orders that are shown


def _orders(s: State, lane: int, params: Params) -> Iterator[Gauge]:
    for load in s.request[lane, :LISTED].tolist():
        yield Gauge("order", f"{_load(params)} {load}", text=_whereabouts(s, lane, load, params), colour=ALARM)


def _whereabouts(s: State, lane: int, load: int, params: Params) -> str:
    carried = (s.carrying[lane] == load).any()
    row, col = s.shelf[lane, load - 1].tolist()
    return "on its way" if carried else f"waits at row {row}, column {col}"


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    grid, waiting = s.grid[lane], s.shelf_at[lane] > 0
    there: dict[str, Any] = {
        "robot": (s.pos[lane, :, 0] >= 0).any(), "goal": (grid == Cell.GOAL).any(),
        "closed": (grid == Cell.BLOCKED).any(), "storage place": (grid == Cell.SLOT).any(),
        "wall": (grid == Cell.WALL).any(),
        "requested": (s.requested[lane] > 0).any(),
        "shelf": not params.courier and (s.requested[lane][s.shelf_at[lane][waiting] - 1] == 0).any(),
    }  # fmt: skip
    return {name for name, found in there.items() if found}
