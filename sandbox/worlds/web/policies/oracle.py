"""The oracle: sees the state, so it knows every element by its number, under any label, id and place."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import READ, Element, Kind, Op, Operand, Page, Plan, Role, Template
from sandbox.worlds.web.dynamics.effects import content
from sandbox.worlds.web.dynamics.visits import page_of, shown
from sandbox.worlds.web.state import FOLD, SLOTS, WORD, Flag, Info, Item, Note, Session, Verb


@kernel
def start(memory, lane, params):
    """Clear the memory of one lane."""
    for agent in range(params.agents):
        for k in range(memory.notes.shape[2]):
            memory.notes[lane, agent, k] = 0


@kernel
def next_step(memory, lane, agent, own, params):
    """The row of ``Params.plan`` of the agent's next step; -1: none. Steps of the other agent are skipped."""
    while memory.notes[lane, agent, Note.STEP] < own[Template.PLANS]:
        at = own[Template.PLAN] + memory.notes[lane, agent, Note.STEP]
        if params.plan[at, Plan.AGENT] == agent:
            return at
        memory.notes[lane, agent, Note.STEP] += 1
    return np.int32(-1)


@kernel
def _press(s, lane, agent, e, actions):
    """Click an element, or scroll towards it; returns whether it was clicked."""
    row, scroll = s.item[lane, e, Item.ROW], s.session[lane, agent, Session.SCROLL]
    usable = Flag.VISIBLE | Flag.ENABLED
    if s.item[lane, e, Item.FLAGS] & usable != usable:
        return False
    if scroll <= row < scroll + FOLD:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.CLICK, s.item[lane, e, Item.SLOT]
        return True
    actions[lane, agent, 0], actions[lane, agent, 1] = Verb.SCROLL, 1 if row < scroll else 0
    return False


@kernel
def _type(s, lane, agent, e, wanted, actions):
    """Focus a field, then type; returns whether it already holds ``wanted``."""
    if s.item[lane, e, Item.VALUE] == wanted:
        return True
    if s.session[lane, agent, Session.FOCUS] != e:
        _press(s, lane, agent, e, actions)
        return False
    for k in range(SLOTS):
        if WORD + s.value[lane, 1, k] == wanted:
            actions[lane, agent, 0], actions[lane, agent, 1] = Verb.TYPE, k
    return False


@kernel
def _harmless(row, params):
    """Whether a button only closes what is on top."""
    return (
        row[Element.ROLE] == Role.BUTTON
        and row[Element.EFFECTS] == 1
        and params.effect[row[Element.EFFECT], 0] == Op.CLOSE
    )


@kernel
def _clear_the_way(s, lane, agent, page, own, params, actions):
    """Handle a log-in page, a time-out or a pop-up; ``page`` is its row of ``Params.page``."""
    kind, first = page[Page.KIND], page[Page.ELEMENT]
    fields = 0
    for e in range(first, first + page[Page.ELEMENTS]):
        row = params.element[own[Template.ELEMENT] + e]
        if kind == Kind.LOGIN and row[Element.ROLE] == Role.TEXTBOX:
            if not _type(s, lane, agent, e, WORD + s.value[lane, 0, fields], actions):
                return
            fields += 1
        elif row[Element.ROLE] == Role.BUTTON and (kind <= Kind.TIMEOUT or _harmless(row, params)):
            _press(s, lane, agent, e, actions)
            return


@kernel
def _do(s, lane, agent, step, memory, own, params, actions):
    """Do one step of the plan; returns whether it is done."""
    e, verb = step[Plan.ELEMENT], step[Plan.VERB]
    if verb == Verb.SCROLL:
        return True
    if params.element[own[Template.ELEMENT] + e, Element.PAGE] != shown(s.session[lane, agent]):
        return False
    if verb == READ:
        variable = params.element[own[Template.ELEMENT] + e, Element.VAR]
        memory.notes[lane, agent, Note.NOTED] = s.value[lane, 0, variable]
        return True
    if verb == Verb.CLICK:
        return _press(s, lane, agent, e, actions)
    if verb == Verb.TYPE:
        wanted = WORD + memory.notes[lane, agent, Note.NOTED]
        if step[Plan.OPERAND] == Operand.VALUE:
            wanted = content(s.value[lane], step[Plan.OPERAND], step[Plan.ARGUMENT])
        return _type(s, lane, agent, e, wanted, actions)
    option = s.item[lane, step[Plan.OPTION]]
    if s.item[lane, e, Item.VALUE] == WORD + option[Item.LABEL] // 4:
        return True
    if s.session[lane, agent, Session.FOCUS] != e:
        _press(s, lane, agent, e, actions)
    else:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.SELECT, option[Item.SLOT]
    return False


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """Handles what is on top, then does the next step of the plan; it recognises elements and harmless buttons."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.WAIT, 0
        session, note = s.session[lane, agent], memory.notes[lane, agent]
        if s.refused[lane, agent]:
            note[Note.STEP] = note[Note.BEFORE]
        note[Note.BEFORE] = note[Note.STEP]
        page = params.page[page_of(s, lane, shown(session), params)]
        if session[Session.LOADING] > 0:
            continue
        if page[Page.KIND] > Kind.DIALOG:
            _clear_the_way(s, lane, agent, page, own, params, actions)
            continue
        at = next_step(memory, lane, agent, own, params)
        while at >= 0 and actions[lane, agent, 0] == Verb.WAIT:
            if not _do(s, lane, agent, params.plan[at], memory, own, params, actions):
                break
            memory.notes[lane, agent, Note.STEP] += 1
            at = next_step(memory, lane, agent, own, params)
