"""What the kitchen says to people: what a cook is doing, why an action came to nothing, charts and gauges."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.engine.kernel import twin
from sandbox.worlds.kitchen.dynamics.kernels import is_ready
from sandbox.worlds.kitchen.perturbations import AWAY, HIMSELF, mood, sticks, whim
from sandbox.worlds.kitchen.policies.moves import AT_HAND
from sandbox.worlds.kitchen.policies.needs import TO_POT, source
from sandbox.worlds.kitchen.policies.rules import wanted
from sandbox.worlds.kitchen.rendering.picture import DISH_EDGE, HEX, ONION, READY, TOMATO
from sandbox.worlds.kitchen.rendering.text import STATION, soup, thing
from sandbox.worlds.kitchen.state import DCOL, DROW, FAR, Cell, Cook, Params, Pot, State, Thing, Verb
from sandbox.worlds.kitchen.tasks import PLATE, POT

ITEM_COLOURS = {Thing.ONION: HEX[ONION], Thing.TOMATO: HEX[TOMATO], Thing.DISH: HEX[DISH_EDGE], Thing.SOUP: HEX[READY]}
_MOVES = {Verb.NORTH: "north", Verb.SOUTH: "south", Verb.EAST: "east", Verb.WEST: "west"}


def _place(cell: int, params: Params) -> str:
    return "row {}, column {}".format(*divmod(cell, params.plan.shape[1]))


def _faced(s: State, agent: int, params: Params) -> int:
    """The cell (row * W + column) that a cook faces."""
    facing = s.facing[0, agent]
    return int((s.pos[0, agent, 0] + DROW[facing]) * params.plan.shape[1] + s.pos[0, agent, 1] + DCOL[facing])


def _kind(cell: int, params: Params) -> Cell:
    return Cell(int(params.plan.flat[cell]))


def _mood(told: Transition, agent: int) -> int:
    return int(twin(mood)(told.before, 0, agent, told.params))


def _performed(told: Transition, agent: int) -> int:
    """The verb that a cook carried out: its own, or what a perturbation made of it."""
    s, (verb, target) = told.before, told.action(agent)
    if s.pos[0, agent, 0] < 0 or not 0 <= verb < told.params.verbs or target or told.broken(agent):
        verb = int(Verb.STAY)
    how = _mood(told, agent)
    return verb if how == HIMSELF else int(twin(whim)(s, 0, verb, how))


# -- what a cook is doing


def doing(told: Transition, agent: int) -> str:
    """The errand of a cook, from the targets that the policies assign, and for whom it waits."""
    policy, s = told.policy(agent), told.before
    if s.pos[0, agent, 0] < 0:
        return "is nowhere in the kitchen"
    if (how := _mood(told, agent)) != HIMSELF:
        return "is absent for a while (a perturbation)" if how == AWAY else "follows a whim (a perturbation)"
    if words := unplanned(told, agent, _acts):
        return words
    cell = _target(told, agent) if policy in ("rules", "oracle") else None
    if cell is None:
        return _acts(told, agent)
    errand, halted = _errand(told, agent, cell), _halted(told, agent, cell)
    return f"{errand}; {halted}" if halted else errand


def _acts(told: Transition, agent: int) -> str:
    """The action of the tick, with what it has changed."""
    s, params, (verb, target) = told.before, told.params, told.action(agent)
    if not 0 <= verb < params.verbs or target:
        return "chose an action that does not exist"
    act = "waits" if verb == Verb.STAY else "reaches out" if verb == Verb.INTERACT else f"goes {_MOVES[Verb(verb)]}"
    if told.outcome(agent):
        return f"{act}, in vain: {told.because(agent, cause)}"
    if verb == Verb.INTERACT:
        return _used(told, agent, _faced(s, agent, params))
    return act if verb == Verb.STAY or told.moved(agent) else f"turns {_MOVES[Verb(verb)]}"


def _used(told: Transition, agent: int, cell: int) -> str:
    """What an interaction with a cell has done."""
    held, has = int(told.before.holding[0, agent]), int(told.after.holding[0, agent])
    where = f"the {STATION[_kind(cell, told.params)]} at {_place(cell, told.params)}"
    if has and not held:
        return f"takes {thing(has)} from {where}"
    if has:
        return f"takes {thing(has)} out of {where}"
    return f"brings {thing(held)} to {where}" if held else f"starts {where}"


def _target(told: Transition, agent: int) -> int | None:
    """The cell that a cook heads for, -1: none; None: its notes do not tell.

    The targets of all cooks in the notes are those that the cook who decided last has worked out. All who see the whole
    kitchen and follow the same policy work out the same ones, except that each cook sees to its own task of the team.
    """
    s, params, policy, cooks = told.before, told.params, told.policy(agent), told.memory.cooks[0]
    planners = [k for k in range(params.agents) if told.policy(k) in ("rules", "oracle")]
    if any(told.policy(k) != policy for k in planners):
        return None
    if policy == "rules" and len(planners) > 1 and not all(_sees_all(s, k, params) for k in planners):
        return None
    target = int(cooks[agent, Cook.TARGET])
    if policy == "rules" and (own := _of_team(told, agent)) >= 0:
        target = own
    used = _performed(told, agent) == Verb.INTERACT and _faced(s, agent, params)
    return target if used in (False, target) else None


def _sees_all(s: State, agent: int, params: Params) -> bool:
    far = np.array(params.plan.shape) - 1 - s.pos[0, agent]
    return params.sight >= max(far.max(), s.pos[0, agent].max())


def _of_team(told: Transition, agent: int) -> int:
    """The cell to which a cook's own task of the team sends it, as ``policies.rules.receive``; -1: none."""
    params, memory, (kind, number, *_) = told.params, told.memory, told.obs.task[0, agent].tolist()
    here, held = int(memory.cooks[0, agent, Cook.CELL]), int(told.before.holding[0, agent])
    if not POT <= kind - 1 <= PLATE or params.way[params.pot_cell[number], here] >= FAR:
        return -1
    needed = int(twin(wanted)(memory.pots[0, number], kind - 1, params))
    if needed == held:
        return int(params.pot_cell[number])
    if needed <= 0 or held:
        return -1
    return int(twin(source)(memory.cells[0], here, needed, TO_POT, params))


def _errand(told: Transition, agent: int, cell: int) -> str:
    """What a cook is about, by what it holds and where it goes."""
    s, params, held = told.before, told.params, int(told.before.holding[0, agent])
    if cell < 0:
        return f"has nothing to do with {thing(held)} now" if held else "has nothing to do now"
    kind, where = _kind(cell, params), _place(cell, params)
    if not held:
        return _fetches(s, cell, kind, where)
    if kind == Cell.SERVING:
        return f"serves {thing(held)} at {where}"
    if kind == Cell.COUNTER:
        return f"puts {thing(held)} on the counter at {where}"
    left = int(told.memory.cooks[0, agent, Cook.WAIT])
    soon = f", which is needed there in {left} ticks" if left > AT_HAND else ""
    return f"brings {thing(held)} to the pot at {where}{soon}"


def _fetches(s: State, cell: int, kind: Cell, where: str) -> str:
    what = {Cell.ONIONS: "an onion", Cell.TOMATOES: "a tomato", Cell.DISHES: "a dish"}
    if kind == Cell.POT:
        return f"goes to start the pot at {where}"
    if kind == Cell.COUNTER:
        lies = int(s.items[0].flat[cell])
        return f"fetches {thing(lies)} from the counter at {where}" if lies else f"goes to the counter at {where}"
    return f"fetches {what.get(kind, 'something')} at {where}"


def _halted(told: Transition, agent: int, cell: int) -> str:
    """Why a cook who has a target does not get nearer to it."""
    s, params, verb = told.before, told.params, _performed(told, agent)
    if told.outcome(agent):
        return f"was stopped: {told.because(agent, cause)}"
    if cell < 0:
        return "steps aside" if verb < Verb.STAY and told.moved(agent) else ""
    here, now = (int(state.pos[0, agent] @ (params.plan.shape[1], 1)) for state in (s, told.after))
    if verb < Verb.STAY:
        return "steps aside" if params.way[cell, now] > params.way[cell, here] else ""
    if verb != Verb.STAY:
        return ""
    if told.memory.cooks[0, agent, Cook.WAIT] > AT_HAND or not params.way[cell, here]:
        return "waits until it is ready"
    ahead = [k for k in range(params.agents) if k != agent and _nearer(s, k, here, cell, params)]
    return f"waits for {told.names[ahead[0]]}" if ahead else "waits"


def _nearer(s: State, other: int, here: int, cell: int, params: Params) -> bool:
    """Whether another cook is within two cells of a cell, on the way from there to a target."""
    there = int(s.pos[0, other] @ (params.plan.shape[1], 1))
    return (
        s.pos[0, other, 0] >= 0
        and _steps(here, there, params) <= 2
        and params.way[cell, there] < params.way[cell, here]
    )


def _steps(a: int, b: int, params: Params) -> int:
    width = params.plan.shape[1]
    return abs(a // width - b // width) + abs(a % width - b % width)


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What made a cook's action impossible, or prevented it."""
    s, params, (verb, _) = told.before, told.params, told.action(agent)
    if s.pos[0, agent, 0] < 0:
        return "the cook is nowhere in the kitchen"
    if told.outcome(agent) == "failed":
        if _mood(told, agent) != HIMSELF:
            return "a perturbation made the cook do something else"
        return _lost_turn(told, agent) if verb == Verb.INTERACT else _lost_way(told, agent)
    cell = _faced(s, agent, params)
    kind = _kind(cell, params)
    if verb != Verb.INTERACT:
        return f"it faces the {STATION[kind]} there already, and cannot walk on it"
    if kind == Cell.POT:
        return _at_pot(s.pots[0, params.pot_at.flat[cell]], int(s.holding[0, agent]), params)
    return _at_station(kind, int(s.items[0].flat[cell]), int(s.holding[0, agent]))


def _at_station(kind: Cell, lies: int, held: int) -> str:
    if kind == Cell.FLOOR:
        return "there is nothing to use on the floor ahead"
    if kind == Cell.SERVING:
        return "only a soup can be served"
    if kind == Cell.COUNTER:
        return f"its hands are full, and {thing(lies)} lies there" if held else "the counter ahead is empty"
    return "its hands are full"


def _at_pot(pot: Any, held: int, params: Params) -> str:
    cooks, filled = pot[Pot.TICKS] >= 0, pot[Pot.ONIONS] + pot[Pot.TOMATOES]
    if held == Thing.DISH:
        return "the soup is not ready yet" if cooks else "nothing cooks in the pot"
    if held >= Thing.SOUP:
        return "a soup on a dish does not go into a pot"
    if cooks:
        return "the soup is ready and needs a dish" if twin(is_ready)(pot, params) else "the pot cooks already"
    return "the pot is full" if filled >= params.most and held else "the pot is empty"


def _lost_turn(told: Transition, agent: int) -> str:
    """Who used the same place first."""
    cell = _faced(told.before, agent, told.params)
    for other in range(told.params.agents):
        if other != agent and _performed(told, other) == Verb.INTERACT:
            if _faced(told.before, other, told.params) == cell:
                return f"{told.names[other]} used it first"
    return "what it reached for was gone"


def _lost_way(told: Transition, agent: int) -> str:
    """The floor, or the two cooks who would have met: then nobody moves."""
    s, params = told.before, told.params
    if twin(sticks)(s, 0, agent, params):
        return "the floor is sticky (a perturbation)"
    cells = [int(place @ (params.plan.shape[1], 1)) for place in s.pos[0]]
    wants = [_wants(told, k) for k in range(params.agents)]
    pairs = [
        (a, b) for b in range(len(cells)) for a in range(b)
        if wants[a] == wants[b] or (cells[a] == wants[b] and cells[b] == wants[a])
    ]  # fmt: skip
    own = [pair for pair in pairs if agent in pair]
    if own:
        return f"{told.names[sum(own[0]) - agent]} was in the way"
    return "{} and {} would have met, so nobody moved".format(*(told.names[k] for k in pairs[0])) if pairs else ""


def _wants(told: Transition, agent: int) -> int:
    """The cell in which a cook would be if nobody was in the way."""
    s, params, verb = told.before, told.params, _performed(told, agent)
    row, col = s.pos[0, agent].tolist()
    if verb < Verb.STAY and not twin(sticks)(s, 0, agent, params):
        to = row + int(DROW[verb]), col + int(DCOL[verb])
        row, col = to if params.plan[to] == Cell.FLOOR else (row, col)
    return row * params.plan.shape[1] + col


# -- charts and gauges


CHARTS = (
    Chart("Soups served", "soups", lambda s, lane, params: float(s.served[lane])),
    Chart(
        "Soups in pots",
        "pots that cook or are done",
        lambda s, lane, params: float((s.pots[lane, :, Pot.TICKS] >= 0).sum()),
    ),
    Chart("Cooks held up", "actions that others prevented", lambda s, lane, params: float(s.refused[lane].sum())),
)


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Soups served, the clock, the orders, the pots; what a cook holds."""
    if agent >= 0:
        held = int(s.holding[lane, agent])
        return (Gauge("item", _short(held), 1, colour=ITEM_COLOURS[min(held, Thing.SOUP)]),) if held else ()
    served = Gauge("score", "soups served", int(s.served[lane]), params.soups)
    return served, Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks), *_menu(params), *_pots(s, lane, params)


def _short(code: int) -> str:
    return f"soup of {soup(code - Thing.SOUP)}" if code >= Thing.SOUP else Thing(code).name.lower()


def _menu(params: Params) -> Iterator[Gauge]:
    """The orders. Where all recipes are ordered, they are one order."""
    worth = {mix: float(params.worth[mix]) for mix in np.flatnonzero(params.worth > 0).tolist()}
    if len(worth) > 4:
        yield Gauge("order", "any soup", text=f"worth {min(worth.values()):g} to {max(worth.values()):g}")
        return
    for mix, value in worth.items():
        yield Gauge("order", f"soup of {soup(mix)}", text=f"worth {value:g}")


def _pots(s: State, lane: int, params: Params) -> Iterator[Gauge]:
    for number, pot in enumerate(s.pots[lane]):
        mix, ticks = int(pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]), int(pot[Pot.TICKS])
        name, long = f"pot {number + 1}", int(params.cook_time[mix] + pot[Pot.EXTRA])
        if twin(is_ready)(pot, params):
            yield Gauge("fact", name, text=f"{soup(mix)}: ready")
        elif ticks >= 0:
            yield Gauge("fact", name, ticks, long, "ticks of cooking")
        else:
            yield Gauge("fact", name, text=soup(mix) if mix else "empty")


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    held = {*s.holding[lane].tolist(), *s.items[lane].ravel().tolist()}
    mixes = [code - Thing.SOUP for code in held if code >= Thing.SOUP]
    pots = s.pots[lane]
    onions = bool(pots[:, Pot.ONIONS].any() or any(mix % 4 for mix in mixes) or Thing.ONION in held)
    tomatoes = bool(pots[:, Pot.TOMATOES].any() or any(mix // 4 for mix in mixes) or Thing.TOMATO in held)
    there = {
        "cook": (s.pos[lane, :, 0] >= 0).any(), "onions": onions or (params.plan == Cell.ONIONS).any(),
        "tomatoes": tomatoes or (params.plan == Cell.TOMATOES).any(),
        "dishes": bool(mixes) or Thing.DISH in held or (params.plan == Cell.DISHES).any(),
        "ready soup": any(twin(is_ready)(pot, params) for pot in pots), "pot": len(pots) > 0,
        "serving": (params.plan == Cell.SERVING).any(), "counter": (params.plan == Cell.COUNTER).any(),
    }  # fmt: skip
    return {name for name, found in there.items() if found}
