"""A lane as JSON values and back: ``place(describe(x)) = x``."""

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.worlds.web.compiler.columns import Element, Role, Template
from sandbox.worlds.web.dynamics.arrange import THEMES
from sandbox.worlds.web.rendering.text import (
    PAGES,
    REGISTERS,
    TEMPLATES,
    VALUES,
    content_value,
    id_code,
    id_text,
    label_code,
    label_text,
    name,
)
from sandbox.worlds.web.state import SLOTS, WORD, Flag, Info, Item, Params, Session, State

_PAGES = (Session.PAGE, Session.OVER, Session.NEXT, Session.PREVIOUS)
_ABSENT = (Session.OVER, Session.FOCUS, Session.PREVIOUS)  # may be None, or left out
_FLAGS = (Flag.VISIBLE, Flag.ENABLED, Flag.CHECKED)


def _own(s: State, lane: int, params: Params):
    return params.template[s.info[lane, Info.TEMPLATE]]


def _page(params: Params, own, number: int) -> str | None:
    return name(params, PAGES, int(own[Template.PAGE]) + int(number)) if number >= 0 else None


def _agent(s: State, lane: int, params: Params, own, agent: int) -> dict:
    session = s.session[lane, agent]
    entry = {"row": int(s.pos[lane, agent, 0]), "col": int(s.pos[lane, agent, 1])}
    for column in Session:
        entry[column.name.lower()] = _page(params, own, session[column]) if column in _PAGES else int(session[column])
    return entry | {"focus": int(session[Session.FOCUS]) if session[Session.FOCUS] >= 0 else None}


def _element(s: State, lane: int, params: Params, own, e: int) -> dict:
    item, row = s.item[lane, e], params.element[own[Template.ELEMENT] + e]
    return {
        "page": _page(params, own, row[Element.PAGE]), "role": Role(row[Element.ROLE]).name.lower(),
        "label": label_text(params, item[Item.LABEL]), "id": id_text(params, int(item[Item.ID])),
        "row": int(item[Item.ROW]), "col": int(item[Item.COL]), "slot": int(item[Item.SLOT]),
        **{flag.name.lower(): bool(item[Item.FLAGS] & flag) for flag in _FLAGS},
        "value": content_value(params, item[Item.VALUE]),
    }  # fmt: skip


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values: the task, the agents' sessions, registers, and every element; words as text."""
    own, template = _own(s, lane, params), int(s.info[lane, Info.TEMPLATE])
    values = range(int(own[Template.VARIABLES]))
    return {
        "seed": int(s.seed[lane]),
        "tick": int(s.tick[lane]),
        "task": name(params, TEMPLATES, template),
        "theme": int(s.info[lane, Info.THEME]),
        "values": {
            name(params, VALUES, int(own[Template.VARIABLE]) + k): label_text(params, 4 * s.value[lane, 0, k])
            for k in values
        },
        "offered": [label_text(params, 4 * s.value[lane, 1, k]) for k in values],
        "registers": {
            name(params, REGISTERS, template * s.register.shape[1] + k): content_value(params, s.register[lane, k])
            for k in range(own[Template.REGISTERS])
        },
        "agents": [_agent(s, lane, params, own, agent) for agent in range(params.agents)],
        "elements": [_element(s, lane, params, own, e) for e in range(own[Template.ELEMENTS])],
        "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }


def _word(params: Params, text, where: str) -> int:
    code = label_code(params, text) if isinstance(text, str) else None
    if code is None:
        raise UsageError(f"place: {where}: {text!r} is not a word of this site")
    return code


def _content(params: Params, value, where: str) -> int:
    if isinstance(value, str):
        return WORD + _word(params, value, where) // 4
    if not isinstance(value, int) or not 0 <= value < WORD:
        raise UsageError(f"place: {where}: {value!r}, expected a number below {WORD} or a word")
    return value


def _entries(given: dict, key: str, names: list[str]) -> list:
    """The entries of a table in the order of ``names``, whatever their order in the table."""
    for entry in given[key]:
        if entry not in names:
            raise unknown("name", entry, names, f"place: {key}")
    return [given[key][entry] for entry in names]


def _place_agent(s: State, lane: int, params: Params, own, agent: int, given: dict) -> None:
    pages = {_page(params, own, k): k for k in range(own[Template.PAGES])} | {None: -1}
    for column in Session:
        value = given.get(column.name.lower()) if column in _ABSENT else given[column.name.lower()]
        if column in _PAGES:
            if value not in pages or (value is None and column in (Session.PAGE, Session.NEXT)):
                raise unknown("page", value, [p for p in pages if p], f"place: agents[{agent}].{column.name.lower()}")
            value = pages[value]
        s.session[lane, agent, column] = -1 if value is None else value
    if not -1 <= s.session[lane, agent, Session.FOCUS] < own[Template.ELEMENTS]:
        raise UsageError(f"place: agents[{agent}].focus: expected an element below {own[Template.ELEMENTS]}")
    s.pos[lane, agent] = given["row"], given["col"]


def _place_element(s: State, lane: int, params: Params, e: int, given: dict) -> None:
    item, where = s.item[lane, e], f"elements[{e}]"
    code = id_code(params, given["id"]) if given["id"] != id_text(params, int(item[Item.ID])) else int(item[Item.ID])
    if code is None:
        raise UsageError(
            f"place: {where}: {given['id']!r} is not an id of this site; expected one, or gen-000 to gen-fff"
        )
    if not 0 <= given["slot"] < SLOTS:
        raise UsageError(f"place: {where}: slot {given['slot']}, expected 0..{SLOTS - 1}")
    item[Item.LABEL], item[Item.ID] = _word(params, given["label"], where), code
    item[Item.ROW], item[Item.COL], item[Item.SLOT] = given["row"], given["col"], given["slot"]
    item[Item.FLAGS] = sum(flag for flag in _FLAGS if given[flag.name.lower()])
    item[Item.VALUE] = _content(params, given["value"], where)


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid."""
    templates = {name(params, TEMPLATES, k): k for k in range(len(params.template))}
    if given["task"] not in templates:
        raise unknown("task", given["task"], templates, "place")
    if given["theme"] not in range(THEMES):
        raise UsageError(f"place: theme {given['theme']!r}, expected 0..{THEMES - 1}")
    s.seed[lane], s.tick[lane] = given["seed"], given["tick"]
    s.info[lane] = templates[given["task"]], given["theme"]
    own = _own(s, lane, params)
    counts = {"agents": params.agents, "elements": int(own[Template.ELEMENTS]), "values": int(own[Template.VARIABLES])}
    counts |= {"registers": int(own[Template.REGISTERS]), "offered": counts["values"]}
    for key, count in counts.items():
        if len(given[key]) != count:
            raise UsageError(f"place: {len(given[key])} {key}, expected {count}")
    s.value[lane], s.register[lane], s.item[lane] = 0, 0, 0
    names = [name(params, VALUES, int(own[Template.VARIABLE]) + k) for k in range(counts["values"])]
    for k, (key, word) in enumerate(zip(names, _entries(given, "values", names), strict=True)):
        s.value[lane, 0, k] = _word(params, word, f"values.{key}") // 4
        s.value[lane, 1, k] = _word(params, given["offered"][k], "offered") // 4
    first = templates[given["task"]] * s.register.shape[1]
    names = [name(params, REGISTERS, first + k) for k in range(counts["registers"])]
    for k, (key, value) in enumerate(zip(names, _entries(given, "registers", names), strict=True)):
        s.register[lane, k] = _content(params, value, f"registers.{key}")
    for agent, entry in enumerate(given["agents"]):
        _place_agent(s, lane, params, own, agent, entry)
    for e, entry in enumerate(given["elements"]):
        _place_element(s, lane, params, e, entry)
    s.refused[lane], s.reward[lane] = 0, given["reward"]
    s.done[lane] = Finish[given["finish"].upper()]
