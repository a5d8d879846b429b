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
def _hours(s, lane, params, person, part):
    """Begin and end of a person's work in a part of a day, minutes since time 0; equal if it does not work then."""
    day = part * 7 // params.hours.shape[1]
    begin, end = params.hours[person, part % params.hours.shape[1]]
    if is_absent(s, lane, params, person, day):
        end = begin
    return day * DAY + begin, day * DAY + end


@kernel
def opens(s, lane, params, person):
    """The time from which on a person works: now, or when its next shift begins."""
    clock, parts = s.clock[lane], params.hours.shape[1] // 7
    first = np.int64(clock // DAY) * parts
    for part in range(first, first + LONGEST * parts):
        begin, end = _hours(s, lane, params, person, part)
        if begin < end and clock < end:
            return max(clock, begin)
    return clock + LONGEST * DAY


@kernel
def ends(s, lane, params, person, start, minutes):
    """When work that takes ``minutes`` and begins within a shift ends; it rests while the person does not work."""
    parts = params.hours.shape[1] // 7
    first = np.int64(start // DAY) * parts
    for part in range(first, first + LONGEST * parts):
        begin, end = _hours(s, lane, params, person, part)
        here = max(start, begin)
        if end - here >= minutes:
            return here + minutes
        if end > here:
            minutes -= end - here
    return start + LONGEST * DAY


@kernel
def arrives(params, moment):
    """The time at which a case arrives that comes at ``moment``: then, or when the next hours of arrivals begin."""
    parts = params.door.shape[0] // 7
    first = np.int64(moment // DAY) * parts
    for part in range(first, first + 8 * parts):
        day = part * 7 // params.door.shape[0]
        begin, end = params.door[part % params.door.shape[0]]
        if begin < end and moment < day * DAY + end:
            return max(moment, day * DAY + begin)
    return moment
