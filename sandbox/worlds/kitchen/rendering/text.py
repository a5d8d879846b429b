"""The kitchen as text: an observation for a language model, and the verbs as tool schemas."""

from sandbox.core.world import Observation
from sandbox.worlds.kitchen.serialisation import FACINGS, ingredients, thing_words
from sandbox.worlds.kitchen.state import FIRST_POT, MIXES, PER_POT, Cell, Channel, Column, Params, Thing, Verb

_MEANING = {
    Verb.NORTH: "Turn north and move one cell, if it is free floor.",
    Verb.SOUTH: "Turn south and move one cell, if it is free floor.",
    Verb.EAST: "Turn east and move one cell, if it is free floor.",
    Verb.WEST: "Turn west and move one cell, if it is free floor.",
    Verb.STAY: "Wait one tick.",
    Verb.INTERACT: (
        "Use what you face: take from a dispenser, take up from or put down on a counter, put an ingredient into a "
        "pot, with empty hands begin to cook, with a dish take up a ready soup, serve a soup."
    ),
}
STATION = {
    Cell.COUNTER: "counter", Cell.POT: "pot", Cell.ONIONS: "onion dispenser", Cell.TOMATOES: "tomato dispenser",
    Cell.DISHES: "dish dispenser", Cell.SERVING: "serving place", Cell.FLOOR: "floor",
}  # fmt: skip
_LISTED = (Cell.ONIONS, Cell.TOMATOES, Cell.DISHES, Cell.SERVING)


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; none takes an argument."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return [{"name": v.name.lower(), "description": _MEANING[v], "parameters": schema} for v in Verb]


def soup(mix: int) -> str:
    onions, tomatoes = mix % 4, mix // 4
    parts = [f"{onions} onion{'s' * (onions > 1)}"] * (onions > 0)
    parts += [f"{tomatoes} tomato{'es' * (tomatoes > 1)}"] * (tomatoes > 0)
    return " and ".join(parts)


def thing(code: int) -> str:
    """A thing with its article."""
    known = thing_words(code)
    if isinstance(known, dict):
        return f"a soup of {soup(code - Thing.SOUP)}"
    return {None: "nothing", "onion": "an onion"}.get(known, f"a {known}")


def _pots(vector, params: Params) -> list[str]:
    lines, width = [], params.plan.shape[1]
    for k, cell in enumerate(params.pot_cell.tolist()):
        pot = vector[FIRST_POT + PER_POT * k :][:PER_POT]
        onions, tomatoes, ticks, ready = (int(entry) for entry in pot)  # see PotColumn
        mix = onions + 4 * tomatoes
        if not mix:
            state = "empty"
        elif ready:
            state = f"a soup of {soup(mix)} is ready; it needs a dish"
        elif ticks >= 0:
            state = f"{soup(mix)}, cooking for {ticks} of {params.cook_time[mix]} ticks"
        else:
            state = f"{soup(mix)}, not cooking yet"
        lines.append(f"- pot at ({cell // width}, {cell % width}): {state}")
    return lines


def _around(obs: Observation, lane: int, agent: int, params: Params) -> list[str]:
    """Cooks and things on counters in sight."""
    window, sight, lines = obs.window[lane, agent], params.sight, []
    row, col = (int(obs.vector[lane, agent, column]) for column in (Column.ROW, Column.COL))
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            place = f"({row + i - sight}, {col + j - sight})"
            terrain, kind, onions, tomatoes, _, cook, facing = window[:, i, j].tolist()  # see Channel
            held = thing(kind + onions + 4 * tomatoes if kind == Thing.SOUP else kind)
            if cook and (i, j) != (sight, sight):
                lines.append(f"- cook {cook - 1} at {place}, facing {FACINGS[facing - 1]}, holding {held}")
            elif kind and terrain == Cell.COUNTER:
                lines.append(f"- {held} on the counter at {place}")
    return lines or ["- nobody else, and nothing on the counters"]


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one cook sees, in sentences. The text says nothing that is not in the arrays."""
    vector, window, sight = obs.vector[lane, agent], obs.window[lane, agent], params.sight
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    facing = next((k for k in range(4) if vector[Column.NORTH + k]), 0)
    ahead = int(window[Channel.TERRAIN, sight + (-1, 1, 0, 0)[facing], sight + (0, 0, 1, -1)[facing]])
    held = thing(int(vector[Column.HOLDING] + vector[Column.SOUP_ONIONS] + 4 * vector[Column.SOUP_TOMATOES]))
    served, soups, left = (int(vector[column]) for column in (Column.SERVED, Column.SOUPS, Column.TICKS_LEFT))
    lines = [
        f"You are cook {agent} at ({row}, {col}) (row, column), facing {FACINGS[facing]} towards "
        f"{'the' if ahead else 'free'} {STATION[Cell(ahead)]}, holding {held}.",
        f"{served} of {soups or 'any number of'} soups served, {left} ticks left. Pots:",
        *_pots(vector, params),
        "In sight:",
        *_around(obs, lane, agent, params),
        "Orders:",
    ]
    worth = vector[FIRST_POT + PER_POT * len(params.pot_cell) :]
    wanted = [f"- {', '.join(ingredients(int(m)))}: worth {w:g}" for m, w in zip(MIXES, worth, strict=True) if w > 0]
    lines += wanted or ["- none"]
    for kind in _LISTED:
        cells = [f"({r}, {c})" for r, c in zip(*(params.plan == kind).nonzero(), strict=True)]
        if cells:
            lines.append(f"{STATION[kind].capitalize()} at {', '.join(cells)}.")
    rows = [" ".join(".XPOTDS"[cell] for cell in line) for line in params.plan.tolist()]
    lines += ["Plan (. floor, X counter, P pot, O onions, T tomatoes, D dishes, S serving), row 0 first:", *rows]
    legal = [v.name.lower() for v in Verb if obs.mask[lane, agent, v]]
    return "\n".join([*lines, f"You can: {', '.join(legal)}."])
