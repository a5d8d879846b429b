"""Shifts and absences: when a person works. Time 0 is Monday, 0:00."""

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.office.state import DAY, Severity, Stream

ABSENT_AT_MOST = 0.4  # severity 1 of staff_absent: share of a person's days
LONGEST = 1000  # days within which everybody works


@kernel
def is_absent(s, lane, params, person, day):
    """Whether a person does not come on a day."""
    severity = params.severity[Severity.STAFF_ABSENT]
    return severity > 0 and uniform(s.seed[lane], day, Stream.ABSENT, person) < severity * ABSENT_AT_MOST


@kernel
def _hours(s, lane, params, person, day):
    """Begin and end of a person's work on a day, minutes since time 0; equal if it has the day off."""
    begin, end = params.shift[params.pool[person], day % 7]
    if is_absent(s, lane, params, person, day):
        end = begin
    return day * DAY + begin, day * DAY + end


@kernel
def opens(s, lane, params, person):
    """The time from which on a person works: now, or when its next shift begins."""
    clock = s.clock[lane]
    day = np.int64(clock // DAY)
    for later in range(LONGEST):
        begin, end = _hours(s, lane, params, person, day + later)
        if begin < end and clock < end:
            return max(clock, begin)
    return clock + LONGEST * DAY


@kernel
def ends(s, lane, params, person, start, minutes):
    """When work that takes ``minutes`` and begins within a shift ends; it rests while the person does not work."""
    day = np.int64(start // DAY)
    for later in range(LONGEST):
        begin, end = _hours(s, lane, params, person, day + later)
        here = max(start, begin)
        if end - here >= minutes:
            return here + minutes
        if end > here:
            minutes -= end - here
    return start + LONGEST * DAY
