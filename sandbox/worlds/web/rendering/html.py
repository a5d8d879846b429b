"""A lane's site as one HTML page for a browser, with the same elements, labels, ids and behaviour.

The page reacts to clicks and keys. ``tick()`` is called once a tick, after the agents have acted: pages load and the
goal is checked. Delays, time-outs and pop-ups are computed in advance from the lane's draws. With two agents,
``look(agent)`` chooses whose browser is shown.
"""

import json
from importlib.resources import files

import numpy as np

from sandbox.worlds.web.compiler.columns import Element, Kind, Op, Operand, Page, Role, Template
from sandbox.worlds.web.dynamics.visits import MOST_EXPIRED, MOST_RETRIES, delay, event
from sandbox.worlds.web.rendering.text import PAGES, REGISTERS, content_value, id_text, instruction, label_text, name
from sandbox.worlds.web.state import FOLD, SCROLL, WORD, Flag, Info, Item, Params, Session, State

LOADS = 100  # page loads of each agent that are computed in advance


def _operand(s: State, lane: int, params: Params, kind: int, argument: int):
    """An operand as a JSON value."""
    return content_value(params, WORD + int(s.value[lane, 0, argument]) if kind == Operand.VALUE else argument)


def _effect(s: State, lane: int, params: Params, own, row) -> list:
    op, a, b, c = (int(x) for x in row)
    if op == Op.FILTER:
        return ["filter", a, [_word(s, lane, params, b + k) for k in range(int(own[Template.VARIABLES]) - b)], c]
    if op == Op.SORT:
        return ["sort", a, s.value[lane, 0, b : own[Template.VARIABLES]].tolist()]
    if op in (Op.SET, Op.IF, Op.WHERE):
        return [Op(op).name.lower(), a, _operand(s, lane, params, b, c)]
    return [Op(op).name.lower(), a, c if op == Op.ADD else b]


def _word(s: State, lane: int, params: Params, variable: int) -> str:
    return label_text(params, 4 * int(s.value[lane, 0, variable]))


def _element(s: State, lane: int, params: Params, own, e: int) -> dict:
    item, row = s.item[lane, e], params.element[own[Template.ELEMENT] + e]
    effects = params.effect[row[Element.EFFECT] : row[Element.EFFECT] + row[Element.EFFECTS]]
    return {
        "role": Role(row[Element.ROLE]).name.lower(), "label": label_text(params, int(item[Item.LABEL])),
        "word": label_text(params, int(item[Item.LABEL]) // 4 * 4), "id": id_text(params, int(item[Item.ID])),
        "register": int(row[Element.REGISTER]), "row": int(item[Item.ROW]), "col": int(item[Item.COL]),
        "page": int(row[Element.PAGE]), "group": int(row[Element.GROUP]), "entity": int(row[Element.ENTITY]),
        "column": int(row[Element.COL]), "parent": int(row[Element.PARENT]),
        "visible": bool(item[Item.FLAGS] & Flag.VISIBLE), "enabled": bool(item[Item.FLAGS] & Flag.ENABLED),
        "checked": bool(item[Item.FLAGS] & Flag.CHECKED), "value": content_value(params, int(item[Item.VALUE])),
        "effects": [_effect(s, lane, params, own, effect) for effect in effects],
    }  # fmt: skip


def _visits(s: State, lane: int, params: Params, agent: int) -> list:
    """[delay, kind, variant] of each load, from load 0."""
    seed, visits = s.seed[lane], []
    for load in range(LOADS):
        kind, variant = event(seed, np.int64(load), agent, params.severity)
        wait = delay(seed, np.int64(load), agent, params.severity)
        visits.append([int(wait), Kind(int(kind)).name.lower(), int(variant)])
    return visits


def site(s: State, lane: int, params: Params) -> dict:
    """The data of the page, as JSON values."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    pages = params.page[own[Template.PAGE] : own[Template.PAGE] + own[Template.PAGES]]
    goals = params.goal[own[Template.GOAL] : own[Template.GOAL] + own[Template.GOALS]]
    first = int(s.info[lane, Info.TEMPLATE]) * s.register.shape[1]
    return {
        "instruction": instruction(s, lane, params), "theme": int(s.info[lane, Info.THEME]),
        "fold": FOLD, "scroll": SCROLL, "retries": MOST_RETRIES, "expired": MOST_EXPIRED,
        "pages": [
            {"name": name(params, PAGES, int(own[Template.PAGE]) + k), "kind": Kind(p[Page.KIND]).name.lower(),
             "lines": int(p[Page.LINES])} for k, p in enumerate(pages)
        ],
        "elements": [_element(s, lane, params, own, e) for e in range(own[Template.ELEMENTS])],
        "goal": [[int(r), _operand(s, lane, params, kind, argument)] for r, kind, argument in goals.tolist()],
        "names": [name(params, REGISTERS, first + k) for k in range(own[Template.REGISTERS])],
        "registers": [content_value(params, int(c)) for c in s.register[lane, : own[Template.REGISTERS]]],
        "sessions": [{c.name.lower(): int(row[c]) for c in Session} for row in s.session[lane]],
        "visits": [_visits(s, lane, params, agent) for agent in range(params.agents)],
    }  # fmt: skip


def html(s: State, lane: int, params: Params) -> str:
    """The page as HTML text, from the lane's present state."""
    folder = files(__package__)
    data = json.dumps(site(s, lane, params)).replace("<", "\\u003c")  # no tag or comment can begin in it
    page, script = (folder.joinpath(name).read_text("utf-8") for name in ("page.html", "page.js"))
    return page.replace("/*SCRIPT*/", script).replace("/*SITE*/null", data)  # last: nothing in the data is replaced
