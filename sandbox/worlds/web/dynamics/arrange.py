"""Lay out an episode: values, places, labels and ids of all elements, by keyed draws.

A perturbation with severity 0 draws nothing. The lines of a page, of which some are table rows in drawn order, become
rows and columns; an element's slot is its number in reading order.
"""

import numpy as np

from sandbox.engine.draw import below, draw, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import Element, Page, Template, Variable
from sandbox.worlds.web.state import CHANGED, ENTITIES, SLOTS, STEMS, Info, Item, Severity, Stream

CODES = 4096  # of changed ids
THEMES = 4
LAST_COL = 31


@kernel
def _draw_values(s, lane, first, count, params):
    """Draw the words of the task, all different, and the order in which they are offered for typing."""
    value, seed = s.value[lane], s.seed[lane]
    for k in range(SLOTS):
        value[0, k], value[1, k] = 0, 0
    for k in range(count):
        row, attempt, again = params.variable[first + k], 0, True
        while again:
            concept = row[Variable.FIRST] + below(row[Variable.WORDS], seed, attempt, Stream.VALUE, k)
            again = False
            for other in range(k):
                again = again or value[0, other] == concept
            attempt += 1
        value[0, k], value[1, k] = concept, concept
    for k in range(count - 1, 0, -1):
        other = below(k + 1, seed, 0, Stream.OFFER, k)
        value[1, k], value[1, other] = value[1, other], value[1, k]


@kernel
def _rank(seed, group, entity, count):
    """The rank of an entity of a group in this episode."""
    own, rank = draw(seed, group, Stream.ORDER, entity), 0
    for other in range(count):
        rank += draw(seed, group, Stream.ORDER, other) < own
    return rank


@kernel
def _moved_line(seed, page, line, lines, severity):
    """The row of a line: lines that move are permuted among themselves."""
    if uniform(seed, page, Stream.MOVE, line) >= severity:
        return line
    own, rank = draw(seed, page, Stream.PLACE, line), 0
    for other in range(lines):
        rank += uniform(seed, page, Stream.MOVE, other) < severity and draw(seed, page, Stream.PLACE, other) < own
    for other in range(lines):
        if uniform(seed, page, Stream.MOVE, other) < severity:
            if rank == 0:
                return other
            rank -= 1
    return line


@kernel
def fill_slots(item, first, count):
    """Number the elements of a page in reading order."""
    for e in range(first, first + count):
        slot, own = 0, item[e, Item.ROW] * 64 + item[e, Item.COL]
        for other in range(first, first + count):
            key = item[other, Item.ROW] * 64 + item[other, Item.COL]
            slot += key < own or (key == own and other < e)
        item[e, Item.SLOT] = slot


@kernel
def _element(s, lane, e, row, lines, clean, params):
    """Lay out one element: ``row`` is its line of ``Params.element``, ``lines`` those of its page."""
    item, value, seed, severity = s.item[lane, e], s.value[lane, 0], s.seed[lane], params.severity
    line, col = row[Element.LINE], row[Element.COL]
    if row[Element.GROUP] >= 0:
        rank = _rank(seed, row[Element.GROUP], row[Element.ENTITY], row[Element.COUNT])
        line, col = line + rank * (1 - row[Element.ACROSS]), col + rank * row[Element.ACROSS]
    concept = np.int64(max(row[Element.CONCEPT], 0))
    if row[Element.VAR] >= 0:
        concept = np.int64(value[row[Element.VAR]])
    form, code = np.int64(0), np.int64(row[Element.STEM])
    if row[Element.ID_VAR] >= 0:
        word = value[row[Element.ID_VAR]] - params.stem[row[Element.STEM], 1]
        code = np.int64(STEMS + ENTITIES * row[Element.STEM] + word)
    if not clean:
        forms = params.forms[concept]
        if forms > 1 and severity[Severity.RENAMED_LABELS] > 0:
            if uniform(seed, 0, Stream.RENAME, e) < severity[Severity.RENAMED_LABELS]:
                form = 1 + below(forms - 1, seed, 0, Stream.FORM, e)
        if severity[Severity.CHANGED_IDS] > 0 and uniform(seed, 0, Stream.ID, e) < severity[Severity.CHANGED_IDS]:
            code = CHANGED + (e * 769 + below(CODES, seed, 1, Stream.ID, 0)) % CODES
        if severity[Severity.MOVED_ELEMENTS] > 0:
            line = _moved_line(seed, row[Element.PAGE], line, lines, severity[Severity.MOVED_ELEMENTS])
    item[Item.LABEL], item[Item.ID] = 4 * concept + form, code
    item[Item.ROW], item[Item.COL] = line, LAST_COL - col if s.info[lane, Info.THEME] % 2 else col
    item[Item.FLAGS], item[Item.VALUE] = row[Element.FLAGS], 0


@kernel
def lay_out(s, lane, template, clean, params):
    """Values and all elements of one template; ``clean``: without perturbations."""
    own, theme = params.template[template], params.severity[Severity.CHANGED_THEME]
    s.info[lane, Info.TEMPLATE], s.info[lane, Info.THEME] = template, 0
    if not clean and theme > 0 and uniform(s.seed[lane], 0, Stream.THEME, 0) < theme:
        s.info[lane, Info.THEME] = 1 + below(THEMES - 1, s.seed[lane], 0, Stream.THEME, 1)
    _draw_values(s, lane, own[Template.VARIABLE], own[Template.VARIABLES], params)
    for p in range(own[Template.PAGES]):
        page = params.page[own[Template.PAGE] + p]
        for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
            _element(s, lane, e, params.element[own[Template.ELEMENT] + e], page[Page.LINES], clean, params)
        fill_slots(s.item[lane], page[Page.ELEMENT], page[Page.ELEMENTS])
    for e in range(own[Template.ELEMENTS], s.item.shape[1]):
        for k in range(s.item.shape[2]):
            s.item[lane, e, k] = 0
