"""The rooms as text: an observation for a language model, and the verbs as tool schemas."""

import numpy as np

from sandbox.core.telling import offer
from sandbox.core.world import Observation
from sandbox.worlds.rooms.catalogue import catalogue, room_name
from sandbox.worlds.rooms.state import (
    CELL,
    FIRST_PRICE,
    FIRST_WISH,
    ITEMS,
    PER_ITEM,
    PER_WISH,
    SLOTS,
    Cell,
    Channel,
    Column,
    Flaw,
    Params,
    Role,
    Room,
    Thing,
    Verb,
    Wish,
    first_item,
)  # fmt: skip

ROLES = tuple(role.name.lower() for role in Role)
FACES = ("south", "west", "north", "east")  # by turn
LETTERS = {
    Cell.WALL: "#", Cell.DOOR: "D", Cell.ENTRANCE: "E", Cell.WINDOW: "W", Cell.SOCKET: "+", Cell.FIXTURE: "K",
    Cell.PILLAR: "P",
}  # fmt: skip
FLOORS = {Room.LIVING_ROOM: "l", Room.BEDROOM: "b", Room.STUDY: "s", Room.HALL: "h", Room.BATHROOM: "w"}
FLAWS = {
    Flaw.OVERLAP: "it stands on a pillar or a wall", Flaw.BLOCKED: "what must stay free in front or beside it is not",
    Flaw.UNREACHED: "nobody can walk to it", Flaw.NO_WALL: "its back is not against a wall",
    Flaw.NO_POWER: "no power point is near", Flaw.NO_DAYLIGHT: "no window is near",
    Flaw.OUT_OF_STOCK: "it is out of stock",
}  # fmt: skip
_MEANING = {
    Verb.WAIT: "Wait one tick.",
    Verb.ROW: "Designer: put the pencil into this row.",
    Verb.COLUMN: "Designer: put the pencil into this column.",
    Verb.TURN: "Designer: the front of what is placed next faces 0 south, 1 west, 2 north, 3 east.",
    Verb.PLACE: "Designer: place this thing of the catalogue, with its north-western cell at the pencil.",
    Verb.MOVE: "Designer: move this item of the plan to the pencil, turned as the pencil is.",
    Verb.REMOVE: "Designer: take this item out of the plan.",
    Verb.ASK: "Designer: ask the client for the wish with this number.",
    Verb.PROPOSE: "Designer: propose the plan to client and accountant.",
    Verb.TELL: "Client: tell the designer the wish with this number.",
    Verb.APPROVE: "Client or accountant: approve the proposal. A plan that both approve is final.",
    Verb.REVISE: "Client: send the plan back because of the wish with this number, or, with the number of wishes, "
    "because something in it is of no use. Accountant: send it back as too dear.",
}
_ARGUMENT = {
    Verb.ROW: "row", Verb.COLUMN: "column", Verb.TURN: "side", Verb.PLACE: "thing of the catalogue",
    Verb.MOVE: "item", Verb.REMOVE: "item", Verb.ASK: "wish", Verb.TELL: "wish", Verb.REVISE: "wish",
}  # fmt: skip


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; ``target`` is a number as in ``render_text``."""
    schemas = []
    for verb in Verb:
        most = 3 if verb == Verb.TURN else SLOTS - 1
        target = {"type": "integer", "minimum": 0, "maximum": most, "description": f"number of the {_ARGUMENT[verb]}"
                  } if verb in _ARGUMENT else None  # fmt: skip
        properties = {"target": target} if target else {}
        required = [] if verb == Verb.REVISE else [*properties]
        schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        schemas.append({"name": verb.name.lower(), "description": _MEANING[verb], "parameters": schema})
    return schemas


def wish_text(wish) -> str:
    """A wish (its columns, see Wish) in words: "a nordic bed in the bedroom"."""
    style = f"{catalogue().styles[int(wish[Wish.STYLE]) - 1]} " if wish[Wish.STYLE] else ""
    what = f"{style}{catalogue().categories[int(wish[Wish.CATEGORY]) - 1]}"
    article = "an" if what[0] in "aeio" else "a"
    room = f" in the {room_name(int(wish[Wish.ROOM]))}" if wish[Wish.ROOM] else ""
    return f"{article} {what}{room}{' by a window' if wish[Wish.DAYLIGHT] else ''}"


def flaw_text(bits: int) -> str:
    """Why an item is of no use; "" if it is fine."""
    return ", and ".join(words for flaw, words in FLAWS.items() if bits & flaw)


def _needs(thing) -> str:
    side, clear = thing[Thing.SIDE], int(thing[Thing.CLEAR]) * CELL
    needs = [f"{clear} cm free in front"] if clear else []
    needs += ["a free side"] * bool(side) + ["back to a wall"] * bool(thing[Thing.WALL])
    needs += ["power"] * bool(thing[Thing.POWER]) + ["daylight"] * bool(thing[Thing.DAYLIGHT])
    return ", ".join(needs) or "nothing"


def _catalogue(prices: np.ndarray, params: Params) -> list[str]:
    lines = ["The catalogue (width along the front x depth in cells; what it needs; price):"]
    for k, (entry, thing) in enumerate(zip(catalogue().entries, params.thing, strict=True)):
        price = f"{prices[k]:.0f} euros" if prices[k] else "OUT OF STOCK"
        size = f"{thing[Thing.WIDTH]} x {thing[Thing.DEPTH]}"
        lines.append(f"[{k}] {entry.name}: {entry.category}, {entry.style}, {size}; {_needs(thing)}; {price}")
    return lines


def _plan(window: np.ndarray, params: Params) -> list[str]:
    """The flat as a map of letters; an item is a star."""
    height, width = params.plan.shape
    lines = [
        "The flat, from the north (# wall, + wall with a power point, W window, D door, E entrance, K fixture, "
        "P pillar, * an item, listed below; floor: l living room, b bedroom, s study, h hall, w bathroom):",
        "   " + "".join(str(col % 10) for col in range(width)),
    ]
    for row in range(height):
        cells = []
        for col in range(width):
            code, room, item = (int(window[c, row, col]) for c in (Channel.CELL, Channel.ROOM, Channel.ITEM))
            letter = LETTERS.get(Cell(code), FLOORS.get(Room(room), "."))
            cells.append("*" if item else letter)
        lines.append(f"{row:2} {''.join(cells)}")
    return lines


def items_of(vector: np.ndarray, params: Params) -> list[tuple[int, int, int, int, int, int]]:
    """(number, thing, row, column, turn, flaws) of each item of the plan."""
    found = []
    for k in range(ITEMS):
        at = first_item(params) + PER_ITEM * k
        thing, row, col, turn, flaws = (int(value) for value in vector[at : at + PER_ITEM])
        if thing:
            found.append((k, thing - 1, row, col, turn, flaws))
    return found


def _items(vector: np.ndarray, params: Params) -> list[str]:
    lines = []
    for k, thing, row, col, turn, flaws in items_of(vector, params):
        wide, deep = int(params.thing[thing, Thing.WIDTH]), int(params.thing[thing, Thing.DEPTH])
        rows, cols = (deep, wide) if turn % 2 == 0 else (wide, deep)
        fine = f" USELESS: {flaw_text(flaws)}." if flaws else ""
        lines.append(f"[{k}] {catalogue().entries[thing].name}: rows {row} to {row + rows - 1}, columns {col} to "
                     f"{col + cols - 1}, faces {FACES[turn]}.{fine}")  # fmt: skip
    return [f"The plan, {len(lines)} items (* on the map):", *lines] if lines else ["The plan is empty."]


def _wishes(vector: np.ndarray, role: Role) -> list[str]:
    count, lines = int(vector[Column.WISHES]), []
    for k in range(count):
        at = FIRST_WISH + PER_WISH * k
        wish = vector[at : at + len(Wish)]
        if not wish[Wish.CATEGORY]:
            lines.append(f"[{k}] not told yet")
            continue
        met = "met" if vector[at + len(Wish)] else "NOT met"
        secret = "" if wish[Wish.TOLD] else ", not told to the designer yet"
        lines.append(f"[{k}] {wish_text(wish)}: {met}{secret}")
    if role == Role.ACCOUNTANT:
        return [f"The client has {count} wishes; they are not your concern."]
    return ["Your wishes:" if role == Role.CLIENT else "The client's wishes:", *lines]


def _deal(vector: np.ndarray) -> str:
    cost, budget, limit = (vector[column] for column in (Column.COST, Column.BUDGET, Column.LIMIT))
    state = "No plan is proposed."
    if vector[Column.PROPOSED]:
        columns = {"client": Column.CLIENT, "accountant": Column.ACCOUNTANT}
        given = [who for who, column in columns.items() if vector[column]]
        state = f"The plan is proposed; approved by: {', '.join(given) or 'nobody yet'}."
    return (f"It costs {cost:.0f} of {budget:.0f} euros; above {limit:.0f} the accountant must approve. {state} "
            f"Sent back so far: {vector[Column.REVISIONS]:.0f} times.")  # fmt: skip


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one agent sees, in sentences. The text says nothing that is not in the arrays."""
    vector, window = obs.vector[lane, agent], obs.window[lane, agent]
    role = Role(int(vector[Column.ROLE]))
    lines = [f"You are the {role.name.lower()} (agent {agent}) of a flat that is to be furnished. "
             f"A cell is {CELL} x {CELL} cm."]  # fmt: skip
    if role == Role.DESIGNER:
        lines += _catalogue(vector[FIRST_PRICE : FIRST_PRICE + len(params.thing)], params)
        lines += _plan(window, params)
    lines += [*_items(vector, params), _deal(vector), *_wishes(vector, role)]
    if vector[Column.ASKED]:
        who = "You are asked" if role == Role.CLIENT else "The client is asked"
        lines.append(f"{who} for wish {vector[Column.ASKED] - 1:.0f}.")
    if role == Role.DESIGNER:
        lines.append(f"Your pencil is in row {vector[Column.ROW]:.0f}, column {vector[Column.COL]:.0f}; what you place "
                     f"faces {FACES[int(vector[Column.TURN])]}.")  # fmt: skip
    return "\n".join([*lines, offer(Verb, obs.mask[lane, agent].reshape(len(Verb), SLOTS))])
