"""What an agent believes: the page that it sees, its task, and all other pages as on the clean site."""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import READ, Element, Kind, Operand, Page, Plan, Template, Variable
from sandbox.worlds.web.dynamics.effects import content
from sandbox.worlds.web.dynamics.kernels import begin, click, reached, read_code
from sandbox.worlds.web.dynamics.visits import shown
from sandbox.worlds.web.state import (
    ENTITIES,
    FIRST_OFFER,
    FIRST_SAID,
    SIDE,
    SLOTS,
    STEMS,
    WORD,
    Channel,
    Column,
    Flag,
    Info,
    Item,
    Note,
    Params,
    Session,
    State,
    Verb,
)  # fmt: skip

# -- facts: a lane as a list of facts, and which of them an agent sees. The prediction error is measured on them.


def ground_truth(s: State, lane: int, params: Params) -> np.ndarray:
    """(3 E + R + N,) int64: label, flags and content of each element; registers; the page that each agent sees."""
    label, flags, value = (s.item[lane, :, column] for column in (Item.LABEL, Item.FLAGS, Item.VALUE))
    pages = [shown.py_func(session) for session in s.session[lane]]
    return np.concatenate([label, flags, value, s.register[lane], pages]).astype(np.int64)


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """(3 E + R + N,) bool: visible elements of its page, once that is loaded, and which page that is."""
    own, session = params.template[s.info[lane, Info.TEMPLATE]], s.session[lane, agent]
    page = own[Template.PAGE] + shown.py_func(session)
    first, count = params.page[page, Page.ELEMENT], params.page[page, Page.ELEMENTS]
    numbers = np.arange(s.item.shape[1])
    there = (numbers >= first) & (numbers < first + count) & (s.item[lane, :, Item.FLAGS] & Flag.VISIBLE > 0)
    there &= session[Session.LOADING] == 0
    stored = np.zeros(s.register.shape[1], np.bool_)
    return np.concatenate([there, there, there, stored, np.arange(params.agents) == agent])


# -- value: conditions of the goal, less harm


@kernel
def earned(s, lane, params):
    """Conditions of the goal that hold now, less one for each harmful thing done."""
    total = float(reached(s, lane, params))
    for agent in range(params.agents):
        total -= s.session[lane, agent, Session.HARM]
    return total


# -- belief


@kernel
def _believe_words(vector, note, own, out, to, agent, params):
    """Fill in the words of the instruction, the values to type, and what the agent has read so far."""
    value = out.value[to]
    for k in range(own[Template.VARIABLES]):
        place = params.variable[own[Template.VARIABLE] + k, Variable.SAID]
        if place >= 0:
            value[0, k] = int(vector[FIRST_SAID + place])
    for k in range(SLOTS):
        value[1, k] = int(vector[FIRST_OFFER + k])
    for k in range(min(note[Note.STEP], own[Template.PLANS])):
        step = params.plan[own[Template.PLAN] + k]
        if step[Plan.AGENT] == agent and step[Plan.VERB] == READ:
            shown = params.element[own[Template.ELEMENT] + step[Plan.ELEMENT], Element.VAR]
            if shown >= 0:
                value[0, shown] = note[Note.NOTED]


@kernel
def _read_page(window, page, own, out, to, params):
    """Fill in the values that the page shows, in elements that their ids identify."""
    for slot in range(SLOTS):
        i, j = slot // SIDE, slot % SIDE
        role, code = window[Channel.ROLE, i, j], read_code(window, Channel.ID_HIGH, i, j)
        for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
            row = params.element[own[Template.ELEMENT] + e]
            if row[Element.VAR] >= 0 and role == row[Element.ROLE] and code == out.item[to, e, Item.ID]:
                out.value[to, 0, row[Element.VAR]] = read_code(window, Channel.LABEL_HIGH, i, j) // 4


@kernel
def _label(out, to, own, params):
    """Set labels and ids of elements by the believed values."""
    value = out.value[to, 0]
    for e in range(own[Template.ELEMENTS]):
        row = params.element[own[Template.ELEMENT] + e]
        if row[Element.VAR] >= 0:
            out.item[to, e, Item.LABEL] = 4 * value[row[Element.VAR]]
        if row[Element.ID_VAR] >= 0:
            word = value[row[Element.ID_VAR]] - params.stem[row[Element.STEM], 1]
            out.item[to, e, Item.ID] = STEMS + ENTITIES * row[Element.STEM] + word


@kernel
def _believe_done(note, own, out, to, agent, params):
    """Apply the effects of the steps of the plan that the agent has done so far."""
    for k in range(min(note[Note.STEP], own[Template.PLANS])):
        step = params.plan[own[Template.PLAN] + k]
        if step[Plan.AGENT] != agent or step[Plan.ELEMENT] < 0:
            continue
        e = np.int64(step[Plan.ELEMENT])
        row = params.element[own[Template.ELEMENT] + e]
        if step[Plan.VERB] == Verb.CLICK:
            page = params.page[own[Template.PAGE] + row[Element.PAGE]]
            click(out, to, agent, e, row[Element.ROLE], page, params)
        elif step[Plan.VERB] == Verb.TYPE:
            word = content(out.value[to], step[Plan.OPERAND], step[Plan.ARGUMENT])
            out.item[to, e, Item.VALUE] = WORD + note[Note.NOTED] if step[Plan.OPERAND] == Operand.NOTED else word
        elif step[Plan.VERB] == Verb.SELECT:
            out.item[to, e, Item.VALUE] = WORD + out.item[to, step[Plan.OPTION], Item.LABEL] // 4


@kernel
def _page_below(note, own, agent, params):
    """The page below a dialog or pop-up: the page of the next step of the plan, otherwise the agent's start page."""
    for k in range(note[Note.STEP], own[Template.PLANS]):
        step = params.plan[own[Template.PLAN] + k]
        if step[Plan.AGENT] == agent and step[Plan.ELEMENT] >= 0:
            page = np.int64(params.element[own[Template.ELEMENT] + step[Plan.ELEMENT], Element.PAGE])
            if params.page[own[Template.PAGE] + page, Page.KIND] == Kind.SITE:
                return page
    return np.int64(own[Template.START_OTHER if agent else Template.START])


@kernel
def _likeness(window, i, j, row, item):
    """How well an element matches a slot: 4 for its id, 2 for its label, 1 for its row; -1: another role."""
    if window[Channel.ROLE, i, j] != row[Element.ROLE]:
        return -1
    same_id = read_code(window, Channel.ID_HIGH, i, j) == item[Item.ID]
    same_label = read_code(window, Channel.LABEL_HIGH, i, j) // 4 == item[Item.LABEL] // 4
    return 4 * same_id + 2 * same_label + (window[Channel.ROW, i, j] == item[Item.ROW])


@kernel
def _believe_element(window, i, j, item, slot):
    """Copy the content of a slot to an element."""
    item[Item.LABEL] = read_code(window, Channel.LABEL_HIGH, i, j)
    item[Item.ID] = read_code(window, Channel.ID_HIGH, i, j)
    item[Item.ROW], item[Item.COL], item[Item.SLOT] = window[Channel.ROW, i, j], window[Channel.COL, i, j], slot
    item[Item.FLAGS] = window[Channel.BITS, i, j] & (Flag.VISIBLE | Flag.ENABLED | Flag.CHECKED)
    value = read_code(window, Channel.VALUE_HIGH, i, j)
    item[Item.VALUE] = WORD + value if value else 0


@kernel
def _fit(window, slot, first, count, own, out, to, least, params):
    """The element without a slot that fits a slot best; -1: none reaches the likeness ``least``."""
    i, j, best, most = slot // SIDE, slot % SIDE, -1, least - 1
    for e in range(first, first + count):
        if window[Channel.ROLE, i, j] and out.item[to, e, Item.SLOT] < 0:
            like = _likeness(window, i, j, params.element[own[Template.ELEMENT] + e], out.item[to, e])
            if like > most:
                best, most = e, like
    return best


@kernel
def _believe_page(window, page, own, out, to, agent, params):
    """Match slots and elements of the page, write what each slot shows to its element, and hide the other elements.

    Elements that id or label identifies come first; the rest of the page shows which words were drawn.
    """
    first, count = page[Page.ELEMENT], page[Page.ELEMENTS]
    item = out.item[to]
    for e in range(first, first + count):
        item[e, Item.SLOT] = -1
    for turn in range(2 * SLOTS):
        slot = turn % SLOTS
        i, j = slot // SIDE, slot % SIDE
        taken = False
        for e in range(first, first + count):
            taken = taken or item[e, Item.SLOT] == slot
        best = -1 if taken else _fit(window, slot, first, count, own, out, to, 2 if turn < SLOTS else 0, params)
        if best >= 0:
            _believe_element(window, i, j, item[best], slot)
            row = params.element[own[Template.ELEMENT] + best]
            if row[Element.REGISTER] >= 0 and item[best, Item.LABEL]:
                out.register[to, row[Element.REGISTER]] = WORD + item[best, Item.LABEL] // 4
            if row[Element.VAR] >= 0 and turn >= SLOTS:
                if params.variable[own[Template.VARIABLE] + row[Element.VAR], Variable.SAID] < 0:
                    out.value[to, 0, row[Element.VAR]] = item[best, Item.LABEL] // 4
            if window[Channel.BITS, i, j] & Flag.FOCUSED:
                out.session[to, agent, Session.FOCUS] = best
    free = 0
    for e in range(first, first + count):
        if item[e, Item.SLOT] < 0:
            while window[Channel.ROLE, free // SIDE, free % SIDE]:
                free += 1
            item[e, Item.SLOT] = free
            item[e, Item.FLAGS] &= ~Flag.VISIBLE
            free += 1


@kernel
def believe(obs, lane, agent, memory, params, seed, out, to):
    """Fill lane ``to`` of ``out`` with what ``agent`` believes; ``seed`` (uint64) keys its draws.

    It knows the registers that its page shows or its own steps have set. The other agent is believed to be on its
    start page. Words that it has neither read nor been told are drawn.
    """
    window, vector, note = obs.window[lane, agent], obs.vector[lane, agent], memory.notes[lane, agent]
    template, loading = int(vector[Column.TEMPLATE]), int(vector[Column.LOADING])
    own = params.template[template]
    out.seed[to] = seed
    begin(out, to, template, True, params)
    _believe_words(vector, note, own, out, to, agent, params)
    session, local = out.session[to, agent], int(vector[Column.PAGE]) - own[Template.PAGE]
    page = params.page[own[Template.PAGE] + local]
    _label(out, to, own, params)
    if not loading:
        _read_page(window, page, own, out, to, params)
        _label(out, to, own, params)
    _believe_done(note, own, out, to, agent, params)
    out.tick[to], out.done[to] = int(vector[Column.TICK]), Finish.RUNNING
    out.pos[to, agent, 0], out.pos[to, agent, 1] = int(vector[Column.ROW]), int(vector[Column.COL])
    session[Session.OVER], session[Session.PAGE] = -1, local
    session[Session.NEXT] = _page_below(note, own, agent, params)
    if vector[Column.ON_TOP]:
        session[Session.OVER], session[Session.PAGE] = local, session[Session.NEXT]
    session[Session.FOCUS], session[Session.SCROLL] = -1, int(vector[Column.SCROLL])
    session[Session.LOADING], session[Session.HARM] = loading, int(vector[Column.HARM])
    session[Session.EXPIRED], session[Session.RETRIES] = 0, 0
    if not loading:
        _believe_page(window, page, own, out, to, agent, params)
