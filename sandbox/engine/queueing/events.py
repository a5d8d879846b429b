"""A queueing engine: events in the order of their exact times, lines of items, pools of servers.

It works on any state whose fields are those of :class:`Lanes`, and on params with ``crew`` (P + 1,) int32 (pool p has
the servers crew[p] .. crew[p + 1] - 1), ``pool`` (M,) int32 (the pool of each server) and ``batch`` (P,) int32 (how
many items a server of the pool serves at a time). What an item is, how long its service takes and where it goes then
is said by functions, which fill the free names of ``seating``, ``staffing`` and ``advancing``
(``engine.kernel.specialise``):

=======================================================  ==============================================================
``opens(s, lane, params, server)``                       -> the time from which on the server can begin; now, or later
``pick(s, lane, params, server)``                        -> the line and the item that the server serves next; the
                                                         item is -1 if it leaves all that wait to others
``begin(s, lane, params, server, first, count)``         a service begins: -> the time at which it will end; ``first``
                                                         heads ``count`` items that are linked by ``behind``
``served(s, lane, params, server, item)``                a service has ended: the item goes on
``elapse(s, lane, due)``                                 the clock moves to ``due``
``happens(s, lane, params, kind, subject)``              an event of another kind than those of a service
``paused(s, lane, params)``                              whether to stop before the next event
=======================================================  ==============================================================

The office, the plain networks of ``network`` and the server of ``serving`` are three uses of the same functions.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from sandbox.engine.kernel import kernel

BITS = 24
SPAN = 1 << BITS  # an event is kind * SPAN + subject; simultaneous events happen in this order
CLASSES = 2  # lines of a pool; the first is served first
CALLED = -1  # in ``serving``: an idle server will look for work when its shift begins

opens = pick = begin = seat = served = elapse = happens = paused = None  # filled in by specialise


class Kind(IntEnum):
    """The kinds of events of the engine; others follow from OTHER on."""

    END = 0  # of a service; subject: a server
    SHIFT = 1  # a called server looks for work
    OTHER = 2


class Lanes(NamedTuple):
    """The fields of the engine: L lanes, E events at most, Q = CLASSES * pools lines, K items, M servers."""

    clock: np.ndarray  # (L,) float64
    due: np.ndarray  # (L, E) float64   times of the coming events, the next one last
    what: np.ndarray  # (L, E) int32     the events, in the order of ``due``
    pending: np.ndarray  # (L,) int32    how many events
    head: np.ndarray  # (L, Q) int32     first item of each line + 1; 0: none
    tail: np.ndarray  # (L, Q) int32     last item of each line + 1
    length: np.ndarray  # (L, Q) int32   items in each line
    behind: np.ndarray  # (L, K) int32   the item behind each item + 1; 0: none
    serving: np.ndarray  # (L, M) int32  first item that each server serves + 1; 0: idle; CALLED


def lanes(count: int, events: int, pools: int, items: int, servers: int) -> dict[str, np.ndarray]:
    """Zeroed fields of ``Lanes``."""
    lines = CLASSES * pools
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "clock": (np.float64, ()), "due": (np.float64, (events,)), "what": (np.int32, (events,)),
        "pending": (np.int32, ()), "head": (np.int32, (lines,)), "tail": (np.int32, (lines,)),
        "length": (np.int32, (lines,)), "behind": (np.int32, (items,)), "serving": (np.int32, (servers,)),
    }  # fmt: skip
    return {name: np.zeros((count, *shape), dtype) for name, (dtype, shape) in shapes.items()}


# -- events: sorted, the next one last. A heap takes fewer steps, but each is hard to foretell for a processor


@kernel
def push(s, lane, due, what):
    """Plan an event."""
    times, codes = s.due[lane], s.what[lane]
    k = np.int64(s.pending[lane])
    s.pending[lane] = k + 1
    while k > 0 and (times[k - 1] < due or (times[k - 1] == due and codes[k - 1] < what)):
        times[k], codes[k] = times[k - 1], codes[k - 1]
        k -= 1
    times[k], codes[k] = due, what


@kernel
def pop(s, lane):
    """Remove the next event; returns its time and its code."""
    k = np.int64(s.pending[lane]) - 1
    due, what = s.due[lane, k], np.int64(s.what[lane, k])
    s.pending[lane], s.due[lane, k], s.what[lane, k] = k, 0.0, 0
    return due, what


# -- lines: linked lists


@kernel
def join(s, lane, line, item):
    """An item joins the end of a line."""
    if s.length[lane, line] == 0:
        s.head[lane, line] = item + 1
    else:
        s.behind[lane, s.tail[lane, line] - 1] = item + 1
    s.tail[lane, line] = item + 1
    s.behind[lane, item] = 0
    s.length[lane, line] += 1


@kernel
def leave(s, lane, line, item):
    """An item leaves its place in a line."""
    before, at = -1, np.int64(s.head[lane, line]) - 1
    while at != item:
        before, at = at, np.int64(s.behind[lane, at]) - 1
    after = s.behind[lane, item]
    if before < 0:
        s.head[lane, line] = after
    else:
        s.behind[lane, before] = after
    if after == 0:
        s.tail[lane, line] = before + 1
    s.behind[lane, item] = 0
    s.length[lane, line] -= 1


@kernel
def waiting(s, lane, pool):
    """Items in the lines of a pool."""
    return np.int64(s.length[lane, CLASSES * pool]) + np.int64(s.length[lane, CLASSES * pool + 1])


@kernel
def front(s, lane, pool):
    """The line and the item that come first in a pool; one must wait."""
    line = CLASSES * pool if s.length[lane, CLASSES * pool] > 0 else CLASSES * pool + 1
    return line, np.int64(s.head[lane, line]) - 1


# what ``opens``, ``pick`` and ``paused`` usually are


@kernel
def at_once(s, lane, params, server):
    """A server is always there."""
    return s.clock[lane]


@kernel
def in_order(s, lane, params, server):
    """First come, first served."""
    return front(s, lane, np.int64(params.pool[server]))


@kernel
def never(s, lane, params):
    """Execute the events in order of time, also those that they add, until no event is left."""
    return False


@kernel
def gather(s, lane, params, pool, line, first):
    """The items that are served together with ``first`` leave their lines with it; returns how many."""
    leave(s, lane, line, first)
    last, count = first, 1
    while count < params.batch[pool] and waiting(s, lane, pool) > 0:
        line, item = front(s, lane, pool)
        leave(s, lane, line, item)
        s.behind[lane, last] = item + 1
        last, count = item, count + 1
    return count


# -- the two loops, whose free names are filled in


def seating(s, lane, params, server):
    """An idle server begins to serve who waits in its pool."""
    pool = np.int64(params.pool[server])
    if s.serving[lane, server] != 0 or waiting(s, lane, pool) == 0:
        return
    at = opens(s, lane, params, server)
    if at > s.clock[lane]:
        s.serving[lane, server] = CALLED
        push(s, lane, at, Kind.SHIFT * SPAN + server)
        return
    line, first = pick(s, lane, params, server)
    if first < 0:
        return
    count = gather(s, lane, params, pool, line, first)
    s.serving[lane, server] = first + 1
    push(s, lane, begin(s, lane, params, server, first, count), Kind.END * SPAN + server)


def staffing(s, lane, params, pool):
    """All idle servers of a pool begin."""
    for server in range(np.int64(params.crew[pool]), np.int64(params.crew[pool + 1])):
        if waiting(s, lane, pool) == 0:
            return
        if s.serving[lane, server] == 0:
            seat(s, lane, params, server)


def advancing(s, lane, params):
    """Let events happen in the order of their times, until there are none or ``paused`` says so."""
    while s.pending[lane] > 0 and not paused(s, lane, params):
        due, what = pop(s, lane)
        elapse(s, lane, due)
        kind, subject = what >> BITS, what & (SPAN - 1)
        if kind >= Kind.OTHER:
            happens(s, lane, params, kind, subject)
            continue
        item = np.int64(s.serving[lane, subject]) - 1
        s.serving[lane, subject] = 0
        while item >= 0:
            behind = np.int64(s.behind[lane, item]) - 1
            s.behind[lane, item] = 0
            served(s, lane, params, subject, item)
            item = behind
        seat(s, lane, params, subject)  # where somebody waits, the others of the pool are busy or not on shift
