"""A site's kernels: reset, step, observe.

A tick: agents act in order; then pages load; then the goal is checked. Agents share fields and registers; page, focus,
scroll and pop-ups are each agent's own.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import Element, Kind, Page, Role, Template, Variable
from sandbox.worlds.web.dynamics.arrange import lay_out
from sandbox.worlds.web.dynamics.effects import activate, content
from sandbox.worlds.web.dynamics.visits import arrive, go, page_of, shown
from sandbox.worlds.web.state import (
    BASE,
    FIRST_OFFER,
    FIRST_SAID,
    FOLD,
    SAID,
    SCROLL,
    SIDE,
    SLOTS,
    WORD,
    Channel,
    Column,
    Flag,
    Info,
    Item,
    Session,
    Stream,
    Verb,
)  # fmt: skip


@kernel
def begin(s, lane, template, clean, params):
    """Begin an episode of one template; ``clean``: laid out without perturbations."""
    s.tick[lane], s.done[lane] = 0, Finish.RUNNING
    lay_out(s, lane, template, clean, params)
    for k in range(s.register.shape[1]):
        s.register[lane, k] = 0
    for agent in range(params.agents):
        session = s.session[lane, agent]
        for k in range(s.session.shape[2]):
            session[k] = 0
        start = params.template[template, Template.START_OTHER if agent else Template.START]
        session[Session.PAGE], session[Session.PREVIOUS] = start, -1
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = 0, 0
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
        go(s, lane, agent, start, params)


@kernel
def reset(s, lane, params):
    """Begin the episode of ``s.seed[lane]``."""
    template = np.int64(params.own)
    if template < 0:
        template = below(len(params.template), s.seed[lane], 0, Stream.TEMPLATE, 0)
    begin(s, lane, template, False, params)


@kernel
def reached(s, lane, params):
    """The number of conditions of the goal that hold."""
    own, count = params.template[s.info[lane, Info.TEMPLATE]], 0
    for k in range(own[Template.GOAL], own[Template.GOAL] + own[Template.GOALS]):
        goal = params.goal[k]
        count += s.register[lane, goal[0]] == content(s.value[lane], goal[1], goal[2])
    return count


@kernel
def clickable(role, flags, row, scroll):
    """Whether a click on an element of this role, flags and row has an effect."""
    usable = Flag.VISIBLE | Flag.ENABLED
    return Role.LINK <= role <= Role.COMBOBOX and flags & usable == usable and scroll <= row < scroll + FOLD


@kernel
def focus_in_view(item, session):
    """The element with the focus; -1: none, or it is out of view, where nothing can be typed."""
    focus, scroll = np.int64(session[Session.FOCUS]), session[Session.SCROLL]
    return focus if focus >= 0 and scroll <= item[focus, Item.ROW] < scroll + FOLD else np.int64(-1)


@kernel
def _at_slot(s, lane, page, slot):
    """The element in a slot of a page (a row of ``Params.page``); -1: none."""
    for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        if s.item[lane, e, Item.SLOT] == slot:
            return e
    return -1


@kernel
def click(s, lane, agent, e, role, page, params):
    """Click an element: the action of its role, then its effects."""
    item, session = s.item[lane, e], s.session[lane, agent]
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = item[Item.ROW], item[Item.COL]
    session[Session.FOCUS] = e if role >= Role.TEXTBOX else -1
    first = params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    if role == Role.CHECKBOX:
        item[Item.FLAGS] ^= Flag.CHECKED
    elif role == Role.RADIO:
        for other in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
            row = params.element[first + other]
            if row[Element.ROLE] == Role.RADIO and row[Element.PARENT] == params.element[first + e, Element.PARENT]:
                s.item[lane, other, Item.FLAGS] &= ~Flag.CHECKED
        item[Item.FLAGS] |= Flag.CHECKED
    activate(s, lane, agent, e, params)


@kernel
def _select(s, lane, page, focus, target, params):
    """Choose the option in a slot, if its combobox has the focus."""
    item, first = s.item[lane], params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    e = _at_slot(s, lane, page, target)
    if e >= 0 and params.element[first + e, Element.PARENT] == focus:
        if params.element[first + e, Element.ROLE] == Role.OPTION and item[e, Item.FLAGS] & Flag.VISIBLE:
            item[focus, Item.VALUE] = WORD + item[e, Item.LABEL] // 4


@kernel
def _act(s, lane, agent, verb, target, params):
    """One agent's action; an illegal one does nothing."""
    session, item = s.session[lane, agent], s.item[lane]
    if session[Session.LOADING] > 0 or target < 0 or target >= SLOTS:
        return
    first = params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    page, scroll = params.page[page_of(s, lane, shown(session), params)], session[Session.SCROLL]
    focus = focus_in_view(item, session)
    role = params.element[first + focus, Element.ROLE] if focus >= 0 else 0
    if verb == Verb.CLICK:
        e = _at_slot(s, lane, page, target)
        if e >= 0:
            own = params.element[first + e, Element.ROLE]
            if clickable(own, item[e, Item.FLAGS], item[e, Item.ROW], scroll):
                click(s, lane, agent, e, own, page, params)
    elif verb == Verb.TYPE:
        if (role == Role.TEXTBOX or role == Role.SEARCHBOX) and s.value[lane, 1, target]:
            item[focus, Item.VALUE] = WORD + s.value[lane, 1, target]
    elif verb == Verb.SELECT and role == Role.COMBOBOX:
        _select(s, lane, page, focus, target, params)
    elif verb == Verb.SCROLL:
        if target == 0 and scroll + FOLD < page[Page.LINES]:
            session[Session.SCROLL] = min(scroll + SCROLL, page[Page.LINES] - FOLD)
        elif target == 1 and scroll > 0:
            session[Session.SCROLL] = max(scroll - SCROLL, 0)
    elif verb == Verb.BACK and target == 0 and can_go_back(session, page):
        go(s, lane, agent, session[Session.PREVIOUS], params)


@kernel
def can_go_back(session, page):
    """Whether the back button has an effect; ``page`` is the row of the page shown."""
    return session[Session.PREVIOUS] >= 0 and session[Session.OVER] < 0 and page[Page.KIND] == Kind.SITE


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as wait."""
    if s.done[lane] != Finish.RUNNING:
        return
    goals, before = params.template[s.info[lane, Info.TEMPLATE], Template.GOALS], reached(s, lane, params)
    for agent in range(params.agents):
        harm, s.refused[lane, agent] = s.session[lane, agent, Session.HARM], 0
        _act(s, lane, agent, actions[lane, agent, 0], actions[lane, agent, 1], params)
        s.reward[lane, agent] = harm - s.session[lane, agent, Session.HARM]
    for agent in range(params.agents):
        if s.session[lane, agent, Session.LOADING] > 0:
            s.session[lane, agent, Session.LOADING] -= 1
            if s.session[lane, agent, Session.LOADING] == 0:
                arrive(s, lane, agent, params)
    after = reached(s, lane, params)
    for agent in range(params.agents):
        s.reward[lane, agent] += np.float32(after - before) / np.float32(goals)
    s.tick[lane] += 1
    if after == goals:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def label_of(s, lane, e, row):
    """The present label of an element; some show the content of a register."""
    if row[Element.REGISTER] >= 0:
        return 4 * max(0, s.register[lane, row[Element.REGISTER]] - WORD)
    return s.item[lane, e, Item.LABEL]


@kernel
def _see(s, lane, agent, first, page, session, window, mask, params):
    """Fill the window (C, K, K) and the mask's clicks and selections with the elements of a page."""
    focus, scroll = focus_in_view(s.item[lane], session), session[Session.SCROLL]
    for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        item, row = s.item[lane, e], params.element[first + e]
        flags, role, slot = item[Item.FLAGS], row[Element.ROLE], item[Item.SLOT]
        if not flags & Flag.VISIBLE:
            continue
        i, j = slot // SIDE, slot % SIDE
        label, code, value = label_of(s, lane, e, row), item[Item.ID], max(0, item[Item.VALUE] - WORD)
        visible = scroll <= item[Item.ROW] < scroll + FOLD
        window[Channel.ROLE, i, j] = role
        window[Channel.LABEL_HIGH, i, j], window[Channel.LABEL_LOW, i, j] = label // BASE, label % BASE
        window[Channel.ID_HIGH, i, j], window[Channel.ID_LOW, i, j] = code // BASE, code % BASE
        window[Channel.BITS, i, j] = flags + Flag.FOCUSED * (e == focus) + Flag.IN_VIEW * visible
        window[Channel.ROW, i, j], window[Channel.COL, i, j] = item[Item.ROW], item[Item.COL]
        window[Channel.VALUE_HIGH, i, j], window[Channel.VALUE_LOW, i, j] = value // BASE, value % BASE
        mask[Verb.CLICK * SLOTS + slot] = clickable(role, flags, item[Item.ROW], scroll)
        mask[Verb.SELECT * SLOTS + slot] = role == Role.OPTION and focus >= 0 and row[Element.PARENT] == focus


@kernel
def read_code(window, channel, i, j):
    """The code of two digits in a cell of the window; ``channel`` has the high one."""
    return int(window[channel, i, j]) * BASE + int(window[channel + 1, i, j])


@kernel
def _tell(s, lane, agent, session, vector, params):
    """Fill the vector: the agent's own entries, the instruction's words, and what can be typed."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    vector[Column.ROW], vector[Column.COL] = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    vector[Column.PAGE], vector[Column.ON_TOP] = own[Template.PAGE] + shown(session), session[Session.OVER] >= 0
    vector[Column.LOADING], vector[Column.SCROLL] = session[Session.LOADING] > 0, session[Session.SCROLL]
    vector[Column.TEMPLATE], vector[Column.AGENT] = s.info[lane, Info.TEMPLATE], agent
    vector[Column.HARM], vector[Column.TICK] = session[Session.HARM], s.tick[lane]
    for k in range(SAID):
        vector[FIRST_SAID + k] = 0
    for k in range(SLOTS):
        vector[FIRST_OFFER + k] = s.value[lane, 1, k]
    for k in range(own[Template.VARIABLES]):
        place = params.variable[own[Template.VARIABLE] + k, Variable.SAID]
        if place >= 0:
            vector[FIRST_SAID + place] = s.value[lane, 0, k]


@kernel
def observe(s, lane, params, obs):
    """Observation and mask of each agent: the accessibility tree of its page, and its instruction."""
    first = params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    for agent in range(params.agents):
        session, window, mask = s.session[lane, agent], obs.window[lane, agent], obs.mask[lane, agent]
        for c in range(window.shape[0]):
            for i in range(SIDE):
                for j in range(SIDE):
                    window[c, i, j] = 0
        for k in range(len(mask)):
            mask[k] = False
        mask[Verb.WAIT * SLOTS] = True
        _tell(s, lane, agent, session, obs.vector[lane, agent], params)
        if session[Session.LOADING] > 0:
            continue
        page, scroll = params.page[page_of(s, lane, shown(session), params)], session[Session.SCROLL]
        focus = focus_in_view(s.item[lane], session)
        _see(s, lane, agent, first, page, session, window, mask, params)
        role = params.element[first + focus, Element.ROLE] if focus >= 0 else 0
        if role == Role.TEXTBOX or role == Role.SEARCHBOX:
            for k in range(SLOTS):
                mask[Verb.TYPE * SLOTS + k] = s.value[lane, 1, k] > 0
        mask[Verb.SCROLL * SLOTS] = scroll + FOLD < page[Page.LINES]
        mask[Verb.SCROLL * SLOTS + 1] = scroll > 0
        mask[Verb.BACK * SLOTS] = can_go_back(session, page)
