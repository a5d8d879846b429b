"""The effects of a click on an element, applied in order."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import Element, Op, Operand, Page, Role, Template
from sandbox.worlds.web.dynamics.arrange import fill_slots
from sandbox.worlds.web.dynamics.visits import go, page_of
from sandbox.worlds.web.state import WORD, Flag, Info, Item, Session


@kernel
def content(value, kind, argument):
    """The content of an operand; ``value`` (2, V) int16 are the lane's values."""
    return WORD + value[0, argument] if kind == Operand.VALUE else argument


@kernel
def held(item, e, role):
    """What an element holds: whether a checkbox is ticked, or the content of a field."""
    return (item[e, Item.FLAGS] & Flag.CHECKED) // Flag.CHECKED if role == Role.CHECKBOX else item[e, Item.VALUE]


@kernel
def _clear(item, e):
    item[e, Item.VALUE] = 0
    item[e, Item.FLAGS] &= ~Flag.CHECKED


@kernel
def _show(s, lane, e, visible):
    """Show or hide an element; a hidden element loses the focus."""
    if visible:
        s.item[lane, e, Item.FLAGS] |= Flag.VISIBLE
        return
    s.item[lane, e, Item.FLAGS] &= ~Flag.VISIBLE
    for agent in range(s.session.shape[1]):
        if s.session[lane, agent, Session.FOCUS] == e:
            s.session[lane, agent, Session.FOCUS] = -1


@kernel
def _filter(s, lane, first, group, variable, field, own, params):
    """Show the rows of a group whose value is what the field holds; all if it is empty."""
    wanted = s.item[lane, field, Item.VALUE]
    for e in range(own[Template.ELEMENTS]):
        row = params.element[first + e]
        if row[Element.GROUP] == group:
            _show(s, lane, e, wanted == 0 or wanted == WORD + s.value[lane, 0, variable + row[Element.ENTITY]])


@kernel
def _sort(s, lane, first, group, variable, own, params):
    """Sort a group: give its lines to its entities, the least first."""
    item, value, page = s.item[lane], s.value[lane, 0], 0
    for e in range(own[Template.ELEMENTS]):
        row = params.element[first + e]
        if row[Element.GROUP] != group:
            continue
        rank, page = 0, row[Element.PAGE]
        for k in range(row[Element.COUNT]):
            rank += value[variable + k] < value[variable + row[Element.ENTITY]]
        for f in range(own[Template.ELEMENTS]):  # the line of that rank, in the element's own column
            if params.element[first + f, Element.GROUP] == group:
                before, same = 0, params.element[first + f, Element.COL] == row[Element.COL]
                for g in range(own[Template.ELEMENTS] if same else 0):
                    other = params.element[first + g]
                    if other[Element.GROUP] == group and other[Element.COL] == row[Element.COL]:
                        before += item[g, Item.ROW] < item[f, Item.ROW]
                if same and before == rank:
                    item[e, Item.SLOT] = item[f, Item.ROW]
    for e in range(own[Template.ELEMENTS]):
        if params.element[first + e, Element.GROUP] == group:
            item[e, Item.ROW] = item[e, Item.SLOT]
    place = params.page[page_of(s, lane, page, params)]
    fill_slots(item, place[Page.ELEMENT], place[Page.ELEMENTS])


@kernel
def _on_elements(s, lane, op, e, own):
    """The effects that change one element, or all fields."""
    if op == Op.SHOW or op == Op.HIDE:
        _show(s, lane, e, op == Op.SHOW)
    elif op == Op.TOGGLE:
        _show(s, lane, e, not s.item[lane, e, Item.FLAGS] & Flag.VISIBLE)
    elif op == Op.ENABLE:
        s.item[lane, e, Item.FLAGS] |= Flag.ENABLED
    elif op == Op.CLEAR:
        _clear(s.item[lane], e)
    elif op == Op.WIPE:
        for k in range(own[Template.ELEMENTS]):
            _clear(s.item[lane], k)


@kernel
def _on_registers(s, lane, op, a, b, c, role):
    """The effects that change a register."""
    register = s.register[lane]
    if op == Op.SET:
        register[a] = content(s.value[lane], b, c)
    elif op == Op.ADD:
        register[a] = min(register[a] + c, WORD - 1)
    elif op == Op.SAVE:
        register[a] = held(s.item[lane], b, role)
    elif op == Op.COPY:
        register[a] = register[b]


@kernel
def _on_pages(s, lane, agent, op, a, params):
    """The effects that load, open or close a page."""
    session = s.session[lane, agent]
    if op == Op.GO:
        go(s, lane, agent, a, params)
    elif op == Op.LOGIN or op == Op.RETRY:
        session[Session.RETRIES] += op == Op.RETRY
        go(s, lane, agent, session[Session.NEXT], params)
    elif op == Op.OPEN or op == Op.CLOSE:
        session[Session.OVER], session[Session.FOCUS] = a if op == Op.OPEN else -1, -1
    elif op == Op.HARM:
        session[Session.HARM] += 1


@kernel
def activate(s, lane, agent, e, params):
    """Run the effects of element ``e`` for ``agent``."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    first = own[Template.ELEMENT]
    row, value = params.element[first + e], s.value[lane]
    for k in range(row[Element.EFFECT], row[Element.EFFECT] + row[Element.EFFECTS]):
        op, a, b, c = params.effect[k, 0], params.effect[k, 1], params.effect[k, 2], params.effect[k, 3]
        if op == Op.IF:
            if held(s.item[lane], a, params.element[first + a, Element.ROLE]) != content(value, b, c):
                return
        elif op == Op.WHERE:
            if s.register[lane, a] != content(value, b, c):
                return
        elif op == Op.FILTER:
            _filter(s, lane, first, a, b, c, own, params)
        elif op == Op.SORT:
            _sort(s, lane, first, a, b, own, params)
        elif Op.SET <= op <= Op.COPY:
            _on_registers(s, lane, op, a, b, c, params.element[first + b, Element.ROLE] if op == Op.SAVE else 0)
        elif Op.SHOW <= op <= Op.CLEAR or op == Op.WIPE:
            _on_elements(s, lane, op, a, own)
        else:
            _on_pages(s, lane, agent, op, a, params)
