"""A server of a language model as a station of the engine of ``events``: batches that change at every token.

The server works in iterations (Yu et al. 2022, "Orca", OSDI), as the common servers do under the name of continuous
batching: each iteration gives one token to every call of its batch. Calls that are done leave after it, and waiting
ones join, first come, first served, up to ``Rates.batch`` calls. A call's prompt is read in its first iteration. Calls
in progress are the first line of the pool, new ones the second, and an iteration is one service of the whole batch.

Not modelled: memory, prompts read in chunks, a prompt's beginning that the server has kept, the time of the network.
"""

from typing import NamedTuple

import numpy as np

from sandbox.engine.kernel import embedded, kernel, specialise
from sandbox.engine.queueing.events import (
    CLASSES,
    SPAN,
    Kind,
    advancing,
    at_once,
    in_order,
    join,
    lanes,
    never,
    push,
    seating,
)

ASK = Kind.OTHER  # an event: a call is made; its subject is the call
GOING, NEW = range(CLASSES)  # lines: calls in progress, calls that wait


class Rates(NamedTuple):
    """An iteration over n calls whose new ones have p tokens of prompts takes base + each * n + prompt * p seconds."""

    base: float
    each: float
    prompt: float
    batch: int  # calls at a time, at most


class Asked(NamedTuple):
    """N calls of C callers. A caller makes one call after the other, each so many seconds after its last one ended."""

    starts: np.ndarray  # (C + 1,) int64   caller c makes the calls starts[c] .. starts[c + 1] - 1, at least one
    gap: np.ndarray  # (N,) float64        seconds since the caller's last call ended; of its first call, since 0
    prompt: np.ndarray  # (N,) int64       tokens to read
    output: np.ndarray  # (N,) int64       tokens to write, at least 1


class Served(NamedTuple):
    """What became of N calls."""

    asked: np.ndarray  # (N,) float64  when each was made, seconds
    ended: np.ndarray  # (N,) float64
    busy: float  # seconds in which the server worked
    area: float  # integral over time of the number of calls inside


class _Flow(NamedTuple):
    """The state of a server: the fields of ``queueing.Lanes``, and those of calls."""

    clock: np.ndarray
    due: np.ndarray
    what: np.ndarray
    pending: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    length: np.ndarray
    behind: np.ndarray
    serving: np.ndarray
    left: np.ndarray  # (1, N) int64     tokens still to write
    asked: np.ndarray  # (1, N) float64
    ended: np.ndarray  # (1, N) float64
    inside: np.ndarray  # (1,) int64
    total: np.ndarray  # (1, 2) float64  busy, area


BUSY, AREA = range(2)  # columns of _Flow.total


class _Tables(NamedTuple):
    """Rates and calls in the form that kernels need."""

    crew: np.ndarray  # (2,) int32
    pool: np.ndarray  # (1,) int32
    batch: np.ndarray  # (1,) int32
    time: np.ndarray  # (3,) float64  base, each, prompt
    last: np.ndarray  # (N,) bool     of its caller
    gap: np.ndarray
    prompt: np.ndarray
    output: np.ndarray


@kernel
def _begin(s, lane, params, server, first, count):
    item, new = first, 0
    for _ in range(count):
        if s.left[lane, item] == params.output[item]:
            new += params.prompt[item]
        item = np.int64(s.behind[lane, item]) - 1
    lasts = params.time[0] + params.time[1] * count + params.time[2] * new
    s.total[lane, BUSY] += lasts
    return s.clock[lane] + lasts


_seat = specialise(seating, "serving", inline=True, opens=embedded(at_once), pick=embedded(in_order), begin=_begin)


@kernel
def _served(s, lane, params, server, item):
    s.left[lane, item] -= 1
    if s.left[lane, item] > 0:
        join(s, lane, GOING, item)
        return
    s.ended[lane, item] = s.clock[lane]
    s.inside[lane] -= 1
    if not params.last[item]:
        push(s, lane, s.clock[lane] + params.gap[item + 1], ASK * SPAN + item + 1)


@kernel
def _elapse(s, lane, due):
    s.total[lane, AREA] += (due - s.clock[lane]) * s.inside[lane]
    s.clock[lane] = due


@kernel
def _happens(s, lane, params, kind, subject):
    s.asked[lane, subject] = s.clock[lane]
    s.inside[lane] += 1
    join(s, lane, NEW, subject)
    _seat(s, lane, params, 0)


_advance = specialise(
    advancing, "serving", seat=_seat, served=_served, elapse=_elapse, happens=_happens, paused=embedded(never)
)  # fmt: skip


def serve(calls: Asked, rates: Rates) -> Served:
    """All calls by one server."""
    count, callers = len(calls.gap), len(calls.starts) - 1
    last = np.zeros(count, np.bool_)
    last[calls.starts[1:] - 1] = True
    one = np.zeros(1, np.int32)
    tables = _Tables(
        np.array([0, 1], np.int32), one, np.array([rates.batch], np.int32), np.array(rates[:3], np.float64), last,
        *(np.ascontiguousarray(each) for each in calls[1:]),
    )  # fmt: skip
    s = _Flow(
        **lanes(1, callers + 1, 1, count, 1), left=tables.output[None].copy(), asked=np.zeros((1, count)),
        ended=np.zeros((1, count)), inside=np.zeros(1, np.int64), total=np.zeros((1, 2)),
    )  # fmt: skip
    firsts = calls.starts[:-1]
    for call in firsts[np.argsort(-calls.gap[firsts], kind="stable")].tolist():  # the next event stands last
        push(s, 0, tables.gap[call], ASK * SPAN + call)
    _advance(s, 0, tables)
    return Served(s.asked[0], s.ended[0], float(s.total[0, BUSY]), float(s.total[0, AREA]))
