"""The web's compiled policies: idle, random, rules, semantic, oracle.

The last three follow the solution that was recorded on the clean site (``Params.plan``). ``rules`` is a macro: it finds
elements by id, waits while a page loads, and handles nothing else. ``semantic`` finds elements by role and label; it
scrolls, closes pop-ups by the first button that seems to close them, logs in again, and retries after a time-out. It
knows two of the up to four forms of a label.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.web.compiler.columns import READ, Element, Kind, Operand, Page, Plan, Role, Template, Variable
from sandbox.worlds.web.compiler.vocabulary import Vocabulary
from sandbox.worlds.web.dynamics.kernels import read_code
from sandbox.worlds.web.policies.oracle import next_step, oracle
from sandbox.worlds.web.state import (
    ENTITIES,
    FIRST_OFFER,
    FIRST_SAID,
    FOLD,
    SIDE,
    SLOTS,
    STEMS,
    Channel,
    Column,
    Flag,
    Note,
    Verb,
)  # fmt: skip

KNOWN_FORMS = 2  # forms of a label that the semantic script knows
_WORDS = Vocabulary().index
_CLOSERS = ("Close", "No thanks", "Accept cookies", "OK", "Continue", "Cancel")
CLOSERS = np.array([_WORDS[text] for text in _CLOSERS], np.int64)
RETRY, LOG_IN, USER, PASSWORD = (np.int64(_WORDS[t]) for t in ("Retry", "Log in", "User name", "Password"))
ANY = np.int64(-1)


@kernel
def _read(window, channel, slot):
    """The code in a slot; ``channel`` has its high digit."""
    return read_code(window, channel, slot // SIDE, slot % SIDE)


@kernel
def _one(window, channel, slot):
    """The value of one channel in a slot."""
    return np.int64(window[channel, slot // SIDE, slot % SIDE])


@kernel
def _said(vector, variable, first, params):
    """The word of a variable in the instruction; -1: the instruction does not say it."""
    place = params.variable[first + variable, Variable.SAID]
    return np.int64(vector[FIRST_SAID + place]) if place >= 0 else ANY


@kernel
def _offer(vector, concept):
    """The target that types a word; 0: none does."""
    for k in range(SLOTS):
        if vector[FIRST_OFFER + k] == concept:
            return np.int32(k)
    return np.int32(0)


@kernel
def find_by_id(window, vector, row, first, params):
    """The slot of the element with the recorded id (``row``: its row of ``Params.element``); -1: none."""
    code = np.int64(row[Element.STEM])
    if row[Element.ID_VAR] >= 0:
        word = _said(vector, row[Element.ID_VAR], first, params) - params.stem[row[Element.STEM], 1]
        code = np.int64(STEMS + ENTITIES * row[Element.STEM] + word)
    for slot in range(SLOTS):
        if _one(window, Channel.ROLE, slot) and _read(window, Channel.ID_HIGH, slot) == code:
            return np.int32(slot)
    return np.int32(-1)


@kernel
def find_by_label(window, role, concept, key):
    """The first slot of a role and label, in a known form, in a row with the label ``key``; ANY matches all."""
    for slot in range(SLOTS):
        found, label = _one(window, Channel.ROLE, slot), _read(window, Channel.LABEL_HIGH, slot)
        if found != role or label % 4 >= KNOWN_FORMS or label // 4 == (ANY if concept >= 0 else key):
            continue
        if concept >= 0 and label // 4 != concept:
            continue
        beside = key < 0
        for other in range(0 if beside else SLOTS):
            row = _one(window, Channel.ROW, other)
            same_row = _one(window, Channel.ROLE, other) and row == _one(window, Channel.ROW, slot)
            beside = beside or (same_row and _read(window, Channel.LABEL_HIGH, other) // 4 == key)
        if beside:
            return np.int32(slot)
    return np.int32(-1)


@kernel
def _find(window, vector, row, first, semantic, params):
    """The slot of a recorded element, by id, or by role and label."""
    if not semantic:
        return find_by_id(window, vector, row, first, params)
    concept, key = np.int64(row[Element.CONCEPT]), ANY
    if row[Element.VAR] >= 0:
        concept = _said(vector, row[Element.VAR], first, params)
    if row[Element.GROUP] >= 0 and not row[Element.ACROSS] and row[Element.ID_VAR] >= 0:
        key = _said(vector, row[Element.ID_VAR], first, params)
        if key == concept:
            key = ANY
    return find_by_label(window, np.int64(row[Element.ROLE]), concept, key)


@kernel
def _put(actions, lane, agent, verb, target):
    actions[lane, agent, 0], actions[lane, agent, 1] = verb, target


@kernel
def _reach(obs, lane, agent, slot, semantic, actions):
    """Click a slot; the semantic script scrolls to it first. Returns whether it was clicked."""
    if slot >= 0 and obs.mask[lane, agent, Verb.CLICK * SLOTS + slot]:
        _put(actions, lane, agent, Verb.CLICK, slot)
        return True
    if slot >= 0 and semantic:
        row, scroll = _one(obs.window[lane, agent], Channel.ROW, slot), np.int64(obs.vector[lane, agent, Column.SCROLL])
        if row >= scroll + FOLD or row < scroll:
            _put(actions, lane, agent, Verb.SCROLL, 1 if row < scroll else 0)
    return False


@kernel
def _log_in(obs, lane, agent, actions):
    """Fill the log-in form field by field, then press the button; labels must be known."""
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    for k in range(2):
        slot, word = find_by_label(window, Role.TEXTBOX, PASSWORD if k else USER, ANY), np.int64(vector[FIRST_SAID + k])
        if slot >= 0 and _read(window, Channel.VALUE_HIGH, slot) != word:
            if _one(window, Channel.BITS, slot) & Flag.FOCUSED:
                _put(actions, lane, agent, Verb.TYPE, _offer(vector, word))
            else:
                _reach(obs, lane, agent, slot, True, actions)
            return
    _reach(obs, lane, agent, find_by_label(window, Role.BUTTON, LOG_IN, ANY), True, actions)


@kernel
def _close(obs, lane, agent, actions):
    """Press the first button that seems to close a pop-up."""
    window = obs.window[lane, agent]
    for slot in range(SLOTS):
        label = _read(window, Channel.LABEL_HIGH, slot)
        if _one(window, Channel.ROLE, slot) == Role.BUTTON and label % 4 < KNOWN_FORMS:
            for closer in CLOSERS:
                if label // 4 == closer:
                    _reach(obs, lane, agent, np.int32(slot), True, actions)
                    return


@kernel
def _on_field(obs, lane, agent, slot, step, row, first, semantic, memory, params, actions):
    """Focus a field, then type or select; returns whether that is done."""
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    if slot < 0 or not _one(window, Channel.BITS, slot) & Flag.FOCUSED:
        _reach(obs, lane, agent, slot, semantic, actions)
        return False
    if step[Plan.VERB] == Verb.TYPE:
        word = np.int64(memory.notes[lane, agent, Note.NOTED])
        if step[Plan.OPERAND] == Operand.VALUE:
            word = _said(vector, step[Plan.ARGUMENT], first, params)
        _put(actions, lane, agent, Verb.TYPE, _offer(vector, word))
        return True
    option = _find(window, vector, row, first, semantic, params)
    if option >= 0 and obs.mask[lane, agent, Verb.SELECT * SLOTS + option]:
        _put(actions, lane, agent, Verb.SELECT, option)
        return True
    return False


@kernel
def follow(obs, lane, agent, memory, params, semantic, actions):
    """Do the next step of the plan, if its element is found."""
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    own = params.template[np.int64(vector[Column.TEMPLATE])]
    while True:
        at = next_step(memory, lane, agent, own, params)
        if at < 0:
            return
        step = params.plan[at]
        row = params.element[own[Template.ELEMENT] + max(0, step[Plan.ELEMENT])]
        done = True
        if step[Plan.VERB] == Verb.SCROLL:
            if not semantic:
                _put(actions, lane, agent, Verb.SCROLL, step[Plan.ARGUMENT])
        else:
            slot = _find(window, vector, row, own[Template.VARIABLE], semantic, params)
            if step[Plan.VERB] == READ:
                if slot < 0:
                    return
                memory.notes[lane, agent, Note.NOTED] = _read(window, Channel.LABEL_HIGH, slot) // 4
            elif step[Plan.VERB] == Verb.CLICK:
                done = _reach(obs, lane, agent, slot, semantic, actions)
            else:
                option = params.element[own[Template.ELEMENT] + max(0, step[Plan.OPTION])]
                first = own[Template.VARIABLE]
                done = _on_field(obs, lane, agent, slot, step, option, first, semantic, memory, params, actions)
        if done:
            memory.notes[lane, agent, Note.STEP] += 1
        if not done or actions[lane, agent, 0] != Verb.WAIT:
            return


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """A macro that was recorded on the clean site: it uses element ids."""
    for agent in team:
        _put(actions, lane, agent, Verb.WAIT, 0)
        if obs.vector[lane, agent, Column.LOADING] == 0:
            follow(obs, lane, agent, memory, params, False, actions)


@kernel
def semantic(obs, lane, params, memory, team, dice, actions):
    """A script of roles and labels. It handles pop-ups, log-ins and time-outs, and misleading buttons deceive it."""
    for agent in team:
        _put(actions, lane, agent, Verb.WAIT, 0)
        vector = obs.vector[lane, agent]
        kind = params.page[np.int64(vector[Column.PAGE]), Page.KIND]
        if vector[Column.LOADING]:
            continue
        if kind == Kind.LOGIN:
            _log_in(obs, lane, agent, actions)
        elif kind == Kind.TIMEOUT:
            slot = find_by_label(obs.window[lane, agent], Role.BUTTON, RETRY, ANY)
            _reach(obs, lane, agent, slot, True, actions)
        else:
            follow(obs, lane, agent, memory, params, True, actions)
            if vector[Column.ON_TOP] and kind != Kind.DIALOG and actions[lane, agent, 0] == Verb.WAIT:
                _close(obs, lane, agent, actions)


POLICIES = {"idle": idle, "random": random, "rules": rules, "semantic": semantic, "oracle": oracle}
