"""The office as a map: stations in the order of the process, cases as tokens in them, desks, clock and calendar.

A case is at the station where it waits or is worked on: an activity, the manager or the reviewer. On the last line of
a station are those in work, each beside who works on it. Lengths are in units, of which the picture is WIDE wide.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine import shapes
from sandbox.engine.kernel import allocating, kernel, twin
from sandbox.engine.letters import EM, as_bytes, draw_letter, type_size
from sandbox.engine.shapes import AGENTS, ALARM, draw_bar, draw_line
from sandbox.worlds.office.dynamics.calendar import opens
from sandbox.worlds.office.rendering.places import (
    BAR,
    DESKS,
    FOOT,
    MARGIN,
    NAME,
    PITCH,
    POST,
    TALL,
    WIDE,
    box_of,
    came_from,
    desks_of,
    is_in_work,
    room_of,
    station_of,
    token_at,
)
from sandbox.worlds.office.rendering.tokens import (
    AWAY,
    BAD,
    COLON,
    DARK,
    DIGIT,
    GOOD,
    HEAD,
    HUES,
    INKS,
    ISSUE,
    OUT,
    PAPER,
    PEOPLE,
    PERSON,
    RIGHT,
    RULE,
    WAIT,
    WAITS,
    WHITE,
    draw_arrow,
    draw_token,
    draw_worker,
    is_wrong,
    width_of,
    write,
    write_count,
    write_number,
)
from sandbox.worlds.office.state import DAY, TEAM, Activity, Case, Desk, Phase, Status, Work
from sandbox.worlds.office.stations import MANAGER, USUAL

LEGEND = (
    ("agent, and the case on its desk", AGENTS[0]), ("person, and the case it works on", PEOPLE),
    ("case that waits (dark ring: urgent)", WAITS), ("case outside, or person off shift", AWAY),
    ("a document of the case is wrong", ISSUE), ("error overlooked, case closed wrongly", ALARM),
    ("case closed correctly", RIGHT), ("bar with clock and week", shapes.WALL),
)  # fmt: skip
AGENT_, PERSON_, WAITS_, AWAY_, ISSUE_, WRONG_, RIGHT_, BAR_ = (name for name, _ in LEGEND)


WEEKDAYS = as_bytes(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), 10)
INITIALS = as_bytes("MTWTFSS", 2)
SIGNS = as_bytes(("outside", "escalated", "reviews", "week", "closed", "of", "+"), 10)
OUTSIDE, ESCALATED, REVIEWS, WEEK, CLOSED, OF, PLUS = range(7)


# -- the bar


@kernel
def _bar(s, lane, params, unit, image):
    """The weekday, the week, the time of day, and the week with the hours of the team."""
    draw_bar(image, 0.0, 0.0, BAR * unit, float(image.shape[1]), INKS[HEAD], 1.0)
    day = np.int64(s.clock[lane] // DAY)
    minute = np.int64(s.clock[lane]) - day * np.int64(DAY)
    y, glyph = 0.5 * BAR, params.glyph
    write(image, glyph, WEEKDAYS[day % 7], y, 0.6, 7.4, 1.0, unit, WHITE)
    x = write_count(image, glyph, minute // 60, y, 6.6, 1.0, unit, WHITE)
    size = type_size(unit)
    if size >= 0:
        pen, top = np.int64(x * unit), np.int64(y * unit - 0.6 * EM[size])
        for k in range(3):
            code = COLON if k == 0 else DIGIT + (minute % 60 // 10 if k == 1 else minute % 10)
            pen += draw_letter(image, glyph, size, code, top, pen, np.int64(image.shape[1]), INKS[WHITE])
    write(image, glyph, SIGNS[WEEK], y, 10.2, 14.5, 0.8, unit, WHITE)
    write_count(image, glyph, day // 7 + 1, y, 10.5 + width_of(glyph, SIGNS[WEEK], 0.8, unit), 0.8, unit, WHITE)
    each = 2.2
    left = WIDE - 0.8 - 7 * each
    for k in range(7):
        x = left + k * each
        begin, end = params.shift[TEAM, k, 0] / DAY, params.shift[TEAM, k, 1] / DAY
        draw_bar(image, 1.2 * unit, x * unit, 1.5 * unit, (x + each - 0.15) * unit, INKS[DARK], 1.0)
        if end > begin:
            across = (each - 0.15) * unit
            draw_bar(image, 1.2 * unit, x * unit + begin * across, 1.5 * unit, x * unit + end * across, INKS[OUT], 1.0)
        ink = WHITE if k == day % 7 else OUT
        write(image, glyph, INITIALS[k], 0.65, x + 0.5 * each - 0.35, WIDE, 0.72, unit, ink)
    x = left + day % 7 * each + minute / DAY * (each - 0.15)
    draw_bar(image, 0.98 * unit, (x - 0.12) * unit, 1.72 * unit, (x + 0.12) * unit, INKS[WHITE], 1.0)


# -- the stations


@kernel
def _edge(tall, wide, dy, dx):
    """The share of the way from the middle of a box at which its border is met in the direction (dy, dx)."""
    return min(0.5 * tall / max(abs(dy), 1e-9), 0.5 * wide / max(abs(dx), 1e-9))


@kernel
def is_clear(params, one, other):
    """Whether no station lies on the way between two."""
    down = abs(params.spot[one, 0] - params.spot[other, 0])
    across = abs(params.spot[one, 1] - params.spot[other, 1])
    return max(down, across) == 1 or across == 0


@kernel
def way(params, one, other, unit, width, ink, image):
    """The way from one station to another: straight from border to border, or around stations between them."""
    top, left, tall, wide = box_of(params, one)
    to_top, to_left, _, _ = box_of(params, other)
    if left == to_left and abs(params.spot[one, 0] - params.spot[other, 0]) > 1:
        outer = left + wide + 0.5 * MARGIN if 2 * left + wide > WIDE else left - 0.5 * MARGIN
        side = left + wide if 2 * left + wide > WIDE else left
        y0, y1 = top + 0.5 * tall, to_top + 0.5 * tall
        draw_line(image, y0 * unit, side * unit, y0 * unit, outer * unit, width * unit, INKS[ink], 1.0)
        draw_line(image, y0 * unit, outer * unit, y1 * unit, outer * unit, width * unit, INKS[ink], 1.0)
        draw_arrow(image, y1, outer, y1, side, width, unit, ink)
        return
    y0, x0, y1, x1 = top + 0.5 * tall, left + 0.5 * wide, to_top + 0.5 * tall, to_left + 0.5 * wide
    share = _edge(tall, wide, y1 - y0, x1 - x0)
    if share < 0.5:
        dy, dx = share * (y1 - y0), share * (x1 - x0)
        draw_arrow(image, y0 + dy, x0 + dx, y1 - dy, x1 - dx, width, unit, ink)


@kernel
def _station(s, lane, params, station, unit, image):
    """A station: its name, and who works there."""
    top, left, tall, wide = box_of(params, station)
    waits = station < params.activities and params.activity[station, Activity.KIND] == Work.WAIT
    draw_bar(image, top * unit, left * unit, (top + tall) * unit, (left + wide) * unit, INKS[OUT], 1.0)
    rim = max(1.0, 0.07 * unit)
    draw_bar(
        image, top * unit + rim, left * unit + rim, (top + tall) * unit - rim, (left + wide) * unit - rim,
        INKS[RULE if waits else WHITE], 1.0,
    )  # fmt: skip
    post = params.manager if station == params.activities + MANAGER else params.reviewer
    if station < params.activities:
        post = params.activity[station, Activity.POST]
        name = params.sign[station]
    else:
        name = params.sign[params.activities + post]
    y, em = top + 0.5 * NAME + 0.06, 0.74
    if width_of(params.glyph, name, em, unit) > wide - 0.5:
        em = 0.62
    write(image, params.glyph, name, y, left + 0.35, left + wide, em, unit, DARK)
    end = left + 0.35 + width_of(params.glyph, name, em, unit)
    if station >= params.activities:
        _beside(image, params.glyph, SIGNS[ESCALATED + station - params.activities], y, end, left + wide, unit)
    elif not waits:
        _beside(image, params.glyph, params.sign[params.activities + post], y, end, left + wide, unit)
    elif params.activity[station, Activity.OUTSIDE] > 0:
        _beside(image, params.glyph, SIGNS[OUTSIDE], y, end, left + wide, unit)


@kernel
def _beside(image, glyph, text, y, after, end, unit):
    """A small text at the right end of a line, if there is room for it."""
    width = width_of(glyph, text, 0.62, unit)
    if type_size(0.62 * unit) >= 0 and end - 0.35 - width > after + 0.3:
        write(image, glyph, text, y + 0.04, end - 0.35 - width, end, 0.62, unit, HEAD)


@kernel
def worker_of(s, lane, params, case):
    """Who has a case in hand: agent, or agents + person; -1: nobody."""
    if s.case[lane, case, Case.DESK] > 0:
        return np.int64(s.case[lane, case, Case.DESK]) - 1
    for person in range(params.people):
        other = np.int64(s.serving[lane, person]) - 1
        while other >= 0:
            if other == case:
                return np.int64(params.agents + person)
            other = np.int64(s.behind[lane, other]) - 1
    return -1


@kernel
def token_ink(s, lane, params, case):
    """The ink of an open case."""
    if is_in_work(s, lane, case):
        worker = worker_of(s, lane, params, case)
        return np.int64(worker % HUES if worker < params.agents else PERSON)
    return np.int64(OUT if s.case[lane, case, Case.PHASE] == Phase.OUTSIDE else WAIT)


@allocating
def _cases(s, lane, params, unit, blend, image):
    """The open cases, each at its station, and how many more there are than a station has room for."""
    taken = np.zeros((len(params.spot), 2), np.int64)  # places: of waiting cases, of those in work
    hidden = np.zeros(len(params.spot), np.int64)
    for case in range(params.cases):
        if s.case[lane, case, Case.STATUS] != Status.OPEN:
            continue
        station, busy = station_of(s, lane, params, case), is_in_work(s, lane, case)
        k = 1 if busy else 0
        y, x = token_at(params, station, taken[station, k], busy)
        taken[station, k] += 1
        if y < 0:
            hidden[station] += 1
            continue
        ink, origin = token_ink(s, lane, params, case), came_from(s, lane, params, case)
        if busy:
            draw_worker(image, ink, ink < HUES, y, x - 1.1, 1.05, unit, True)
        if origin >= 0 and blend < 1.0 and params.spot[origin, 0] >= 0:
            top, left, tall, wide = box_of(params, origin)
            y += (top + 0.5 * tall - y) * (1.0 - blend)
            x += (left + 0.5 * wide - x) * (1.0 - blend)
        draw_token(s, lane, params, case, y, x, unit, ink, image)
    for station in range(len(hidden)):
        if hidden[station] > 0:
            top, left, _, _ = box_of(params, station)
            across, lines, _ = room_of(params, station)
            y, x = top + NAME + (lines - 0.5) * PITCH, left + 0.3 + (across - 1.0) * PITCH
            write(image, params.glyph, SIGNS[PLUS], y, x, WIDE, 0.68, unit, DARK)
            plus = width_of(params.glyph, SIGNS[PLUS], 0.68, unit)
            write_count(image, params.glyph, hidden[station], y, x + plus, 0.68, unit, DARK)


# -- the desks and the closed cases


@kernel
def _desks(s, lane, params, unit, image):
    """The agents and the people at their desks, by post; below each, the case that it has in hand."""
    top = TALL - FOOT - DESKS
    draw_bar(image, top * unit, 0.0, top * unit + max(1.0, 0.05 * unit), float(image.shape[1]), INKS[OUT], 1.0)
    for post in range(params.posts):
        count, left, step = desks_of(params, post)
        if count == 0:
            continue
        name = params.sign[params.activities + post]
        write(image, params.glyph, name, top + 0.6, left, left + max(POST - 0.2, count * step), 0.68, unit, HEAD)
        agents = params.agents if post == TEAM else 0
        for k in range(count):
            x, y, size = left + (k + 0.45) * step, top + 1.8, min(1.25, 0.9 * step)
            if k < agents:
                case, ink = np.int64(s.desk[lane, k, Desk.CASE]), np.int64(k % HUES)
            else:
                person = np.int64(params.crew[post]) + k - agents
                case, ink = max(0, np.int64(s.serving[lane, person])), np.int64(PERSON)
                if opens(s, lane, params, person) > s.clock[lane]:
                    ink = np.int64(OUT)
            draw_worker(image, ink, k < agents, y, x, size, unit, case > 0)
            base = y + 0.5 * size
            draw_bar(
                image, base * unit, (x - 0.44 * step) * unit, (base + 0.12) * unit, (x + 0.44 * step) * unit,
                INKS[DARK], 1.0,
            )  # fmt: skip
            if case > 0 and step > 0.9:
                write_number(image, params.glyph, case, y + 1.3, x, 0.7, unit, DARK)


@kernel
def _foot(s, lane, params, unit, image):
    """How many cases are closed, correctly and wrongly."""
    right, wrong = np.int64(s.ended[lane, 0]), np.int64(s.ended[lane, 1])
    y, x = TALL - 0.55 * FOOT, 0.6
    for sign, number in ((SIGNS[CLOSED], right + wrong), (SIGNS[OF], np.int64(params.cases))):
        write(image, params.glyph, sign, y, x, WIDE, 0.74, unit, DARK)
        x += width_of(params.glyph, sign, 0.74, unit) + 0.3
        x = write_count(image, params.glyph, number, y, x, 0.74, unit, DARK) + 0.3
    left, wide = 9.0, WIDE - 9.6
    top, bottom = (y - 0.42) * unit, (y + 0.42) * unit
    draw_bar(image, top, left * unit, bottom, (left + wide) * unit, INKS[RULE], 1.0)
    for number, ink in ((right, GOOD), (wrong, BAD)):
        end = left + wide * number / params.cases
        wide -= end - left
        draw_bar(image, top, left * unit, bottom, end * unit, INKS[ink], 1.0)
        if end - left > 1.2:
            write_number(image, params.glyph, number, y, 0.5 * (left + end), 0.66, unit, WHITE)
        left = end


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8. Cases that changed stations in the last tick are on their way there."""
    unit = image.shape[1] / WIDE
    draw_bar(image, 0.0, 0.0, float(image.shape[0]), float(image.shape[1]), INKS[PAPER], 1.0)
    for k in range(len(params.way)):
        row = params.way[k]
        one, other = np.int64(row[0]), np.int64(row[1])
        if is_clear(params, one, other):
            way(params, one, other, unit, 0.1 + 0.1 * row[2], HEAD if row[2] >= USUAL else OUT, image)
    for case in range(params.cases):
        if s.case[lane, case, Case.STATUS] == Status.OPEN:
            origin, station = came_from(s, lane, params, case), station_of(s, lane, params, case)
            if origin >= 0:
                way(params, origin, station, unit, 0.24, DARK, image)
    for station in range(len(params.spot)):
        if params.spot[station, 0] >= 0:
            _station(s, lane, params, station, unit, image)
    _cases(s, lane, params, unit, blend, image)
    _bar(s, lane, params, unit, image)
    _desks(s, lane, params, unit, image)
    _foot(s, lane, params, unit, image)
    if s.done[lane] != Finish.RUNNING:
        ink, high = INKS[GOOD if s.done[lane] == Finish.COMPLETED else BAD], float(image.shape[0])
        draw_bar(image, high - 0.3 * unit, 0.0, high, float(image.shape[1]), ink, 1.0)


def part(params, agent: int) -> tuple[float, float, float, float]:
    """(top, left, height, width) of an agent's desk, as shares of the picture."""
    _, left, step = twin(desks_of)(params, TEAM)
    top = TALL - FOOT - DESKS + 1.0
    return top / TALL, (left + agent * step) / WIDE, (DESKS - 1.0) / TALL, 0.9 * step / WIDE


def shown(s, lane: int, params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    row = s.case[lane]
    status, phase = row[:, Case.STATUS], row[:, Case.PHASE]
    is_open = status == Status.OPEN
    loose = is_open & (row[:, Case.DESK] == 0)
    found = {AGENT_, BAR_} | ({PERSON_} if params.people else set())
    missed = is_open & (row[:, Case.MISSED] != 0)
    return found | {
        name for name, there in {
            WAITS_: (loose & np.isin(phase, (Phase.QUEUE, Phase.HAND_OVER))).any(),
            AWAY_: True,
            ISSUE_: any(twin(is_wrong)(s, lane, params, case) for case in np.flatnonzero(is_open & ~missed)),
            RIGHT_: (status == Status.RIGHT).any() or s.done[lane] == Finish.COMPLETED,
            WRONG_: (status == Status.WRONG).any() or missed.any() or s.done[lane] > Finish.COMPLETED,
        }.items() if there
    }  # fmt: skip
