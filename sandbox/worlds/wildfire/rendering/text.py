"""The wildfire as text: an observation for a language model, and the verbs as tool schemas."""

from sandbox.core.world import Observation
from sandbox.worlds.wildfire.state import CUT_FOR, Channel, Column, Kind, Params, Report, Verb

_MEANING = {
    Verb.STAY: "Wait one tick.",
    Verb.NORTH: "Go one cell north. You cannot enter a burning cell.",
    Verb.SOUTH: "Go one cell south. You cannot enter a burning cell.",
    Verb.WEST: "Go one cell west. You cannot enter a burning cell.",
    Verb.EAST: "Go one cell east. You cannot enter a burning cell.",
    Verb.DOUSE: "Use one tank: put out your own cell and the four beside it; what could burn there gets wet.",
    Verb.CUT: f"Cut away the fuel of your own cell; takes {CUT_FOR} ticks in a row and leaves a fire break.",
    Verb.REFILL: "Fill all your tanks; water must be in your cell or beside it.",
    Verb.RESCUE: "Take the households in your cell and the four beside it to safety, even out of a burning building.",
}
_SIDES = (("south", "north"), ("east", "west"))


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; none takes an argument."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    return [{"name": v.name.lower(), "description": _MEANING[v], "parameters": schema} for v in Verb]


def _offset(down: float, right: float) -> str:
    parts = [f"{abs(n):.0f} {names[n < 0]}" for n, names in zip((down, right), _SIDES, strict=True) if round(n)]
    return " and ".join(parts) or "here"


def _compass(down: float, right: float) -> str:
    parts = [names[n < 0] for n, names in zip((down, right), _SIDES, strict=True) if abs(n) > 0.38]
    return "-".join(parts)


def _cell(window, i: int, j: int) -> str:
    """Fire, households, buildings, water and other crews in a cell; "" for anything else."""
    code, fire, ground, people, crew = window[:, i, j].tolist()  # see Channel
    if not code:
        return ""
    kind, parts = Kind(code - 1), []
    if fire:
        parts.append(f"{kind.name.lower()} on fire for {fire} ticks")
    elif kind in (Kind.BUILDING, Kind.WATER, Kind.BREAK):
        state = ("", "wet ", "burnt-out ")[ground]
        parts.append(f"{state}{'fire break' if kind == Kind.BREAK else kind.name.lower()}")
    if people:
        parts.append("a household to rescue")
    if crew:
        parts.append("another crew")
    return ", ".join(parts)


def _surroundings(window, sight: int) -> list[str]:
    cells = sorted((abs(i - sight) + abs(j - sight), i, j) for i in range(2 * sight + 1) for j in range(2 * sight + 1))
    lines = [f"- {_offset(i - sight, j - sight)}: {told}" for _, i, j in cells if (told := _cell(window, i, j))]
    return lines or ["- nothing but wild land"]


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one crew sees, in sentences. The text says nothing that is not in the arrays."""
    vector, window, sight = obs.vector[lane, agent].tolist(), obs.window[lane, agent], params.sight
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    kind = Kind(max(0, int(window[Channel.KIND, sight, sight]) - 1)).name.lower()
    tanks = f"{vector[Column.TANKS]:.0f} of {params.tanks} tanks"
    lines = [f"You are crew {agent} at row {row}, column {col}, on {kind}, with {tanks}."]
    if vector[Column.DOWN]:
        lines.append("You have broken down and can only wait.")
    if vector[Column.IN_FIRE]:
        lines.append("Your cell burns: you are being hurt. Leave it or douse it.")
    towards = _compass(vector[Column.WIND_ROW], vector[Column.WIND_COL])
    lines.append(f"The wind blows towards {towards} at {vector[Column.WIND_SPEED]:.0f} m/s.")
    lines += ["In sight:", *_surroundings(window, sight)]
    lines += [
        f"{name}: ({vector[k]:.0f}, {vector[k + 1]:.0f})."
        for name, k in (
            ("Your station", Column.HOME_ROW),
            ("The fire you were called to began at", Column.ALARM_ROW),
            ("Nearest water on your map", Column.WATER_ROW),
        )
        if vector[k] >= 0
    ]
    for sender, kind, r, c in obs.inbox[lane, agent].tolist():
        if sender:
            lines.append(f"Radio, crew {sender - 1}: {'fire' if kind == Report.FIRE else 'people'} at ({r}, {c}).")
    if vector[Column.WORK]:
        lines.append(f"You have been cutting for {vector[Column.WORK]:.0f} of {CUT_FOR} ticks.")
    legal = [v.name.lower() for v in Verb if obs.mask[lane, agent, v]]
    return "\n".join([*lines, f"You can: {', '.join(legal)}."])
