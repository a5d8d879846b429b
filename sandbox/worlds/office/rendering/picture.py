"""The office as a picture: a row for each activity with its cases as tokens, the desks, the clock."""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.letters import draw_letter, draw_text, type_size
from sandbox.engine.shapes import AGENTS, ALARM, BOX, DISC, draw_bar, draw_shape, palette
from sandbox.worlds.office.dynamics.flow import activity_of
from sandbox.worlds.office.state import DAY, Case, Desk, Phase, Status

WAITS, PEOPLE, AWAY, RIGHT = "#a6744a", "#7d2e68", "#b9c4cc", "#3d5c12"
INKS = palette(
    *AGENTS, shapes.PAPER, shapes.GRID_LINE, shapes.DARK, shapes.WHITE, WAITS, PEOPLE, AWAY, RIGHT, ALARM, shapes.WALL
)
HUES = len(AGENTS)  # agent i has ink i % HUES
PAPER, RULE, DARK, WHITE, WAIT, PERSON, OUT, GOOD, BAD, HEAD = HUES + np.arange(10)
LEGEND = (
    ("agent", AGENTS[0]), ("case that waits", WAITS), ("person, or a case that it works on", PEOPLE),
    ("case outside", AWAY), ("case closed correctly", RIGHT), ("case closed wrongly", ALARM),
    ("bar with the clock", shapes.WALL),
)  # fmt: skip
WEEKDAYS = np.frombuffer(b"MonTueWedThuFriSatSun", np.uint8).reshape(7, 3).copy()
LEFT = 0.24  # share of the width for names
TOP, BOTTOM = 1.2, 2.2  # rows of the bar with the clock, and of the desks


def canvas(params, size: int) -> tuple[int, int]:
    """Height and width in pixels."""
    return max(16, int(0.62 * size)), size


@kernel
def _digits(image, glyph, size, number, y, x, limit, colour):
    """A number of up to six digits; returns where it ends."""
    power = 1
    while number // power >= 10:
        power *= 10
    while power > 0:
        x += draw_letter(image, glyph, size, 48 + number // power % 10, y, x, limit, colour)
        power //= 10
    return x


@kernel
def _clock(s, lane, params, image, unit):
    """The bar on top: the weekday, the day, the hour, and the closed cases."""
    draw_bar(image, 0.0, 0.0, TOP * unit, float(image.shape[1]), INKS[HEAD], 1.0)
    em = 0.62 * unit
    size = type_size(em)
    if size < 0:
        return
    day = np.int64(s.clock[lane] // DAY)
    minute = np.int64(s.clock[lane]) - day * np.int64(DAY)
    limit, y = np.int64(image.shape[1]), np.int64(0.25 * unit)
    draw_text(
        image, params.glyph, size, WEEKDAYS[day % 7], 0.55 * TOP * unit, 0.3 * unit, float(limit), em, INKS[WHITE]
    )
    x = _digits(image, params.glyph, size, day + 1, y, np.int64(2.4 * unit), limit, INKS[WHITE])
    x = _digits(image, params.glyph, size, minute // 60, y, x + np.int64(0.8 * unit), limit, INKS[WHITE])
    x += draw_letter(image, params.glyph, size, 58, y, x, limit, INKS[WHITE])
    x = _digits(image, params.glyph, size, minute % 60 // 10, y, x, limit, INKS[WHITE])
    _digits(image, params.glyph, size, minute % 10, y, x, limit, INKS[WHITE])


@kernel
def _token(s, lane, case):
    """The ink of a case."""
    row = s.case[lane, case]
    if row[Case.DESK] > 0:
        return np.int64((row[Case.DESK] - 1) % HUES)
    phase = row[Case.PHASE]
    if phase == Phase.OUTSIDE:
        return OUT
    return WAIT if phase == Phase.QUEUE or phase == Phase.HAND_OVER else PERSON


@kernel
def _rows(s, lane, params, image, unit):
    """A row for each activity: its name and its cases."""
    wide, em = float(image.shape[1]), 0.5 * unit
    size = type_size(em)
    for activity in range(params.activities):
        top = (TOP + activity) * unit
        draw_bar(image, top + 0.96 * unit, 0.0, top + unit, wide, INKS[RULE], 1.0)
        draw_text(
            image, params.glyph, size, params.sign[activity], top + 0.5 * unit, 0.3 * unit, LEFT * wide, em, INKS[DARK]
        )
        x = LEFT * wide + 0.5 * unit
        for case in range(params.cases):
            if s.case[lane, case, Case.STATUS] == Status.OPEN and activity_of(s, lane, params, case) == activity:
                if x + 0.4 * unit < wide:
                    draw_shape(image, DISC, top + 0.48 * unit, x, 0.34 * unit, 0.0, INKS[_token(s, lane, case)], 1.0)
                    if s.case[lane, case, Case.CLASS] == 0:
                        draw_shape(image, DISC, top + 0.48 * unit, x, 0.12 * unit, 0.0, INKS[WHITE], 1.0)
                x += 0.8 * unit


@kernel
def _desks(s, lane, params, image, unit):
    """The agents and the people at their desks, and the closed cases."""
    top, wide = (TOP + params.activities + 0.3) * unit, float(image.shape[1])
    step = min(unit, 0.6 * wide / (params.agents + params.people + 1))
    x = 0.6 * step
    for agent in range(params.agents):
        at_work = s.desk[lane, agent, Desk.VERB] > 0
        draw_shape(image, DISC, top + 0.5 * unit, x, 0.4 * step, 0.0, INKS[agent % HUES], 1.0)
        if not at_work:
            draw_shape(image, DISC, top + 0.5 * unit, x, 0.2 * step, 0.0, INKS[PAPER], 1.0)
        x += step
    for person in range(params.people):
        draw_shape(image, BOX, top + 0.5 * unit, x, 0.36 * step, 0.0, INKS[PERSON], 1.0)
        if s.serving[lane, person] <= 0:
            draw_shape(image, BOX, top + 0.5 * unit, x, 0.2 * step, 0.0, INKS[PAPER], 1.0)
        x += step
    begin, end = 0.64 * wide, 0.98 * wide
    each = (end - begin) / params.cases
    x = begin
    for k in range(2):
        for case in range(params.cases):
            if s.case[lane, case, Case.STATUS] == (Status.RIGHT if k == 0 else Status.WRONG):
                draw_bar(image, top + 0.2 * unit, x, top + 0.8 * unit, x + each, INKS[GOOD if k == 0 else BAD], 1.0)
                x += each
    draw_bar(image, top + 0.2 * unit, x, top + 0.8 * unit, end, INKS[RULE], 1.0)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8."""
    unit = image.shape[0] / (TOP + params.activities + BOTTOM)
    draw_bar(image, 0.0, 0.0, float(image.shape[0]), float(image.shape[1]), INKS[PAPER], 1.0)
    _clock(s, lane, params, image, unit)
    _rows(s, lane, params, image, unit)
    _desks(s, lane, params, image, unit)
    if s.done[lane] != Finish.RUNNING:
        ink = INKS[GOOD if s.done[lane] == Finish.COMPLETED else BAD]
        high = float(image.shape[0])
        draw_bar(image, high - 0.3 * unit, 0.0, high, float(image.shape[1]), ink, 1.0)


def shown(s, lane: int, params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    status, phase, desk = (s.case[lane, :, column] for column in (Case.STATUS, Case.PHASE, Case.DESK))
    loose = (status == Status.OPEN) & (desk == 0)
    found = {"agent", "bar with the clock"} | ({"person, or a case that it works on"} if params.people else set())
    if (loose & np.isin(phase, (Phase.QUEUE, Phase.HAND_OVER))).any():
        found.add("case that waits")
    if (loose & (phase == Phase.OUTSIDE)).any():
        found.add("case outside")
    if (status == Status.RIGHT).any() or s.done[lane] == Finish.COMPLETED:
        found.add("case closed correctly")
    if (status == Status.WRONG).any() or s.done[lane] > Finish.COMPLETED:
        found.add("case closed wrongly")
    return found
