"""Networks and the delivery of messages: the same kernels in both tiers, for any world.

The messages of a tick are written on a page, and a few pages are kept. Messages are looked up, not sent: whether one of
an earlier page arrives now is a pure function of the pages and of keyed draws, computed along the edges to an agent.
``arrives`` does this for one message; ``deliver`` writes the messages of all agents, and counts them.

A message takes one tick and its edge's delay. If the graph follows from positions, the edges are those of the tick in
which the message arrives.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sandbox.engine.draw import NETWORK, below, uniform
from sandbox.engine.kernel import kernel

UNLIMITED = 2**31 - 1  # bandwidth
TO, ACT, TASK, VALUE = range(4)  # columns of ``Mail.said``
SENT, ARRIVED, LOST = range(3)  # columns of ``Mail.counts``; the last two are fates of a message
TURN, CHANCE = NETWORK, NETWORK + 1  # streams; none come after them, since indices of the last exceed 2**32
_ELSEWHERE = 0  # the message does not arrive by this edge in this tick
_ROWS, _COLS = (0, -1, 0, 1, 0, -1, -1, 1, 1), (0, 0, 1, 0, -1, -1, 1, 1, -1)  # own bin, sides, corners


class Terms(NamedTuple):
    """Terms of edges; T is 1 if all are equal, else there is a row for each edge."""

    loss: np.ndarray  # (T,) float64  chance that a message is lost
    delay: np.ndarray  # (T,) int32   ticks, in addition to the one of every message
    width: np.ndarray  # (T,) int32   bandwidth: messages a tick


class Network(NamedTuple):
    """The edges to each of N agents as compressed sparse rows; E is the capacity of edges.

    W is 1 if all lanes share one graph, else the number of lanes. Of the messages sent along an edge in one tick,
    those beyond its bandwidth are dropped (tail drop); then each of the others may be lost at random.
    """

    first: np.ndarray  # (W, N + 1) int32  edges first[w, i] .. first[w, i + 1] - 1 lead to agent i
    sender: np.ndarray  # (W, E) int32
    terms: Terms
    bins: np.ndarray  # (W, N + 1) int32   scratch of ``rewire``: start of each bin in ``order``
    order: np.ndarray  # (W, N, 3) int32   the agents, bin by bin, with row and column
    reach: int  # cells; 0: a fixed graph, else ``rewire`` makes it from positions


class Mail(NamedTuple):
    """Recent messages, on D = longest delay + 2 pages of S places for each agent, and their fates."""

    said: np.ndarray  # (L, D, N, S, 4) int32  page tick % D: to + 1 (0: all), act (0: none), task's code, value
    counts: np.ndarray  # (L, N, 3) int64      sent along an edge, by sender; arrived and lost, by receiver


def mail_for(net: Network, lanes: int, places: int) -> Mail:
    """Empty pages with ``places`` messages a tick for every agent."""
    agents, pages = net.first.shape[1] - 1, int(net.terms.delay.max()) + 2
    return Mail(np.zeros((lanes, pages, agents, places, 4), np.int32), np.zeros((lanes, agents, 3), np.int64))


@kernel
def open_page(mail, lane, tick):
    """Clear the page of this tick, before agents speak."""
    mail.said[lane, tick % mail.said.shape[1]] = 0


@kernel
def say(mail, lane, tick, agent, to, act, task, value):
    """Put a message of ``agent`` on this tick's page; ``to`` is an agent, or -1 for all. False: its places are full."""
    own = mail.said[lane, tick % mail.said.shape[1], agent]
    for m in range(len(own)):
        if own[m, ACT] == 0:
            own[m, TO], own[m, ACT], own[m, TASK], own[m, VALUE] = to + 1, act, task, value
            return True
    return False


@kernel
def _row(net, lane):
    """The graph of a lane."""
    return min(lane, net.first.shape[0] - 1)


@kernel
def _line(net, edge):
    """The row of an edge's terms."""
    return min(edge, len(net.terms.loss) - 1)


@kernel
def _page(mail, today, delay):
    """The page of the messages that arrive now after ``delay``; ``today`` is this tick's page. Avoids a division."""
    page = today - 1 - delay
    return page if page >= 0 else page + mail.said.shape[1]


@kernel
def _takes(message, agent):
    """Whether a message goes along an edge to ``agent``."""
    return message[ACT] != 0 and (message[TO] == 0 or message[TO] == agent + 1)


@kernel
def _fate(seed, then, terms, line, own, agent, sender, m):
    """The fate of message ``m`` of ``own`` (S, 4), sent by ``sender`` at tick ``then``, on an edge to ``agent``."""
    if not _takes(own[m], agent):
        return _ELSEWHERE
    before = 0
    for k in range(m):
        before += _takes(own[k], agent)
    if before >= terms.width[line]:
        return LOST
    key = np.int64(m) << 34 | np.int64(sender) << 17 | agent  # agents have 17 bits
    return LOST if terms.loss[line] > 0 and uniform(seed, then, CHANCE, key) < terms.loss[line] else ARRIVED


def lost(net: Network, mail: Mail, seed: int, tick: int, ways: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of some (speaker, hearer), those whose messages of a tick will not all arrive; its page must still be there."""
    page, found = mail.said[0, tick % mail.said.shape[1]], set()
    for sender, agent in ways:
        begin, end = net.first[0, agent], net.first[0, agent + 1]
        taken = [m for m, one in enumerate(page[sender]) if one[ACT] and one[TO] in (0, agent + 1)]
        for edge in begin + np.flatnonzero(net.sender[0, begin:end] == sender):
            line = min(edge, len(net.terms.loss) - 1)
            for place, m in enumerate(taken):
                key = np.int64(m) << 34 | np.int64(sender) << 17 | np.int64(agent)
                drawn = uniform(np.uint64(seed), np.int32(tick), CHANCE, key) < net.terms.loss[line]
                if place >= net.terms.width[line] or drawn:
                    found.add((sender, agent))
    return found


@kernel
def arrives(seed, tick, lane, net, mail, agent, edge, m):
    """Whether message ``m`` (0..S-1) of the sender of ``edge``, which leads to ``agent``, arrives in this tick.

    It arrives if it was sent 1 + delay ticks ago, to all or to this agent, was among the first ``width`` on the edge,
    and was not lost. The chance is keyed by sender, receiver, message and tick, not by the position of the edge.
    """
    line, sender = _line(net, edge), net.sender[_row(net, lane), edge]
    delay = net.terms.delay[line]
    own = mail.said[lane, _page(mail, tick % mail.said.shape[1], delay), sender]
    return tick > delay and _fate(seed, tick - 1 - delay, net.terms, line, own, agent, sender, m) == ARRIVED


@kernel
def deliver(seed, tick, lane, net, mail, messages, arrived):
    """Write the messages that reach each agent in this tick into ``messages``, and count them; once a tick.

    Call it after ``rewire``. ``messages`` (E * S, 4) int32 is sender, act, task and value; those of agent i begin at
    ``first[i]`` * S, and their number is ``arrived[i]``, (N,) int32.
    """
    arrived[:] = 0
    there = net.bins[_row(net, lane), len(arrived)] if net.reach else len(arrived)
    for k in range(there):  # neighbours in sequence, whose pages are then cached
        agent = net.order[_row(net, lane), k, 0] if net.reach else k
        arrived[agent] = _deliver_to(seed, tick, lane, net, mail, agent, messages)


@kernel
def _deliver_to(seed, tick, lane, net, mail, agent, messages):
    """One agent's messages, edge by edge from a random one, so that no sender is always first."""
    row, counts, today, places = _row(net, lane), mail.counts[lane], tick % mail.said.shape[1], mail.said.shape[3]
    begin, end, found, lost = net.first[row, agent], net.first[row, agent + 1], 0, 0
    edge = begin + below(max(1, end - begin), seed, tick, TURN, agent)
    for _ in range(end - begin):
        line, sender = _line(net, edge), net.sender[row, edge]
        delay = net.terms.delay[line]
        own = mail.said[lane, _page(mail, today, delay), sender]
        for m in range(places):
            if own[m, ACT] == 0 or tick <= delay:
                break  # places fill in order
            fate = _fate(seed, tick - 1 - delay, net.terms, line, own, agent, sender, m)
            counts[sender, SENT] += fate != _ELSEWHERE
            lost += fate == LOST
            if fate == ARRIVED:
                letter = messages[begin * places + found]
                letter[0], letter[1], letter[2], letter[3] = sender, own[m, ACT], own[m, TASK], own[m, VALUE]
                found += 1
        edge = begin if edge + 1 == end else edge + 1
    counts[agent, ARRIVED] += found
    counts[agent, LOST] += lost
    return found


@kernel
def rewire(pos, lane, net):
    """Rebuild a lane's graph from positions: agents hear others within ``reach`` cells (Manhattan).

    Each hears at most E // N senders: first those of its own bin of the map, then of the bins at its sides, then of
    those at the corners; in each bin, every agent begins with a different one. ``pos`` is (L, N, 2) int32; an agent
    with a negative row is nowhere, hears nobody and is not heard. Linear in N, by counting sort.
    """
    if net.reach == 0:
        return
    agents, row = pos.shape[1], _row(net, lane)
    bins, order, first, sender = net.bins[row], net.order[row], net.first[row], net.sender[row]
    most, filled = len(sender) // agents, 0
    top, left, side, down, across = _sort(pos[lane], net.reach, bins, order)
    for agent in range(agents):
        first[agent] = filled
        if pos[lane, agent, 0] >= 0:
            i, j = np.int32(pos[lane, agent, 0] - top) // side, np.int32(pos[lane, agent, 1] - left) // side
            for k in range(9):
                b = k if k == 0 or k > 4 else 1 + (k - 1 + agent & 3)
                r, c = i + _ROWS[b], j + _COLS[b]
                if 0 <= r < down and 0 <= c < across:
                    near = order[bins[r * across + c] : bins[r * across + c + 1]]
                    filled = _gather(pos[lane, agent], agent, near, net.reach, sender, filled, first[agent] + most)
    first[agents] = filled


@kernel
def _sort(pos, reach, bins, order):
    """Counting sort of the agents into bins; returns the first row and column, the bins' side, their rows and columns.

    Bins are squares of side ``reach``, or larger if N such bins would not cover all agents.
    """
    top, left, bottom, right = _bounds(pos)
    side = reach
    while ((bottom - top) // side + 1) * ((right - left) // side + 1) > len(pos):
        side += 1 + side // 4
    down, across = (bottom - top) // side + 1, (right - left) // side + 1
    bins[:] = 0
    for agent in range(len(pos)):
        if pos[agent, 0] >= 0:
            bins[(pos[agent, 0] - top) // side * across + (pos[agent, 1] - left) // side] += 1
    for b in range(1, len(bins)):
        bins[b] += bins[b - 1]
    for agent in range(len(pos) - 1, -1, -1):
        if pos[agent, 0] >= 0:
            b = (pos[agent, 0] - top) // side * across + (pos[agent, 1] - left) // side
            bins[b] -= 1
            order[bins[b], 0], order[bins[b], 1], order[bins[b], 2] = agent, pos[agent, 0], pos[agent, 1]
    return top, left, side, down, across


@kernel
def _bounds(pos):
    """First row and column, last row and column with an agent; zeros without agents on the map."""
    top, left, bottom, right, nobody = 0, 0, 0, 0, True
    for row, col in pos:
        if row >= 0:
            top, bottom = row if nobody else min(top, row), max(bottom, row)
            left, right, nobody = col if nobody else min(left, col), max(right, col), False
    return top, left, bottom, right


@kernel
def _gather(pos, agent, near, reach, sender, filled, full):
    """Write the agents of a bin within reach into ``sender`` from ``filled`` up to ``full``; returns the new end."""
    k = (agent * 40503 & 0xFFFF) * len(near) >> 16  # Fibonacci hashing (Knuth)
    for _ in range(len(near)):
        if filled == full:
            break
        other, far = near[k, 0], abs(near[k, 1] - pos[0]) + abs(near[k, 2] - pos[1])
        sender[filled] = other  # overwritten unless the end advances: avoids a branch
        filled += (far <= reach) & (other != agent)
        k = 0 if k + 1 == len(near) else k + 1
    return filled
