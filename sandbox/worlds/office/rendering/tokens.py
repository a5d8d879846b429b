"""What the map of the office draws often: words and numbers, tokens, workers, arrows."""

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.letters import EM, FIRST, HIGH, draw_letter, draw_text, text_width, type_size
from sandbox.engine.shapes import AGENTS, ALARM, BOX, DIAMOND, DISC, draw_bar, draw_line, draw_shape, palette
from sandbox.worlds.office.dynamics.documents import present
from sandbox.worlds.office.rendering.places import TOKEN
from sandbox.worlds.office.state import Case, Field

WAITS, PEOPLE, AWAY, RIGHT, ISSUE = "#a6744a", "#7d2e68", "#93a5b1", "#3d5c12", "#e0115f"
INKS = palette(
    *AGENTS, shapes.PAPER, shapes.GRID_LINE, shapes.DARK, shapes.WHITE, WAITS, PEOPLE, AWAY, RIGHT, ALARM, shapes.WALL,
    ISSUE,
)  # fmt: skip
HUES = len(AGENTS)  # agent i has ink i % HUES
PAPER, RULE, DARK, WHITE, WAIT, PERSON, OUT, GOOD, BAD, HEAD, FLAG = HUES + np.arange(11)
DIGIT, COLON = 48, 58  # letters


@kernel
def write(image, glyph, text, y, x, end, em, unit, ink):
    """A text with its middle at ``y``, from ``x`` to ``end`` at most."""
    size = type_size(em * unit)
    draw_text(image, glyph, size, text, y * unit, x * unit, end * unit, em * unit, INKS[ink])


@kernel
def write_count(image, glyph, number, y, x, em, unit, ink):
    """A number of up to six digits from ``x`` on, nothing if it would be illegible; returns where it ends, units."""
    size = type_size(em * unit)
    if size < 0:
        return x
    power = 1
    while number // power >= 10:
        power *= 10
    pen, top, end = np.int64(x * unit + 0.5), np.int64(y * unit - 0.6 * EM[size]), np.int64(image.shape[1])
    while power > 0:
        pen += draw_letter(image, glyph, size, DIGIT + number // power % 10, top, pen, end, INKS[ink])
        power //= 10
    return pen / unit


@kernel
def write_number(image, glyph, number, y, x, em, unit, ink):
    """A number around (y, x)."""
    size, wide = type_size(em * unit), 0.0
    rest = number
    while size >= 0 and (rest > 0 or wide == 0.0):
        wide += glyph[size, DIGIT - FIRST + rest % 10, HIGH - 1, 0]
        rest //= 10
    write_count(image, glyph, number, y, x - 0.5 * wide / unit, em, unit, ink)


@kernel
def width_of(glyph, text, em, unit):
    """The width of a text, units."""
    return text_width(glyph, type_size(em * unit), text, em * unit) / unit


@kernel
def ink_on(ink):
    """The ink of letters on another ink."""
    light = 0.3 * INKS[ink, 0] + 0.59 * INKS[ink, 1] + 0.11 * INKS[ink, 2]
    return DARK if light > 130.0 else WHITE


@kernel
def draw_token(s, lane, params, case, y, x, unit, ink, image):
    """A case: a disc with its number; a flag if something is wrong, a ring if it is urgent."""
    draw_shape(image, DISC, y * unit, x * unit, TOKEN * unit, 0.0, INKS[ink], 1.0)
    if s.case[lane, case, Case.CLASS] == 0:
        draw_shape(image, DISC, y * unit, x * unit, TOKEN * unit, 0.14 * unit, INKS[DARK], 1.0)
    if case < 999:
        write_number(image, params.glyph, case + 1, y, x, 0.7 if case < 99 else 0.57, unit, ink_on(ink))
    missed = s.case[lane, case, Case.MISSED] != 0
    if missed or is_wrong(s, lane, params, case):
        draw_shape(image, DIAMOND, (y - 0.42) * unit, (x + 0.46) * unit, 0.34 * unit, 0.0, INKS[WHITE], 1.0)
        draw_shape(
            image, DIAMOND, (y - 0.42) * unit, (x + 0.46) * unit, 0.25 * unit, 0.0, INKS[BAD if missed else FLAG], 1.0
        )


@kernel
def is_wrong(s, lane, params, case):
    """Whether a document that a case has by now says what it should not."""
    documents = present(s, lane, params, case)
    for field in range(params.fields):
        there = documents >> np.int64(params.field[field, Field.DOCUMENT]) & 1
        if there and s.doc[lane, case, field] != s.truth[lane, case, field]:
            return True
    return False


@kernel
def draw_worker(image, ink, is_agent, y, x, size, unit, full):
    """An agent (a head with two eyes) or a person (head and shoulders), filled if it is busy."""
    stroke = 0.0 if full else 0.16 * unit * size
    if is_agent:
        draw_shape(image, BOX, y * unit, x * unit, 0.42 * size * unit, stroke, INKS[ink], 1.0)
        eye = WHITE if full else ink
        for k in range(2):
            side = -0.17 + 0.34 * k
            draw_shape(
                image, DISC, (y - 0.04 * size) * unit, (x + side * size) * unit, 0.09 * size * unit, 0.0, INKS[eye], 1.0
            )
        draw_bar(
            image, (y - 0.62 * size) * unit, (x - 0.05 * size) * unit, (y - 0.4 * size) * unit,
            (x + 0.05 * size) * unit, INKS[ink], 1.0,
        )  # fmt: skip
        return
    bottom = np.int64((y + 0.46 * size) * unit)  # shoulders end at the desk
    draw_shape(image[:bottom], DISC, (y + 0.5 * size) * unit, x * unit, 0.44 * size * unit, stroke, INKS[ink], 1.0)
    draw_shape(image, DISC, (y - 0.27 * size) * unit, x * unit, 0.24 * size * unit, stroke, INKS[ink], 1.0)


@kernel
def draw_arrow(image, y0, x0, y1, x1, width, unit, ink):
    """A line with a head at (y1, x1), units."""
    length = max(1e-6, np.sqrt((y1 - y0) ** 2 + (x1 - x0) ** 2))
    dy, dx = (y1 - y0) / length, (x1 - x0) / length
    draw_line(image, y0 * unit, x0 * unit, y1 * unit, x1 * unit, width * unit, INKS[ink], 1.0)
    for side in (-1.0, 1.0):
        y, x = y1 - 0.45 * dy - side * 0.32 * dx, x1 - 0.45 * dx + side * 0.32 * dy
        draw_line(image, y1 * unit, x1 * unit, y * unit, x * unit, width * unit, INKS[ink], 1.0)
