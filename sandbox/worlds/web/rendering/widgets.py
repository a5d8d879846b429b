"""Draw the elements of a page: those of a line side by side, table cells in columns of equal width."""

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.letters import draw_text, text_width
from sandbox.engine.shapes import ALARM, BOX, DISC, draw_bar, draw_shape, palette
from sandbox.worlds.web.compiler.columns import Element, Page, Role, Template
from sandbox.worlds.web.dynamics.kernels import label_of
from sandbox.worlds.web.state import FOLD, WORD, Flag, Info, Item, Session

INKS = palette(shapes.DARK, shapes.WHITE, "#9aa1a9", "#e9ecef", "#fdebdc", ALARM)
DARK, WHITE, GREY, PALE, WARM, ALERT = np.arange(6)
ACCENT_HEX = ("#0b5c9e", "#8a4b08", "#1b6e53", "#8a2f6b")  # by theme
ACCENTS = palette(*ACCENT_HEX)
GROUNDS = palette("#fdfdfb", "#fff6e8", "#eaf4ee", "#f2edfa")
CELL_WIDE, FIELD_LABEL, FIELD_WIDE, LIST_WIDE = 0.24, 0.3, 0.42, 0.24  # shares of the page


@kernel
def width_of(s, lane, e, row, params, wide, unit, size, em):
    """Width of an element in pixels."""
    role = row[Element.ROLE]
    if role == Role.CELL:
        return CELL_WIDE * wide
    if Role.TEXTBOX <= role <= Role.COMBOBOX:
        return (FIELD_LABEL + FIELD_WIDE) * wide + 0.5 * unit
    return text_width(params.glyph, size, params.text[label_of(s, lane, e, row)], em) + 1.4 * unit


@kernel
def left_of(s, lane, e, page, params, left, wide, unit, size, em):
    """Left edge of an element: right of the visible ones before it on its line."""
    first, x = params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT], left + 0.4 * unit
    for other in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        item, row = s.item[lane, other], params.element[first + other]
        if item[Item.ROW] == s.item[lane, e, Item.ROW] and item[Item.COL] < s.item[lane, e, Item.COL]:
            if item[Item.FLAGS] & Flag.VISIBLE and row[Element.ROLE] != Role.OPTION:
                x += width_of(s, lane, other, row, params, wide, unit, size, em)
    return x


@kernel
def point_of(s, lane, agent, page, row, col, params, left, right, unit, size, em):
    """(y, x) in pixels, y from the top of the page, of a pointer at a row and column."""
    y, x = (row - s.session[lane, agent, Session.SCROLL] + 0.8) * unit, left + 0.6 * unit
    first = params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        item, own = s.item[lane, e], params.element[first + e]
        if item[Item.ROW] == row and item[Item.COL] == col and own[Element.ROLE] != Role.OPTION:
            x = left_of(s, lane, e, page, params, left, right - left, unit, size, em)
            x += min(width_of(s, lane, e, own, params, right - left, unit, size, em) - 0.9 * unit, 7 * unit)
    return y, x


@kernel
def draw_box(image, y0, x0, y1, x1, edge, border, fill):
    """A bordered rectangle."""
    draw_bar(image, y0, x0, y1, x1, border, 1.0)
    draw_bar(image, y0 + edge, x0 + edge, y1 - edge, x1 - edge, fill, 1.0)


@kernel
def _field(s, lane, agent, e, label, role, params, y, x, wide, unit, size, em, accent, image):
    """A label and the box of a text field or a combobox, with its content."""
    focused, value = s.session[lane, agent, Session.FOCUS] == e, np.int64(s.item[lane, e, Item.VALUE])
    left, limit = x + FIELD_LABEL * wide, x + (FIELD_LABEL + FIELD_WIDE) * wide
    draw_text(image, params.glyph, size, label, y, x, left - 2, em, INKS[DARK])
    border, edge = accent if focused else INKS[GREY], max(1.0, (0.09 if focused else 0.04) * unit)
    draw_box(image, y - 0.4 * unit, left, y + 0.4 * unit, limit, edge, border, INKS[WHITE])
    if value >= WORD:
        draw_text(
            image, params.glyph, size, params.text[4 * (value - WORD)], y, left + 0.3 * unit, limit, em, INKS[DARK]
        )
    if role == Role.COMBOBOX:
        for k in range(3):  # a small triangle that points down
            draw_bar(image, y - (0.14 - 0.1 * k) * unit, limit - (0.62 - 0.1 * k) * unit,
                     y - (0.04 - 0.1 * k) * unit, limit - (0.18 + 0.1 * k) * unit, border, 1.0)  # fmt: skip


@kernel
def _tick_box(item, label, role, params, y, x, limit, unit, size, em, accent, image):
    """A checkbox or a radio button, and its label."""
    shape = DISC if role == Role.RADIO else BOX
    draw_shape(image, shape, y, x + 0.35 * unit, 0.28 * unit, max(1.0, 0.07 * unit), INKS[DARK], 1.0)
    if item[Item.FLAGS] & Flag.CHECKED:
        draw_shape(image, shape, y, x + 0.35 * unit, 0.18 * unit, 0.0, accent, 1.0)
    draw_text(image, params.glyph, size, label, y, x + 0.95 * unit, limit, em, INKS[DARK])


@kernel
def _plain(s, lane, label, role, enabled, params, y, x, limit, unit, size, em, accent, image):
    """Headings, texts, links, buttons, menu entries."""
    end = min(limit, x + text_width(params.glyph, size, label, em) + 0.8 * unit)
    glyph = params.glyph
    if role == Role.BUTTON or role == Role.TAB:
        draw_bar(image, y - 0.4 * unit, x, y + 0.4 * unit, end, accent if enabled else INKS[GREY], 1.0)
        draw_text(image, glyph, size, label, y, x + 0.4 * unit, limit, em, INKS[WHITE])
    elif role == Role.MENUITEM:
        draw_box(image, y - 0.42 * unit, x, y + 0.42 * unit, end, 1.0, INKS[GREY], INKS[PALE])
        draw_text(image, glyph, size, label, y, x + 0.4 * unit, limit, em, INKS[DARK])
    elif role == Role.LINK:
        draw_text(image, glyph, size, label, y, x, limit, em, accent)
        draw_bar(image, y + 0.34 * unit, x, y + 0.34 * unit + max(1.0, 0.03 * unit), end - 0.7 * unit, accent, 1.0)
    elif role == Role.ALERT:
        draw_bar(image, y - 0.42 * unit, x - 0.2 * unit, y + 0.42 * unit, limit - 0.3 * unit, INKS[WARM], 1.0)
        draw_bar(image, y - 0.42 * unit, x - 0.2 * unit, y + 0.42 * unit, x - 0.05 * unit, INKS[ALERT], 1.0)
        draw_text(image, glyph, size, label, y, x + 0.2 * unit, limit, em, INKS[DARK])
    else:
        draw_text(image, glyph, size, label, y, x, limit, em, accent if role == Role.HEADING else INKS[DARK])
        if role == Role.HEADING:
            draw_text(image, glyph, size, label, y, x + 0.7, limit, em, accent)  # bold


@kernel
def _element(s, lane, agent, e, row, page, params, top, left, right, unit, size, em, accent, image):
    """Draw one element if it is in view."""
    item, role = s.item[lane, e], row[Element.ROLE]
    line = item[Item.ROW] - s.session[lane, agent, Session.SCROLL]
    if line < 0 or line >= FOLD or not item[Item.FLAGS] & Flag.VISIBLE:
        return
    wide, y, label = right - left, top + (line + 0.55) * unit, params.text[label_of(s, lane, e, row)]
    x = left_of(s, lane, e, page, params, left, wide, unit, size, em)
    if role == Role.CELL:
        right = min(right, x + CELL_WIDE * wide)
    if Role.TEXTBOX <= role <= Role.COMBOBOX:
        _field(s, lane, agent, e, label, role, params, y, x, wide, unit, size, em, accent, image)
    elif role == Role.CHECKBOX or role == Role.RADIO:
        _tick_box(item, label, role, params, y, x, right, unit, size, em, accent, image)
    else:
        enabled = (item[Item.FLAGS] & Flag.ENABLED) > 0
        _plain(s, lane, label, role, enabled, params, y, x, right, unit, size, em, accent, image)


@kernel
def _options(s, lane, agent, e, page, first, params, top, left, right, unit, size, em, accent, image):
    """Draw the open list of the focused combobox ``e`` to its right."""
    least, count, wide = np.int64(1 << 30), 0, right - left
    for other in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        row = params.element[first + other]
        if row[Element.ROLE] == Role.OPTION and row[Element.PARENT] == e:
            least = min(least, np.int64(s.item[lane, other, Item.SLOT]))
            count += 1
    x = left_of(s, lane, e, page, params, left, wide, unit, size, em) + (FIELD_LABEL + FIELD_WIDE) * wide
    line = min(s.item[lane, e, Item.ROW] - s.session[lane, agent, Session.SCROLL], FOLD - count)
    for other in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        row = params.element[first + other]
        if row[Element.ROLE] == Role.OPTION and row[Element.PARENT] == e:
            y = top + (line + 0.55 + 0.9 * (s.item[lane, other, Item.SLOT] - least)) * unit
            draw_box(image, y - 0.46 * unit, x, y + 0.46 * unit, x + LIST_WIDE * wide, 1.0, accent, INKS[WHITE])
            label = params.text[label_of(s, lane, other, row)]
            draw_text(image, params.glyph, size, label, y, x + 0.3 * unit, x + LIST_WIDE * wide, em, INKS[DARK])


@kernel
def draw_page(s, lane, agent, page, live, params, top, left, right, unit, size, em, image):
    """Draw a page (a row of ``Params.page``) from its first row in view; if ``live``, lists are open."""
    theme, first = s.info[lane, Info.THEME], params.template[s.info[lane, Info.TEMPLATE], Template.ELEMENT]
    draw_bar(image, top, left, float(image.shape[0]), right, GROUNDS[theme], 1.0)
    for e in range(page[Page.ELEMENT], page[Page.ELEMENT] + page[Page.ELEMENTS]):
        row = params.element[first + e]
        if row[Element.ROLE] != Role.OPTION:
            _element(s, lane, agent, e, row, page, params, top, left, right, unit, size, em, ACCENTS[theme], image)
    scroll, lines = s.session[lane, agent, Session.SCROLL], page[Page.LINES]
    if live and lines > FOLD:  # a scroll bar
        high, bar = FOLD * unit, right - 0.25 * unit
        draw_bar(image, top, bar, top + high, right, INKS[PALE], 1.0)
        draw_bar(image, top + high * scroll / lines, bar, top + high * (scroll + FOLD) / lines, right, INKS[GREY], 1.0)
    focus = np.int64(s.session[lane, agent, Session.FOCUS])
    if live and focus >= 0 and params.element[first + focus, Element.ROLE] == Role.COMBOBOX:
        _options(s, lane, agent, focus, page, first, params, top, left, right, unit, size, em, ACCENTS[theme], image)
