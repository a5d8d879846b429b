"""What an agent takes the site to be: the page that it sees, its task, and all other pages as on the clean site."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.web.columns import Element, Page, Template, Variable
from sandbox.worlds.web.kernels import OWN, begin
from sandbox.worlds.web.state import BASE, SAID, SIDE, SLOTS, WORD, Flag, Item, Session


@kernel
def _believe_words(vector, own, out, to, rules):
    """The words of the instruction, and what can be typed."""
    for k in range(own[Template.VARIABLES]):
        place = rules.variable[own[Template.VARIABLE] + k, Variable.SAID]
        if place >= 0:
            out.value[to, 0, k] = int(vector[OWN + place])
    for k in range(SLOTS):
        out.value[to, 1, k] = int(vector[OWN + SAID + k])


@kernel
def _likeness(window, i, j, row, item):
    """How well an element fits what is seen in a slot: the same id, label, or place; -1 if the role differs."""
    if window[0, i, j] != row[Element.ROLE]:
        return -1
    label = int(window[1, i, j]) * BASE + window[2, i, j]
    like = 4 * (int(window[3, i, j]) * BASE + window[4, i, j] == item[Item.ID]) + 2 * (
        label // 4 == item[Item.LABEL] // 4
    )
    return like + (window[6, i, j] == item[Item.ROW])


@kernel
def _believe_element(window, i, j, item, slot):
    """An element is as it is seen."""
    item[Item.LABEL] = int(window[1, i, j]) * BASE + window[2, i, j]
    item[Item.ID] = int(window[3, i, j]) * BASE + window[4, i, j]
    item[Item.ROW], item[Item.COL], item[Item.SLOT] = window[6, i, j], window[7, i, j], slot
    item[Item.FLAGS] = window[5, i, j] & (Flag.VISIBLE | Flag.ENABLED | Flag.CHECKED)
    value = int(window[8, i, j]) * BASE + window[9, i, j]
    item[Item.VALUE] = WORD + value if value else 0


@kernel
def _believe_page(window, page, own, out, to, agent, rules):
    """Each element of the page takes over what is seen in the slot that fits it best; the others are hidden."""
    first, count = page[Page.ELEMENT], page[Page.ELEMENTS]
    item = out.item[to]
    for e in range(first, first + count):
        item[e, Item.SLOT] = -1
    for slot in range(SLOTS):
        i, j, best, most = slot // SIDE, slot % SIDE, -1, -1
        for e in range(first, first + count):
            if window[0, i, j] and item[e, Item.SLOT] < 0:
                like = _likeness(window, i, j, rules.element[own[Template.ELEMENT] + e], item[e])
                if like > most:
                    best, most = e, like
        if best >= 0:
            _believe_element(window, i, j, item[best], slot)
            register = rules.element[own[Template.ELEMENT] + best, Element.REGISTER]
            if register >= 0 and item[best, Item.LABEL]:
                out.register[to, register] = WORD + item[best, Item.LABEL] // 4
            if window[5, i, j] & Flag.FOCUSED:
                out.session[to, agent, Session.FOCUS] = best
    free = 0
    for e in range(first, first + count):
        if item[e, Item.SLOT] < 0:
            while window[0, free // SIDE, free % SIDE]:
                free += 1
            item[e, Item.SLOT] = free
            item[e, Item.FLAGS] &= ~Flag.VISIBLE
            free += 1


@kernel
def believe(obs, lane, agent, memory, rules, seed, out, to):
    """Lane ``to`` of ``out``: the site as ``agent`` takes it to be, with dice of its own (``seed``).

    What the site has stored it knows as far as the page shows it; the other agent it takes to be at its start page.
    """
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    template = int(vector[6])
    own = rules.template[template]
    out.seed[to] = seed
    begin(out, to, template, True, rules)
    _believe_words(vector, own, out, to, rules)
    out.tick[to] = int(vector[9])
    session, local = out.session[to, agent], int(vector[2]) - own[Template.PAGE]
    out.pos[to, agent, 0], out.pos[to, agent, 1] = int(vector[0]), int(vector[1])
    session[Session.OVER], session[Session.PAGE] = -1, local
    if vector[3]:
        session[Session.OVER] = local
        session[Session.PAGE] = rules.template[template, Template.START_OTHER if agent else Template.START]
    session[Session.FOCUS], session[Session.SCROLL] = -1, int(vector[5])
    session[Session.LOADING], session[Session.HARM] = int(vector[4]), int(vector[8])
    if not vector[4]:
        _believe_page(window, rules.page[own[Template.PAGE] + local], own, out, to, agent, rules)
