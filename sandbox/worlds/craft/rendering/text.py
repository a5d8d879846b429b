"""Craft as text: an observation for a language model, and the verbs as tool schemas."""

from sandbox.core.world import Observation
from sandbox.worlds.craft.dynamics.recipes import MAKE, PLACE
from sandbox.worlds.craft.layouts import SYMBOLS
from sandbox.worlds.craft.state import (
    ACROSS,
    DOWN,
    FIRST_ACHIEVEMENT,
    FIRST_ITEM,
    ITEMS,
    SIDE,
    Achievement,
    Channel,
    Column,
    Facing,
    Kind,
    Material,
    Params,
    Verb,
)  # fmt: skip

_MEANING = {
    Verb.NOOP: "Do nothing for one tick.",
    Verb.DO: "Use what is straight ahead: collect a material, drink water, hit a creature, eat a ripe plant.",
    Verb.SLEEP: "Fall asleep until your energy is full or something hurts you.",
}
_LETTERS = {
    Kind.PLAYER: "P", Kind.COW: "C", Kind.ZOMBIE: "Z", Kind.SKELETON: "S", Kind.ARROW: "A", Kind.PLANT: "s",
    Kind.RIPE: "r",
}  # fmt: skip
_THINGS = {Kind.PLANT: "sapling", Kind.RIPE: "ripe plant"}


def _amounts(uses: dict) -> str:
    return ", ".join(f"{amount} {name}" for name, amount in uses.items())


def _meaning(verb: Verb) -> str:
    word, _, what = verb.name.lower().partition("_")
    if verb in _MEANING:
        return _MEANING[verb]
    if word == "move":
        return f"Face {what} and move one cell that way, if it is free. Lava kills."
    if word == "place":
        uses, where = PLACE[what]
        return f"Put a {what} straight ahead, on {', '.join(where)}; uses {_amounts(uses)}."
    uses, near = MAKE[what]
    article = "an" if what.startswith("iron") else "a"
    return f"Make {article} {what.replace('_', ' ')} beside a {' and a '.join(near)}; uses {_amounts(uses)}."


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; none takes an argument."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return [{"name": verb.name.lower(), "description": _meaning(verb), "parameters": schema} for verb in Verb]


def _name(window, i: int, j: int) -> str:
    """The content of one cell of the window, as text."""
    kind, material = Kind(window[Channel.THING, i, j]), Material(window[Channel.MATERIAL, i, j])
    if kind != Kind.NONE:
        return f"{_THINGS.get(kind, kind.name.lower())} on {material.name.lower()}"
    return "nothing known" if material == Material.UNKNOWN else material.name.lower()


def _offset(down: int, right: int) -> str:
    parts = [f"{abs(down)} {'down' if down > 0 else 'up'}"] if down else []
    parts += [f"{abs(right)} {'right' if right > 0 else 'left'}"] if right else []
    return " and ".join(parts)


def _map(window) -> list[str]:
    """The 9 x 7 cells in view as rows of symbols, things before materials."""
    rows = []
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        things, materials = window[Channel.THING, i].tolist(), window[Channel.MATERIAL, i].tolist()
        row = [_LETTERS.get(kind) or SYMBOLS[material] for kind, material in zip(things, materials, strict=True)]
        if i == SIDE // 2:
            row[ACROSS] = "@"
        rows.append("".join(row))
    return rows


def _things(window) -> list[str]:
    """The things in view, nearest first."""
    cells = [(i - SIDE // 2, j - ACROSS) for i in range(SIDE) for j in range(SIDE) if window[Channel.THING, i, j]]
    near = sorted((cell for cell in cells if cell != (0, 0)), key=lambda cell: abs(cell[0]) + abs(cell[1]))
    return [f"- {_name(window, i + SIDE // 2, j + ACROSS)}: {_offset(i, j)}" for i, j in near]


def _legend(rows: list[str]) -> str:
    names = {symbol: material.name.lower() for material, symbol in SYMBOLS.items()}
    names |= {letter: _THINGS.get(kind, kind.name.lower()) for kind, letter in _LETTERS.items()} | {"@": "you"}
    return ", ".join(f"{symbol} {names[symbol]}" for symbol in sorted(set("".join(rows))))


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one player sees and has, in sentences and a small map. The text says nothing that is not in the arrays."""
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    facing = Facing(int(vector[Column.FACING]))
    have = {item.name.lower(): int(vector[FIRST_ITEM + k]) for k, item in enumerate(ITEMS)}
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    lines = [f"You are player {agent} at row {row}, column {col}, facing {facing.name.lower()}."]
    if not have["health"]:
        return "\n".join([lines[0], "You are dead.", "You can: noop."])
    if vector[Column.SLEEPING]:
        lines.append("You are asleep.")
    ahead = {Facing.LEFT: (0, -1), Facing.RIGHT: (0, 1), Facing.UP: (-1, 0), Facing.DOWN: (1, 0)}[facing]
    lines.append(f"Ahead: {_name(window, SIDE // 2 + ahead[0], ACROSS + ahead[1])}.")
    rows = _map(window)
    lines += [f"Around you ({_legend(rows)}):", *rows, *_things(window)]
    needs = ", ".join(f"{name} {have.pop(name)}" for name in ("health", "food", "drink", "energy"))
    carried = ", ".join(f"{amount} {name.replace('_', ' ')}" for name, amount in have.items() if amount) or "nothing"
    lines.append(f"Of 9: {needs}. Daylight {vector[Column.DAYLIGHT]:.0%}. You carry {carried}.")
    done = [a.name.lower().replace("_", " ") for a in Achievement if vector[FIRST_ACHIEVEMENT + a]]
    lines.append(f"Achieved so far: {', '.join(done) or 'nothing'}.")
    legal = [verb.name.lower() for verb in Verb if obs.mask[lane, agent, verb]]
    return "\n".join([*lines, f"You can: {', '.join(legal)}."])
