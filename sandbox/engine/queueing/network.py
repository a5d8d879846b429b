"""Plain queueing networks on the engine of ``events``: Poisson or other arrivals, stations, routing by chance.

    net = Network(arrival=exponential(1.0), service=[exponential(2.4)], servers=[3])
    result = simulate(net, seed=1, customers=100_000)

Customers arrive at station 0. Their slots are used again, so that any number of them needs bounded memory.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.engine.draw import uniform
from sandbox.engine.kernel import embedded, kernel, specialise
from sandbox.engine.queueing.distributions import sample
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
    staffing,
)

ARRIVE = Kind.OTHER  # an event: the next customer arrives
GAP, SERVICE, ROUTE = 0, 2, 4  # streams of draws by customer and visit; the first two take two numbers


@dataclass(frozen=True)
class Network:
    """A network of S stations.

    ``arrival`` is the distribution of the time between arrivals, ``service`` that of each station (``distributions``).
    ``routing`` (S, S): the chance to go from a station to another; the rest leaves. ``room``: customers at a time, at
    most.
    """

    arrival: list[float]
    service: list[list[float]]
    servers: list[int]
    routing: list[list[float]] = field(default_factory=list)
    batch: int = 1
    room: int = 100_000


class Result(NamedTuple):
    """What was measured until the last customer had left."""

    customers: int
    clock: float  # when the last one left
    area: float  # integral over time of the number of customers inside
    sojourn: float  # sum of the times that customers spent inside
    waited: float  # sum of their times in lines
    visits: int  # services begun
    departures: np.ndarray  # (R,) float64  departure time of the first R customers


class Flow(NamedTuple):
    """The state of one network: the fields of ``queueing.Lanes``, and those of customers; K slots."""

    clock: np.ndarray
    due: np.ndarray
    what: np.ndarray
    pending: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    length: np.ndarray
    behind: np.ndarray
    serving: np.ndarray
    seed: np.ndarray  # (1,) uint64
    free: np.ndarray  # (1, K) int32      stack of free slots
    number: np.ndarray  # (1, K) int64    which customer is in the slot
    station: np.ndarray  # (1, K) int32
    visit: np.ndarray  # (1, K) int32     services so far
    since: np.ndarray  # (1, K) float64   when it joined its line
    entered: np.ndarray  # (1, K) float64
    count: np.ndarray  # (1, 4) int64     see Count
    total: np.ndarray  # (1, 3) float64   area, sojourn, waited
    departure: np.ndarray  # (1, R) float64


ARRIVED, INSIDE, VISITS, LIMIT = range(4)  # columns of Flow.count
AREA, SOJOURN, WAITED = range(3)  # columns of Flow.total


class Tables(NamedTuple):
    """A network in the form that kernels need."""

    crew: np.ndarray  # (S + 1,) int32
    pool: np.ndarray  # (M,) int32
    batch: np.ndarray  # (S,) int32
    arrival: np.ndarray  # (4,) float64
    service: np.ndarray  # (S, 4) float64
    routing: np.ndarray  # (S, S) float64, cumulative


@kernel
def _begin(s, lane, params, server, first, count):
    clock, item = s.clock[lane], first
    for _ in range(count):
        s.total[lane, WAITED] += clock - s.since[lane, item]
        s.count[lane, VISITS] += 1
        s.visit[lane, item] += 1
        item = np.int64(s.behind[lane, item]) - 1
    row = params.service[params.pool[server]]
    return clock + sample(row, s.seed[lane], s.number[lane, first], SERVICE, s.visit[lane, first] - 1)


_seat = specialise(seating, "network", inline=True, opens=embedded(at_once), pick=embedded(in_order), begin=_begin)
_staff = specialise(staffing, "network", inline=True, seat=_seat)


@kernel
def _enter(s, lane, params, item, station):
    s.station[lane, item], s.since[lane, item] = station, s.clock[lane]
    join(s, lane, CLASSES * station, item)
    _staff(s, lane, params, station)


@kernel
def _served(s, lane, params, server, item):
    chances = params.routing[s.station[lane, item]]
    number = s.number[lane, item]
    if chances[-1] > 0.0:
        chance = uniform(s.seed[lane], number, ROUTE, s.visit[lane, item])
        for station in range(len(chances)):
            if chance < chances[station]:
                _enter(s, lane, params, item, station)
                return
    s.total[lane, SOJOURN] += s.clock[lane] - s.entered[lane, item]
    s.count[lane, INSIDE] -= 1
    s.free[lane, s.count[lane, INSIDE]] = item
    if number < s.departure.shape[1]:
        s.departure[lane, number] = s.clock[lane]


@kernel
def _elapse(s, lane, due):
    s.total[lane, AREA] += (due - s.clock[lane]) * s.count[lane, INSIDE]
    s.clock[lane] = due


@kernel
def _happens(s, lane, params, kind, subject):
    """A customer arrives, and the arrival of the next one is planned; without a free slot nobody arrives any more."""
    inside, number = s.count[lane, INSIDE], s.count[lane, ARRIVED]
    if inside == s.free.shape[1]:
        s.count[lane, LIMIT] = -1
        return
    item = np.int64(s.free[lane, inside])
    s.count[lane, INSIDE] += 1
    s.count[lane, ARRIVED] += 1
    s.number[lane, item], s.visit[lane, item], s.entered[lane, item] = number, 0, s.clock[lane]
    if number + 1 < s.count[lane, LIMIT]:
        push(s, lane, s.clock[lane] + sample(params.arrival, s.seed[lane], number + 1, GAP, 0), ARRIVE * SPAN)
    _enter(s, lane, params, item, 0)


_advance = specialise(
    advancing, "network", seat=_seat, served=_served, elapse=_elapse, happens=_happens, paused=embedded(never)
)  # fmt: skip


def simulate(net: Network, seed: int, customers: int, departures: int = 0) -> Result:
    """Run a network until ``customers`` have come and gone.

    Raises UsageError if more customers are inside at a time than it has room for.
    """
    stations, servers = len(net.servers), sum(net.servers)
    crew = np.cumsum([0, *net.servers]).astype(np.int32)
    routing = np.array(net.routing or np.zeros((stations, stations)), np.float64)
    tables = Tables(
        crew, np.repeat(np.arange(stations, dtype=np.int32), net.servers), np.full(stations, net.batch, np.int32),
        np.array(net.arrival, np.float64), np.array(net.service, np.float64), np.cumsum(routing, axis=1),
    )  # fmt: skip
    slots = min(net.room, customers)
    whole, real = (np.zeros((1, slots), dtype) for dtype in (np.int32, np.float64))
    s = Flow(
        **lanes(1, servers + 1, stations, slots, servers), seed=np.array([seed], np.uint64),
        free=np.arange(slots, dtype=np.int32)[None], number=np.zeros((1, slots), np.int64), station=whole,
        visit=whole.copy(), since=real, entered=real.copy(), count=np.zeros((1, 4), np.int64),
        total=np.zeros((1, 3)), departure=np.zeros((1, departures)),
    )  # fmt: skip
    s.count[0, LIMIT] = customers
    push(s, 0, sample(tables.arrival, s.seed[0], 0, GAP, 0), ARRIVE * SPAN)
    _advance(s, 0, tables)
    if s.count[0, LIMIT] < 0:
        raise UsageError(f"network: more than {slots} customers at a time; expected servers that keep up, or more room")
    area, sojourn, waited = s.total[0].tolist()
    visits, arrived = int(s.count[0, VISITS]), int(s.count[0, ARRIVED])
    return Result(arrived, float(s.clock[0]), area, sojourn, waited, visits, s.departure[0])
